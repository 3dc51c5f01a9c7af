"""The form a moderator fills in for somebody on the telephone; its answer is the receipt to read out."""

from http import HTTPStatus

from flask import Blueprint, Response, make_response, render_template, request
from flask_babel import gettext as _

from reporting.filing import caller as caller_filing, resubmission
from reporting.filing.submission import FORM
from reporting.record import queries as record_queries
from reporting.record.report_form import ReportForm
from ugly_mugs.accounts.guard import Permission, current_staff, staff
from ugly_mugs.accounts.keys import epochs
from ugly_mugs.accounts.models import EpochKind
from ugly_mugs.database.engine import db
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import FormToken, FormTokens, TooLong
from ugly_mugs.web.languages import page_language

caller = Blueprint("caller", __name__, url_prefix="/desk")


@caller.get("/reports/new")
@staff(Permission.FILE_FOR_CALLER)
def caller_page() -> Response:
    return _drawn(ReportForm(), None)


@caller.post("/reports/new")
@staff(Permission.FILE_FOR_CALLER)
def file_report() -> Response:
    form, vault, now = ReportForm(), runtime().vault, runtime().clock.now()
    token = vault.form_tokens.read(FORM, request.form.get("token", ""))
    if form.asked_to_add(request.form):
        form.keep(request.form).offenders.add()
        return _drawn(form, token)
    if not form.take(request.form):
        return _drawn(form, token, status=HTTPStatus.BAD_REQUEST)
    if token is None or not FormTokens.is_fileable(token, now):
        message = _("This page had been open for a long time. Please look it over and send it once more.")
        return _drawn(form, None, message, status=HTTPStatus.BAD_REQUEST)
    receipt = vault.receipts.from_form_token(token)
    epoch, epoch_public = epochs.current(EpochKind.DESK, vault=vault)
    try:
        filed = caller_filing.file_for_caller(
            vault=vault,
            epoch_id=epoch.id,
            epoch_public=epoch_public,
            receipt=receipt,
            sections=form.values,
            consents=form.consents(language=page_language(), day=now.date()),
            staff_id=current_staff().id,
            now=now,
        )
    except TooLong:
        form.refuse_length(_("This is too long to keep. File a part now and add the rest with the receipt."))
        return _drawn(form, token, status=HTTPStatus.BAD_REQUEST)
    db.session.commit()
    former = record_queries.report(filed.report_id)
    changed = (
        filed.already
        and former is not None
        and resubmission.differs(former, receipt, sections=form.values, vault=vault)
    )
    return make_response(
        render_template(
            "reporting/filing/caller_filed.html",
            words=receipt.words,
            digits=receipt.digits,
            report_id=filed.report_id,
            changed=changed,
        )
    )


def _drawn(
    form: ReportForm, token: FormToken | None, message: str = "", *, status: HTTPStatus = HTTPStatus.OK
) -> Response:
    """The form with everything typed, under its own token while that can still file."""
    now = runtime().clock.now()
    keeps = token is not None and FormTokens.is_fileable(token, now)
    text = token.text if token is not None and keeps else runtime().vault.form_tokens.issue(FORM, now)
    return make_response(
        render_template("reporting/filing/caller_form.html", form=form, token=text, message=message), status
    )
