"""Two pages: choose the words of the account to hide; then shorten and settle the remaining text."""

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from uuid import UUID

from flask import Blueprint, Response, make_response, render_template, request
from flask_babel import gettext as _

from reporting.record.contents import known_about_reporter
from reporting.record.opening import OpenedReport, open_for_me
from reporting.redaction import leak_check, marks, queries, services, spans as redactions
from reporting.redaction.leak_check import Leak
from reporting.redaction.schemas import EVERYWHERE, FIRST, HideSchema, SettleSchema
from reporting.redaction.spans import Span
from ugly_mugs.accounts.guard import Permission, current_staff, staff
from ugly_mugs.database.engine import db
from ugly_mugs.errors import Conflict
from ugly_mugs.runtime import runtime
from ugly_mugs.web.forms import Form
from ugly_mugs.web.redirects import see_other

redaction = Blueprint("redaction", __name__, url_prefix="/desk")


@redaction.get("/reports/<uuid:report_id>/redact")
@staff(Permission.REDACT)
def marks_page(report_id: UUID) -> Response:
    return _draw_marks_page(open_for_me(report_id), Form(HideSchema()))


@redaction.post("/reports/<uuid:report_id>/redact")
@staff(Permission.REDACT)
def hide_words(report_id: UUID) -> Response:
    """Save the ticked spans and the typed words as hidden, then show the remaining text or the marks again."""
    opened, form = open_for_me(report_id), Form(HideSchema())
    account = opened.contents.account
    ticked = redactions.within(redactions.read_spans(request.form.getlist("span")), account)
    if not form.take(request.form):
        return _draw_marks_page(opened, form, ticked=ticked)
    typed, missing = redactions.find_lines(
        account, form.values["words"] or "", first_only=form.values["where"] == FIRST, besides=ticked
    )
    chosen = [*ticked, *typed]
    if missing:
        form.refuse("words", _("Not found in the account: %(words)s", words=" · ".join(missing)))
        return _draw_marks_page(opened, form, ticked=chosen)
    try:
        services.save_spans(
            report_id=report_id,
            account=account,
            spans=chosen,
            seen_version=form.values["version"],
            content_key=opened.content_key,
            staff_id=current_staff().id,
            now=runtime().clock.now(),
        )
    except services.Unfit as unfit:
        db.session.rollback()
        form.refuse("words", unfit.message)
        return _draw_marks_page(opened, form, ticked=chosen)
    except Conflict as conflict:
        db.session.rollback()
        return _draw_marks_page(open_for_me(report_id), form, ticked=chosen, message=conflict.message)
    db.session.commit()
    return _redirect(
        report_id, "redaction.marks_page" if request.form.get("do") == "more" else "redaction.text_page"
    )


@redaction.get("/reports/<uuid:report_id>/redact/text")
@staff(Permission.REDACT)
def text_page(report_id: UUID) -> Response:
    opened = open_for_me(report_id)
    if queries.redaction(report_id) is None:
        return _redirect(report_id, "redaction.marks_page")
    return _draw_text_page(opened, Form(SettleSchema()))


@redaction.post("/reports/<uuid:report_id>/redact/text")
@staff(Permission.REDACT)
def settle_text(report_id: UUID) -> Response:
    opened, form = open_for_me(report_id), Form(SettleSchema())
    if not form.take(request.form):
        return _draw_text_page(opened, form)
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
        return _draw_text_page(opened, form)
    except Conflict as conflict:
        db.session.rollback()
        return _draw_text_page(open_for_me(report_id), form, message=conflict.message)
    db.session.commit()
    return _redirect(report_id, "desk.report")


def _status(form: Form, message: str) -> HTTPStatus:
    """Of a page that is drawn again: a `message` tells of a conflict."""
    return HTTPStatus.CONFLICT if message else HTTPStatus.BAD_REQUEST if form.errors else HTTPStatus.OK


def _draw_marks_page(
    opened: OpenedReport, form: Form, *, ticked: Sequence[Span] | None = None, message: str = ""
) -> Response:
    """Draw the account with its marks. After a conflict the spans of both people are ticked."""
    account = opened.contents.account
    row = queries.redaction(opened.report.id)
    saved = queries.opened_redaction(row, opened.content_key)
    shown = saved if ticked is None or message else None
    account_marks = marks.of_account(account, known_about_reporter(opened.contents), shown, ticked)
    page = render_template(
        "reporting/redaction/redact.html",
        report=opened.report,
        marks=account_marks,
        pieces=list(marks.pieces(account, account_marks)),
        form=form.fill({"version": row.version if row else 0, "where": form["where"].value or EVERYWHERE}),
        added_since=saved is not None and saved.account_length != len(account),
        message=message,
    )
    return make_response(page, _status(form, message))


def _draw_text_page(opened: OpenedReport, form: Form, *, message: str = "") -> Response:
    account, known = opened.contents.account, known_about_reporter(opened.contents)
    row = queries.redaction(opened.report.id)
    saved = queries.opened_redaction(row, opened.content_key)
    if row is None or saved is None:
        response = _draw_marks_page(opened, Form(HideSchema()), message=message)
        response.status_code = _status(form, message)
        return response
    left = redactions.redact(account, saved.spans).text
    shown = form["text"].value if request.method == "POST" else saved.text if row.settled else left
    leaks = leak_check.check(shown, known, saved.removed)
    page = render_template(
        "reporting/redaction/settle.html",
        report=opened.report,
        form=form.fill({"version": row.version, "text": shown}),
        left=left,
        edited=shown != left,
        settled=row.settled,
        about_reporter=_without_repeats(leak for leak in leaks if leak.kind != "removed"),
        hidden_elsewhere=_without_repeats(leak for leak in leaks if leak.kind == "removed"),
        spans=[f"{span.start}-{span.end}-{span.kind}" for span in saved.spans],
        version=row.version,
        added_since=saved.account_length != len(account),
        message=message,
    )
    return make_response(page, _status(form, message))


def _without_repeats(leaks: Iterable[Leak]) -> list[Leak]:
    """One leak for each text and reason."""
    return list({(leak.text.casefold(), leak.why): leak for leak in leaks}.values())


def _redirect(report_id: UUID, page: str) -> Response:
    return see_other(page, report_id=report_id)
