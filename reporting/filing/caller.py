"""The desk's door: a moderator fills in the form for a caller, and reads the receipt on the next page out to them."""

from flask import Blueprint, Response, make_response, render_template
from flask_babel import gettext as _

from reporting.filing import batch_commit, resubmission
from reporting.filing.posted_form import PostedForm, form_page
from reporting.record import queries
from reporting.record.form_sections import ReportForm
from reporting.record.models import Source
from ugly_mugs.accounts.guard import Permission, current_staff, staff
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import TooLong

caller = Blueprint("caller", __name__, url_prefix="/desk")

PAGE = "reporting/filing/caller_form.html"


@caller.get("/reports/new")
@staff(Permission.FILE_FOR_CALLER)
def caller_page() -> Response:
    return form_page(PAGE, ReportForm())


@caller.post("/reports/new")
@staff(Permission.FILE_FOR_CALLER)
def file_report() -> Response:
    posted, vault = PostedForm(PAGE), runtime().vault
    if not posted.complete:
        return posted.page()
    if not posted.fileable:
        return posted.page(
            _("This page had been open for a long time. Please look it over and send it once more.")
        )
    submission = posted.submission(Source.DESK, filed_by=current_staff().id)
    try:
        filed = batch_commit.file(submission, vault=vault)
    except TooLong:
        return posted.too_long(
            _("This is too long to keep. File a part now and add the rest with the receipt.")
        )
    former = queries.report(filed.report_id) if filed.was_filed_before else None
    page = render_template(
        "reporting/filing/caller_filed.html",
        words=posted.receipt.words,
        digits=posted.receipt.digits,
        report_id=filed.report_id,
        changed=former is not None and resubmission.changes_answers(former, submission, vault=vault),
    )
    return make_response(page)
