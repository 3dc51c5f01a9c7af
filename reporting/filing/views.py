"""The public door: a form without account, cookie or script; the answer to a filed report is its receipt."""

from http import HTTPStatus

from flask import Blueprint, Response, make_response, render_template, request
from flask_babel import gettext as _, lazy_gettext
from sqlalchemy.exc import DBAPIError, TimeoutError as PoolTimeout

from reporting.filing import batch_commit, page_cache, resubmission
from reporting.filing.posted_form import PostedForm, fresh_token
from reporting.filing.resubmission import FormState
from reporting.filing.submission import Submission
from reporting.receipt.views import RECEIPT_FORM
from reporting.record import queries
from reporting.record.form_sections import ReportForm, posted_answers
from reporting.record.models import Report, Source
from reporting.record.schemas import CONSENT_SECTIONS, KEPT_SECTIONS
from ugly_mugs.accounts.guard import anyone
from ugly_mugs.database.engine import brief_reading
from ugly_mugs.errors import not_saved
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import FormToken, Receipt, TooLong
from ugly_mugs.wiring import NavigationEntry

filing = Blueprint("filing", __name__)

NAVIGATION = (
    NavigationEntry("public", 10, lazy_gettext("Tell us"), "filing.report_page"),
    NavigationEntry("member", 20, lazy_gettext("Tell us"), "filing.report_page"),
)

PAGE = "reporting/filing/form.html"


@filing.get("/report")
@anyone
def report_page() -> Response:
    values = {"token": fresh_token()}
    return page_cache.page(PAGE, values, lambda: {"form": ReportForm(), "message": ""}, compress=True)


@filing.post("/report")
@anyone
def send_report() -> Response:
    posted = PostedForm(PAGE)
    if posted.adds_person:
        return posted.page()
    if posted.token is None:
        return posted.page(_("Please send it once more: this page had come from somewhere else."))
    try:
        return _answer(posted, posted.token)
    except (DBAPIError, PoolTimeout) as error:
        # Not left to the error handler of the whole service, whose page would lose everything typed.
        return posted.page(not_saved(error), HTTPStatus.SERVICE_UNAVAILABLE)


def _answer(posted: PostedForm, token: FormToken) -> Response:
    """File the form, or say why not. A form that can be filed is inserted without looking its receipt up first."""
    submission = posted.submission(Source.REPORTER) if posted.complete else None
    if submission is not None and posted.fileable:
        try:
            if not batch_commit.file(submission, vault=runtime().vault).was_filed_before:
                return _receipt_page(posted.receipt)
        except TooLong:
            return posted.too_long(
                _("All of it together is too long for us to keep. Send a part now and add the rest later.")
            )
    with brief_reading():
        former = queries.report_at(runtime().vault.receipts.locator(posted.receipt))
        state = resubmission.state_of(token, former, posted.now)
        if former is not None and state is not FormState.WITHDRAWN:
            return _filed_already(posted.receipt, former, state, submission)
    if state is FormState.TOO_OLD:
        return posted.page(
            _("This page had been open for a long time. Please look it over and send it once more.")
        )
    if state is FormState.WITHDRAWN:
        return posted.page(
            _("What this page had sent is not here any more. Sent again, it is a new report."),
            fresh_token=True,
        )
    return posted.page()


def _receipt_page(own_receipt: Receipt) -> Response:
    """The receipt, and a button that opens the report with it; the page holds nothing else of the reporter's."""
    token = runtime().vault.form_tokens.issue(RECEIPT_FORM, runtime().clock.now())
    values = {"words": own_receipt.words, "digits": own_receipt.digits, "token": token}
    return page_cache.page("reporting/filing/filed.html", values)


def _filed_already(
    own_receipt: Receipt, former: Report, state: FormState, submission: Submission | None
) -> Response:
    """The form filed before and is not filed again. What changed in it since can be added to the report.

    `submission` is None when an answer is wrong; then everything counts as changed.
    """
    vault = runtime().vault
    answers = submission is None or resubmission.changes_answers(former, submission, vault=vault)
    consents = submission is None or resubmission.changes_consents(former, submission, vault=vault)
    if state is FormState.JUST_FILED and not answers and not consents:
        return _receipt_page(own_receipt)
    changed = (KEPT_SECTIONS if answers else ()) + (CONSENT_SECTIONS if consents else ())
    page = render_template(
        "reporting/filing/filed_before.html",
        token=vault.form_tokens.issue(RECEIPT_FORM, runtime().clock.now()),
        receipt=own_receipt if state is FormState.JUST_FILED else None,
        answers_changed=answers,
        consents_changed=consents,
        carried=posted_answers(request.form, changed),
    )
    return make_response(page)
