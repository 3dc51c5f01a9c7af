"""Two pages: which words of the account to hide, then what is left of it, to be shortened and settled."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _

from reporting.record import opening
from reporting.record.contents import known_about_reporter
from reporting.record.opening import OpenedReport
from reporting.redaction import leak_check, marks, queries, services, spans as redactions
from reporting.redaction.leak_check import Leak
from reporting.redaction.schemas import EVERYWHERE, FIRST, HideSchema, SettleSchema
from reporting.redaction.spans import Span
from ugly_mugs.accounts.guard import Permission, current_staff, staff
from ugly_mugs.database.engine import db
from ugly_mugs.errors import Conflict
from ugly_mugs.runtime import runtime
from ugly_mugs.web.forms import Form, error_summary

redaction = Blueprint("redaction", __name__, url_prefix="/desk")


@redaction.get("/reports/<uuid:report_id>/redact")
@staff(Permission.REDACT)
def marks_page(report_id: UUID) -> Response:
    return _choosing(_opened(report_id), Form(HideSchema()))


@redaction.post("/reports/<uuid:report_id>/redact")
@staff(Permission.REDACT)
def hide_words(report_id: UUID) -> Response:
    """Keep what is ticked and hide the words typed, then look at what is left or go on choosing."""
    opened, form = _opened(report_id), Form(HideSchema())
    account = opened.contents.account
    ticked = redactions.within(redactions.read_spans(request.form.getlist("span")), account)
    if not form.take(request.form):
        return _choosing(opened, form, ticked=ticked, status=HTTPStatus.BAD_REQUEST)
    typed, missing = redactions.find_all(
        account, form.values["words"] or "", first_only=form.values["where"] == FIRST, besides=ticked
    )
    if missing:
        form.refuse("words", _("Not found in the account: %(words)s", words=" · ".join(missing)))
        return _choosing(opened, form, ticked=[*ticked, *typed], status=HTTPStatus.BAD_REQUEST)
    try:
        services.keep(
            report_id=report_id,
            account=account,
            spans=[*ticked, *typed],
            seen_version=form.values["version"],
            content_key=opened.content_key,
            staff_id=current_staff().id,
            now=runtime().clock.now(),
        )
    except services.Unfit as unfit:
        db.session.rollback()
        form.refuse("words", unfit.message)
        return _choosing(opened, form, ticked=[*ticked, *typed], status=HTTPStatus.BAD_REQUEST)
    except Conflict as conflict:
        db.session.rollback()
        return _choosing(
            _opened(report_id),
            form,
            ticked=[*ticked, *typed],
            message=conflict.message,
            status=HTTPStatus.CONFLICT,
        )
    db.session.commit()
    return _go(
        report_id, "redaction.marks_page" if request.form.get("do") == "more" else "redaction.text_page"
    )


@redaction.get("/reports/<uuid:report_id>/redact/text")
@staff(Permission.REDACT)
def text_page(report_id: UUID) -> Response:
    opened = _opened(report_id)
    if queries.redaction(report_id) is None:
        return _go(report_id, "redaction.marks_page")
    return _reading(opened, Form(SettleSchema()))


@redaction.post("/reports/<uuid:report_id>/redact/text")
@staff(Permission.REDACT)
def settle_text(report_id: UUID) -> Response:
    opened, form = _opened(report_id), Form(SettleSchema())
    if not form.take(request.form):
        return _reading(opened, form, typed=True, status=HTTPStatus.BAD_REQUEST)
    try:
        services.settle(
            report_id=report_id,
            account=opened.contents.account,
            text=form.values["text"],
            known=known_about_reporter(opened.contents),
            seen_version=form.values["version"],
            content_key=opened.content_key,
            staff_id=current_staff().id,
            now=runtime().clock.now(),
        )
    except services.Unfit as unfit:
        db.session.rollback()
        form.refuse("text", unfit.message)
        return _reading(opened, form, typed=True, status=HTTPStatus.BAD_REQUEST)
    except Conflict as conflict:
        db.session.rollback()
        return _reading(
            _opened(report_id), form, typed=True, message=conflict.message, status=HTTPStatus.CONFLICT
        )
    db.session.commit()
    return _go(report_id, "desk.report")


def _choosing(
    opened: OpenedReport,
    form: Form,
    *,
    ticked: Sequence[Span] | None = None,
    message: str = "",
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    """The account with its marks. After a conflict everything is ticked that either of the two people had hidden."""
    account = opened.contents.account
    row = queries.redaction(opened.report.id)
    settled = queries.opened_redaction(row, opened.content_key)
    together = ticked is None or status is HTTPStatus.CONFLICT
    found = marks.of_account(
        account, known_about_reporter(opened.contents), settled if together else None, ticked
    )
    page = render_template(
        "reporting/redaction/redact.html",
        report=opened.report,
        marks=found,
        pieces=list(marks.pieces(account, found)),
        form=form.fill({"version": row.version if row else 0, "where": form["where"].value or EVERYWHERE}),
        added_since=settled is not None and settled.covers != len(account),
        problems=error_summary(form),
        message=message,
    )
    return make_response(page, status)


def _reading(
    opened: OpenedReport,
    form: Form,
    *,
    typed: bool = False,
    message: str = "",
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    """What is left, and in it what still says too much."""
    account, known = opened.contents.account, known_about_reporter(opened.contents)
    row = queries.redaction(opened.report.id)
    settled = queries.opened_redaction(row, opened.content_key)
    if row is None or settled is None:
        return _choosing(opened, Form(HideSchema()), message=message, status=status)
    left = redactions.redact(account, settled.spans).text
    shown = form["text"].value if typed else settled.text if row.settled else left
    found = leak_check.check(shown, known, settled.removed)
    page = render_template(
        "reporting/redaction/settle.html",
        report=opened.report,
        form=form.fill({"version": row.version, "text": shown}),
        left=left,
        edited=shown != left,
        settled=row.settled,
        telling=_once(leak for leak in found if leak.kind != "removed"),
        elsewhere=_once(leak for leak in found if leak.kind == "removed"),
        spans=[f"{span.start}-{span.end}-{span.kind}" for span in settled.spans],
        version=row.version,
        added_since=settled.covers != len(account),
        problems=error_summary(form),
        message=message,
    )
    return make_response(page, status)


def _once(found: Any) -> list[Leak]:
    """One of several places with the same words."""
    return list({(leak.text.casefold(), leak.why): leak for leak in found}.values())


def _opened(report_id: UUID) -> OpenedReport:
    return opening.open_report(
        report_id=report_id, staff=current_staff(), vault=runtime().vault, now=runtime().clock.now()
    )


def _go(report_id: UUID, page: str) -> Response:
    return make_response(redirect(url_for(page, report_id=report_id), HTTPStatus.SEE_OTHER))
