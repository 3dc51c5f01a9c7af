"""The reporter's pages behind a receipt: status, messages, additions, consents, outputs, withdrawal."""

from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

from flask import Blueprint, Response, make_response, render_template, request
from flask_babel import format_date, gettext as _, lazy_gettext
from werkzeug.datastructures import MultiDict

from reporting.receipt import adding, withdrawal
from reporting.receipt.output_cards import by_kind, card_of
from reporting.receipt.schemas import MessageSchema, ReceiptSchema
from reporting.record import answer_labels, contents, conversation, output_kinds, outputs, queries
from reporting.record.form_sections import ReportForm, posted_answers
from reporting.record.models import Author, ReportMessage
from reporting.record.opening import OpenedReport
from reporting.record.schemas import KEPT_SECTIONS
from ugly_mugs.accounts import sessions
from ugly_mugs.accounts.budgets import Budget
from ugly_mugs.accounts.guard import (
    anyone,
    browser_session,
    current_reporter,
    forget,
    reporter,
    reporter_session_contents,
)
from ugly_mugs.accounts.models import SessionKind
from ugly_mugs.database.engine import db, forget_deleted
from ugly_mugs.errors import NotThere, PleaseWait, or_not_there
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import Receipt, TooLong, UnknownWord, WrongLength
from ugly_mugs.web.form_fields import Words
from ugly_mugs.web.forms import Form
from ugly_mugs.web.page_language import page_language
from ugly_mugs.web.redirects import see_other
from ugly_mugs.wiring import NavigationEntry

receipt = Blueprint("receipt", __name__, url_prefix="/receipt")

NAVIGATION = (NavigationEntry("public", 20, lazy_gettext("Come back"), "receipt.receipt_page"),)

RECEIPT_FORM: Final = "receipt"
MOST_WRONG_RECEIPTS: Final = 200
"""Per address and ten minutes. A receipt has 90 bits and cannot be guessed, so this only limits load; it is high
because many people, such as a whole drop-in centre, may share one address."""

_RECEIPT, _MESSAGE = ReceiptSchema(), MessageSchema()


@receipt.get("")
@anyone
def receipt_page() -> Response:
    message = ""
    if request.args.get("again"):
        message = _(
            "Nothing happened for a while, so your report was closed. Please type your receipt again."
        )
    return _draw_receipt_page(Form(_RECEIPT), message, HTTPStatus.OK)


@receipt.post("")
@anyone
def open_report() -> Response:
    vault, now = runtime().vault, runtime().clock.now()
    form = Form(_RECEIPT)
    valid = form.take(request.form)
    token = vault.form_tokens.read(RECEIPT_FORM, request.form.get("token", ""))
    if token is None or not vault.form_tokens.is_fileable(token, now):
        return _draw_receipt_page(
            form, _("This page had been open for a long time. Please send it once more.")
        )
    own_receipt = _typed_receipt(form) if valid else None
    if own_receipt is None:
        _count_wrong_receipt()
        return _draw_receipt_page(form)
    opened = queries.report_of_receipt(own_receipt, vault)
    if opened is None:
        _count_wrong_receipt()
        form.refuse("receipt", _("We know no report with this receipt. Please look at each word again."))
        return _draw_receipt_page(form)
    report, content_key = opened
    cookie = sessions.start(
        vault=vault,
        kind=SessionKind.REPORTER,
        owner_id=None,
        contents=reporter_session_contents(report.id, content_key),
        now=now,
        replaces=browser_session(SessionKind.REPORTER),
    )
    db.session.commit()
    answers = posted_answers(request.form)
    if answers:
        return cookie.put(_draw_prefilled_page(cookie, answers))
    return cookie.put(see_other("receipt.report_page"))


@receipt.get("/report")
@reporter
def report_page() -> Response:
    return _draw_report_page(_current_report(), Form(_MESSAGE, prefix="message"))


@receipt.post("/message")
@reporter
def send_message() -> Response:
    current = _current_report(lock=True)
    form = Form(_MESSAGE, prefix="message")
    if not form.take(request.form):
        return _draw_report_page(current, form, HTTPStatus.BAD_REQUEST)
    adding.write_to_desk(
        report=current.report,
        text=form.values["text"],
        content_key=current.content_key,
        now=runtime().clock.now(),
    )
    db.session.commit()
    return see_other("receipt.report_page", _anchor="messages")


@receipt.get("/add")
@reporter
def additions_page() -> Response:
    return _draw_additions_page(ReportForm.of_additions(), _session_token())


@receipt.post("/add")
@reporter
def add_part() -> Response:
    form = ReportForm.of_additions()
    if form.asked_to_add(request.form):
        form.keep(request.form).offenders.add()
        return _draw_additions_page(form, _session_token())
    if not form.take(request.form):
        return _draw_additions_page(form, _session_token(), status=HTTPStatus.BAD_REQUEST)
    current = _current_report(lock=True)
    try:
        adding.add_part(
            report=current.report,
            contents_now=current.contents,
            sections=form.values,
            content_key=current.content_key,
            vault=runtime().vault,
            now=runtime().clock.now(),
        )
    except TooLong:
        form.refuse_length(_("All of it together is too long for us to keep. Please send it in two parts."))
        return _draw_additions_page(form, _session_token(), status=HTTPStatus.BAD_REQUEST)
    db.session.commit()
    return see_other("receipt.report_page")


@receipt.get("/choices")
@reporter
def choices_page() -> str:
    return _draw_choices_page(
        ReportForm.of_choices().fill_consents(_current_report().contents.consents), _session_token()
    )


@receipt.post("/choices")
@reporter
def change_choices() -> Response:
    current = _current_report(lock=True)
    form = ReportForm.of_choices()
    if not form.take(request.form):
        return make_response(_draw_choices_page(form, _session_token()), HTTPStatus.BAD_REQUEST)
    former, now = current.contents.consents, runtime().clock.now()
    adding.change_consents(
        report=current.report,
        former=former,
        new=form.consents(language=page_language(), day=now.date(), former=former),
        content_key=current.content_key,
        vault=runtime().vault,
        now=now,
    )
    db.session.commit()
    return see_other("receipt.report_page")


@receipt.post("/output")
@reporter
def decide_on_output() -> Response:
    """Hold an output, or lift its hold."""
    current = _current_report(lock=True)
    output = or_not_there(queries.output(current.report.id, request.form.get("output", "")))
    if request.form.get("do") == "hold":
        outputs.hold(output)
    else:
        outputs.lift_hold(output, seen_digest=request.form.get("seen", ""))
    db.session.commit()
    return see_other("receipt.report_page")


@receipt.get("/withdraw")
@reporter
def withdrawal_page() -> str:
    current = _current_report()
    return render_template(
        "reporting/receipt/withdraw.html",
        kinds=output_kinds.registered(),
        cards=[
            card_of(output, content_key=current.content_key)
            for output in outputs.of_report(current.report.id)
        ],
    )


@receipt.post("/withdraw")
@reporter
def withdraw() -> Response:
    withdrawal.withdraw(report=_current_report(lock=True).report, day=runtime().clock.now().date())
    db.session.commit()
    # The next page says that the report is gone, so the database's log must not keep the deleted data either.
    forget_deleted()
    forget(SessionKind.REPORTER)
    return see_other("receipt.gone_page")


@receipt.get("/gone")
@anyone
def gone_page() -> str:
    return render_template("reporting/receipt/gone.html")


@receipt.post("/close")
@anyone
def close() -> Response:
    forget(SessionKind.REPORTER)
    return see_other("receipt.receipt_page")


def _current_report(*, lock: bool = False) -> OpenedReport:
    """NotThere when it was withdrawn meanwhile, in another tab or by another person with the receipt."""
    session = current_reporter()
    report = queries.locked_report(session.report_id) if lock else queries.report(session.report_id)
    if report is None or report.head is None:
        raise NotThere(_("This report is not here any more."))
    return OpenedReport(report, session.content_key, contents.open_with_key(report, session.content_key))


class WrongReceipts(Budget):
    """The number of wrong receipts that each address may still send."""

    def __init__(self) -> None:
        super().__init__(MOST_WRONG_RECEIPTS, timedelta(minutes=10))


def _count_wrong_receipt() -> None:
    """Count one wrong receipt for the sender's address; PleaseWait when its budget is used up.

    Correct receipts are not counted, so other people at the same address cannot lock a reporter out.
    """
    budget = runtime().process_state.of(WrongReceipts)
    if not budget.spend((request.remote_addr or "").encode(), runtime().clock.now()):
        raise PleaseWait


def _typed_receipt(form: Form) -> Receipt | None:
    """The typed receipt; None, with an error message at the field, when it cannot be a receipt."""
    try:
        return Receipt.parse(form.values["receipt"])
    except UnknownWord as unknown:
        form.refuse("receipt", _unknown_word_message(unknown))
    except WrongLength as wrong:
        form.refuse("receipt", _wrong_length_message(wrong))
    return None


def _unknown_word_message(unknown: UnknownWord) -> Words:
    if unknown.word.isdecimal():
        return _("Group %(number)s of the digits cannot be right.", number=unknown.position)
    message = _(
        "Word %(number)s, “%(word)s”, is not one of our words.", number=unknown.position, word=unknown.word
    )
    if not unknown.suggestions:
        return message
    return message + " " + _("Could it be one of these: %(words)s?", words=", ".join(unknown.suggestions))


def _wrong_length_message(wrong: WrongLength) -> Words:
    if wrong.digits:
        return _(
            "There should be %(expected)s digits. These are %(found)s.",
            expected=wrong.expected,
            found=wrong.found,
        )
    return _(
        "There should be %(expected)s words. These are %(found)s.", expected=wrong.expected, found=wrong.found
    )


def _draw_receipt_page(
    form: Form, message: str = "", status: HTTPStatus = HTTPStatus.BAD_REQUEST
) -> Response:
    """The form for a receipt, with the answers of a report form as hidden fields."""
    page = render_template(
        "reporting/receipt/receipt.html",
        form=form,
        message=message,
        token=runtime().vault.form_tokens.issue(RECEIPT_FORM, runtime().clock.now()),
        posted_answers=posted_answers(request.form),
    )
    return make_response(page, status)


def _draw_report_page(current: OpenedReport, form: Form, status: HTTPStatus = HTTPStatus.OK) -> Response:
    page = render_template(
        "reporting/receipt/report_page.html",
        report=current.report,
        received=format_date(current.report.received_on, "long"),
        parts=[
            (format_date(part.added_on, "long"), list(answer_labels.labelled_sections(part.sections)))
            for part in current.contents.parts
        ],
        kinds=by_kind(
            outputs.of_report(current.report.id),
            consents=current.contents.consents,
            content_key=current.content_key,
        ),
        messages=[
            _message_row(message, current.content_key) for message in queries.messages(current.report.id)
        ],
        allowed=answer_labels.of_consents(current.contents.consents),
        form=form,
    )
    return make_response(page, status)


def _message_row(message: ReportMessage, content_key: bytes) -> Mapping[str, Any]:
    by_reporter = message.author is Author.REPORTER
    who = _("You") if by_reporter else _("The desk")
    return conversation.shown(message, content_key, who=who, mine=by_reporter)


def _draw_choices_page(form: ReportForm, csrf: str, *, prefilled: bool = False) -> str:
    return render_template("reporting/receipt/choices.html", form=form, csrf=csrf, prefilled=prefilled)


def _draw_additions_page(
    form: ReportForm, csrf: str, *, prefilled: bool = False, status: HTTPStatus = HTTPStatus.OK
) -> Response:
    return make_response(
        render_template("reporting/receipt/add.html", form=form, csrf=csrf, prefilled=prefilled), status
    )


def _session_token() -> str:
    """The CSRF token of the session.

    Given to templates explicitly, because `_draw_prefilled_page` draws a page in the request that starts the session.
    """
    session = browser_session(SessionKind.REPORTER)
    assert session is not None
    return runtime().vault.csrf(session.token)


def _draw_prefilled_page(cookie: sessions.Cookie, answers: list[tuple[str, str]]) -> Response:
    """The form for additions, or for consents, filled with the answers of a report form that had filed before."""
    vault, now = runtime().vault, runtime().clock.now()
    session = sessions.find(vault=vault, kind=SessionKind.REPORTER, cookie=cookie.value, now=now)
    assert session is not None
    csrf, typed = vault.csrf(session.token), MultiDict(answers)
    if posted_answers(typed, KEPT_SECTIONS):
        return _draw_additions_page(ReportForm.of_additions().keep(typed), csrf, prefilled=True)
    return make_response(_draw_choices_page(ReportForm.of_choices().keep(typed), csrf, prefilled=True))
