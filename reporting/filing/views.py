"""The report form: no account, no cookie, no script; the answer to a sent report is its receipt."""

from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request
from flask_babel import gettext as _, lazy_gettext
from sqlalchemy.exc import DBAPIError, TimeoutError as PoolTimeout

from reporting.filing import batch_commit, desk_key, page_cache, resubmission, submission
from reporting.filing.resubmission import Standing
from reporting.filing.submission import FORM
from reporting.receipt.views import RECEIPT_FORM
from reporting.record import queries
from reporting.record.models import Report, Source
from reporting.record.report_form import ReportForm, carried
from reporting.record.schemas import CONSENT_SECTIONS, KEPT_SECTIONS
from ugly_mugs.accounts.guard import anyone
from ugly_mugs.database.engine import db, reading, writing
from ugly_mugs.errors import not_saved
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import FormToken, FormTokens, Receipt, TooLong
from ugly_mugs.web.languages import page_language
from ugly_mugs.wiring import NavigationEntry

filing = Blueprint("filing", __name__)

NAVIGATION = (
    NavigationEntry("public", 10, lazy_gettext("Tell us"), "filing.report_page"),
    NavigationEntry("member", 20, lazy_gettext("Tell us"), "filing.report_page"),
)


@filing.get("/report")
@anyone
def report_page() -> Response:
    token = runtime().vault.form_tokens.issue(FORM, runtime().clock.now())
    return page_cache.spliced(
        "reporting/filing/report.html",
        {"token": token},
        lambda: {"form": ReportForm(), "message": ""},
        compress=True,
    )


@filing.post("/report")
@anyone
def send_report() -> Response:
    form = ReportForm()
    token = runtime().vault.form_tokens.read(FORM, request.form.get("token", ""))
    if form.asked_to_add(request.form):
        form.keep(request.form).offenders.add()
        return _drawn(form, token)
    good = form.take(request.form)
    if token is None:
        return _drawn(form, None, _("Please send it once more: this page had come from somewhere else."))
    try:
        return _sent(form, token, good=good)
    except (DBAPIError, PoolTimeout) as error:
        # Answered here rather than for the whole service, so that the questions stand around the answers again.
        return _drawn(form, token, not_saved(error), HTTPStatus.SERVICE_UNAVAILABLE)


def _sent(form: ReportForm, token: FormToken, *, good: bool) -> Response:
    """File it, or say what this form is instead; a good and young one is not looked up first, only inserted."""
    vault, now = runtime().vault, runtime().clock.now()
    own_receipt = vault.receipts.from_form_token(token)
    if good and FormTokens.is_fileable(token, now):
        try:
            if _filed(form, own_receipt):
                return _receipt_page(own_receipt)
        except TooLong:
            message = _(
                "All of it together is too long for us to keep. Send a part now and add the rest later."
            )
            form.refuse_length(message)
            return _drawn(form, token)
    with reading():
        former = queries.report_at(vault.receipts.locator(own_receipt))
        standing = resubmission.standing(token, former, now)
        if former is not None and standing in (Standing.JUST_FILED, Standing.FILED_BEFORE):
            return _filed_already(form, own_receipt, former, standing, good=good)
        db.session.rollback()
    if standing is Standing.TOO_OLD:
        message = _("This page had been open for a long time. Please look it over and send it once more.")
        return _drawn(form, None, message)
    if standing is Standing.GONE:
        message = _("What this page had sent is not here any more. Sent again, it is a new report.")
        return _drawn(form, None, message)
    return _drawn(form, token)


def _filed(form: ReportForm, own_receipt: Receipt) -> bool:
    """Whether the report is filed by this request; False when its receipt had filed before."""
    vault, now = runtime().vault, runtime().clock.now()
    key = desk_key.at_hand(vault)
    consents = form.consents(language=page_language(), day=now.date())

    def sealed_to(key: desk_key.Key) -> submission.Sealed:
        return submission.seal_report(
            vault=vault,
            epoch_id=key[0],
            epoch_public=key[1],
            receipt=own_receipt,
            source=Source.REPORTER,
            sections=form.values,
            consents=consents,
            now=now,
        )

    with writing():
        return not batch_commit.file(key, sealed_to, vault).already


def _receipt_page(own_receipt: Receipt) -> Response:
    """The receipt, and the way in with it; nothing else on the page is the reporter's."""
    token = runtime().vault.form_tokens.issue(RECEIPT_FORM, runtime().clock.now())
    values = {"words": own_receipt.words, "digits": own_receipt.digits, "token": token}
    return page_cache.spliced("reporting/filing/filed.html", values)


def _filed_already(
    form: ReportForm, own_receipt: Receipt, former: Report, standing: Standing, *, good: bool
) -> Response:
    """The form had filed before. Whatever stands in it that was not sent then can be added, never filed again."""
    vault, now = runtime().vault, runtime().clock.now()
    told = allowed = not good
    if good:
        consents = form.consents(language=page_language(), day=now.date())
        told = resubmission.differs(former, own_receipt, sections=form.values, vault=vault)
        allowed = resubmission.allows_otherwise(former, own_receipt, consents=consents, vault=vault)
    db.session.rollback()
    if standing is Standing.JUST_FILED and not told and not allowed:
        return _receipt_page(own_receipt)
    changed = (KEPT_SECTIONS if told else ()) + (CONSENT_SECTIONS if allowed else ())
    page = render_template(
        "reporting/filing/filed_before.html",
        token=vault.form_tokens.issue(RECEIPT_FORM, now),
        shown=own_receipt if standing is Standing.JUST_FILED else None,
        told=told,
        allowed=allowed,
        carried=carried(request.form, changed),
    )
    return make_response(page)


def _drawn(
    form: ReportForm, token: FormToken | None, message: Any = "", status: HTTPStatus | None = None
) -> Response:
    """The form again with everything typed, under its own token while that can still file."""
    now = runtime().clock.now()
    keeps = token is not None and FormTokens.is_fileable(token, now)
    text = token.text if token is not None and keeps else runtime().vault.form_tokens.issue(FORM, now)
    page = render_template("reporting/filing/report.html", form=form, token=text, message=message)
    wrong = bool(message or form.problems())
    return make_response(page, status or (HTTPStatus.BAD_REQUEST if wrong else HTTPStatus.OK))
