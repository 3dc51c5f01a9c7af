"""Coming back with a receipt: see what became of the report, write, add, change one's mind, withdraw."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask_babel import format_date, gettext as _, lazy_gettext
from werkzeug.datastructures import MultiDict

from reporting.receipt import adding, withdrawal
from reporting.receipt.output_cards import by_kind, card_of
from reporting.receipt.schemas import MessageSchema, ReceiptSchema
from reporting.record import answer_labels, contents, conversation, output_kinds, outputs, queries
from reporting.record.contents import Contents
from reporting.record.models import Author, Report, ReportMessage
from reporting.record.report_form import ReportForm, posted_answers
from reporting.record.schemas import KEPT_SECTIONS
from ugly_mugs.accounts import sessions
from ugly_mugs.accounts.budgets import Budget
from ugly_mugs.accounts.guard import (
    anyone,
    browser_session,
    current_reporter,
    for_reporter,
    forget_reporter,
    reporter,
)
from ugly_mugs.accounts.models import SessionKind
from ugly_mugs.database.engine import db, forget_deleted
from ugly_mugs.errors import NotThere, PleaseWait
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import Receipt, TooLong, UnknownWord, WrongLength
from ugly_mugs.web.form_fields import Words
from ugly_mugs.web.forms import Form
from ugly_mugs.web.languages import page_language
from ugly_mugs.wiring import NavigationEntry

receipt = Blueprint("receipt", __name__, url_prefix="/receipt")

NAVIGATION = (NavigationEntry("public", 20, lazy_gettext("Come back"), "receipt.receipt_page"),)

RECEIPT_FORM: Final = "receipt"
TRIES: Final = 200
"""Nobody can guess ninety bits, so this only keeps machines off; a whole drop-in may share one address."""

_RECEIPT, _MESSAGE = ReceiptSchema(), MessageSchema()


@receipt.get("")
@anyone
def receipt_page() -> Response:
    message = ""
    if request.args.get("again"):
        message = _(
            "Nothing happened for a while, so your report was closed. Please type your receipt again."
        )
    return _asked(Form(_RECEIPT), message, HTTPStatus.OK)


@receipt.post("")
@anyone
def open_report() -> Response:
    vault, now = runtime().vault, runtime().clock.now()
    form = Form(_RECEIPT)
    typed_well = form.take(request.form)
    token = vault.form_tokens.read(RECEIPT_FORM, request.form.get("token", ""))
    if token is None or not vault.form_tokens.is_fileable(token, now):
        return _asked(form, _("This page had been open for a long time. Please send it once more."))
    own_receipt = _read(form) if typed_well else None
    if own_receipt is None:
        _spend_a_try()
        return _asked(form)
    opened = queries.report_of_receipt(own_receipt, vault)
    if opened is None:
        _spend_a_try()
        form.refuse("receipt", _("We know no report with this receipt. Please look at each word again."))
        return _asked(form)
    report, content_key = opened
    cookie = sessions.start(
        vault=vault,
        kind=SessionKind.REPORTER,
        owner_id=None,
        contents=for_reporter(report.id, content_key),
        now=now,
        replaces=browser_session(SessionKind.REPORTER),
    )
    db.session.commit()
    brought = posted_answers(request.form)
    if brought:
        response = _brought_along(cookie, brought)
    else:
        response = make_response(redirect(url_for("receipt.report_page"), HTTPStatus.SEE_OTHER))
    cookie.put(response)
    return response


@receipt.get("/report")
@reporter
def report_page() -> Response:
    return _overview(_here(), Form(_MESSAGE, prefix="message"))


@receipt.post("/message")
@reporter
def send_message() -> Response:
    here = _here(lock=True)
    form = Form(_MESSAGE, prefix="message")
    if not form.take(request.form):
        return _overview(here, form, HTTPStatus.BAD_REQUEST)
    adding.write_to_desk(
        report=here.report, text=form.values["text"], content_key=here.content_key, now=runtime().clock.now()
    )
    db.session.commit()
    return make_response(redirect(url_for("receipt.report_page", _anchor="messages"), HTTPStatus.SEE_OTHER))


@receipt.get("/add")
@reporter
def additions_page() -> Response:
    return _adding(ReportForm.of_additions(), _session_token())


@receipt.post("/add")
@reporter
def add_part() -> Response:
    form = ReportForm.of_additions()
    if form.asked_to_add(request.form):
        form.keep(request.form).offenders.add()
        return _adding(form, _session_token())
    if not form.take(request.form):
        return _adding(form, _session_token(), status=HTTPStatus.BAD_REQUEST)
    here = _here(lock=True)
    try:
        adding.add_part(
            report=here.report,
            contents_now=here.contents,
            sections=form.values,
            content_key=here.content_key,
            vault=runtime().vault,
            now=runtime().clock.now(),
        )
    except TooLong:
        form.refuse_length(_("All of it together is too long for us to keep. Please send it in two parts."))
        return _adding(form, _session_token(), status=HTTPStatus.BAD_REQUEST)
    db.session.commit()
    return make_response(redirect(url_for("receipt.report_page"), HTTPStatus.SEE_OTHER))


@receipt.get("/choices")
@reporter
def choices_page() -> str:
    return _choosing(ReportForm.of_choices().fill_consents(_here().contents.consents), _session_token())


@receipt.post("/choices")
@reporter
def change_choices() -> Response:
    here = _here(lock=True)
    form = ReportForm.of_choices()
    if not form.take(request.form):
        return make_response(_choosing(form, _session_token()), HTTPStatus.BAD_REQUEST)
    former, now = here.contents.consents, runtime().clock.now()
    adding.change_consents(
        report=here.report,
        former=former,
        new=form.consents(language=page_language(), day=now.date(), former=former),
        content_key=here.content_key,
        vault=runtime().vault,
        now=now,
    )
    db.session.commit()
    return make_response(redirect(url_for("receipt.report_page"), HTTPStatus.SEE_OTHER))


@receipt.post("/output")
@reporter
def decide_on_output() -> Response:
    """Let an output go, or hold it."""
    here = _here(lock=True)
    output = queries.output(here.report.id, request.form.get("output", ""))
    if output is None:
        raise NotThere
    if request.form.get("do") == "hold":
        outputs.hold(output)
    else:
        outputs.lift_hold(output, seen_digest=request.form.get("seen", ""))
    db.session.commit()
    return make_response(redirect(url_for("receipt.report_page"), HTTPStatus.SEE_OTHER))


@receipt.get("/withdraw")
@reporter
def withdrawal_page() -> str:
    here = _here()
    return render_template(
        "reporting/receipt/withdraw.html",
        kinds=output_kinds.registered(),
        cards=[card_of(each, content_key=here.content_key) for each in outputs.of_report(here.report.id)],
    )


@receipt.post("/withdraw")
@reporter
def withdraw() -> Response:
    withdrawal.withdraw(report=_here(lock=True).report, day=runtime().clock.now().date())
    db.session.commit()
    # The page says that it is gone now, so no log may still hold what was deleted.
    forget_deleted()
    forget_reporter()
    return make_response(redirect(url_for("receipt.gone_page"), HTTPStatus.SEE_OTHER))


@receipt.get("/gone")
@anyone
def gone_page() -> str:
    return render_template("reporting/receipt/gone.html")


@receipt.post("/close")
@anyone
def close() -> Response:
    forget_reporter()
    return make_response(redirect(url_for("receipt.receipt_page"), HTTPStatus.SEE_OTHER))


@dataclass(frozen=True)
class Here:
    """The report of whoever is here, opened for this one request."""

    report: Report
    contents: Contents
    content_key: bytes


def _here(*, lock: bool = False) -> Here:
    """NotThere when it was withdrawn meanwhile, in another tab or by the other one who has the receipt."""
    who = current_reporter()
    report = queries.locked_report(who.report_id) if lock else queries.report(who.report_id)
    if report is None or report.head is None:
        raise NotThere(_("This report is not here any more."))
    return Here(report, contents.open_with_key(report, who.content_key), who.content_key)


class Tries(Budget):
    """The wrong receipts that may still be typed, by the sender's address."""

    def __init__(self) -> None:
        super().__init__(TRIES, timedelta(minutes=10))


def _spend_a_try() -> None:
    """Charged for wrong ones only: a right receipt is never refused, whoever else tries from the same address.

    Ninety bits need no limit against guessing; this one keeps the machine free, and raises PleaseWait.
    """
    tries = runtime().state.of(Tries)
    if not tries.spend((request.remote_addr or "").encode(), runtime().clock.now()):
        raise PleaseWait


def _read(form: Form) -> Receipt | None:
    """The receipt typed; None, with a word that helps beside the field, when it cannot be one."""
    try:
        return Receipt.parse(form.values["receipt"])
    except UnknownWord as unknown:
        form.refuse("receipt", _unknown(unknown))
    except WrongLength as wrong:
        form.refuse("receipt", _wrong_length(wrong))
    return None


def _unknown(unknown: UnknownWord) -> Words:
    if unknown.word.isdecimal():
        return _("Group %(number)s of the digits cannot be right.", number=unknown.position)
    said = _(
        "Word %(number)s, “%(word)s”, is not one of our words.", number=unknown.position, word=unknown.word
    )
    if not unknown.suggestions:
        return said
    return said + " " + _("Could it be one of these: %(words)s?", words=", ".join(unknown.suggestions))


def _wrong_length(wrong: WrongLength) -> Words:
    if wrong.digits:
        return _(
            "There should be %(expected)s digits. These are %(found)s.",
            expected=wrong.expected,
            found=wrong.found,
        )
    return _(
        "There should be %(expected)s words. These are %(found)s.", expected=wrong.expected, found=wrong.found
    )


def _asked(form: Form, message: str = "", status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> Response:
    """The form for a receipt, and whatever was brought along from a report form."""
    page = render_template(
        "reporting/receipt/receipt.html",
        form=form,
        message=message,
        token=runtime().vault.form_tokens.issue(RECEIPT_FORM, runtime().clock.now()),
        carried=posted_answers(request.form),
    )
    return make_response(page, status)


def _overview(here: Here, form: Form, status: HTTPStatus = HTTPStatus.OK) -> Response:
    page = render_template(
        "reporting/receipt/report_page.html",
        report=here.report,
        received=format_date(here.report.received_on, "long"),
        parts=[
            (format_date(part.added_on, "long"), list(answer_labels.labelled_sections(part.sections)))
            for part in here.contents.parts
        ],
        kinds=by_kind(
            outputs.of_report(here.report.id),
            consents=here.contents.consents,
            content_key=here.content_key,
        ),
        thread=[_said(each, here.content_key) for each in queries.messages(here.report.id)],
        allowed=answer_labels.of_consents(here.contents.consents),
        form=form,
    )
    return make_response(page, status)


def _said(message: ReportMessage, content_key: bytes) -> Mapping[str, Any]:
    mine = message.author is Author.REPORTER
    return {
        "who": _("You") if mine else _("The desk"),
        "when": format_date(message.sent_on, "long"),
        "text": conversation.open_message(message, content_key),
        "mine": mine,
    }


def _choosing(form: ReportForm, csrf: str, *, brought: bool = False) -> str:
    return render_template("reporting/receipt/choices.html", form=form, csrf=csrf, brought=brought)


def _adding(
    form: ReportForm, csrf: str, *, brought: bool = False, status: HTTPStatus = HTTPStatus.OK
) -> Response:
    return make_response(
        render_template("reporting/receipt/add.html", form=form, csrf=csrf, brought=brought), status
    )


def _session_token() -> str:
    """What forms of this session carry; here by hand, because one page is drawn by the request that begins it."""
    found = browser_session(SessionKind.REPORTER)
    assert found is not None
    return runtime().vault.csrf(found.token)


def _brought_along(cookie: sessions.Cookie, brought: list[tuple[str, str]]) -> Response:
    """What was typed into a form that had filed before, ready to be added, or allowed."""
    vault, now = runtime().vault, runtime().clock.now()
    found = sessions.find(vault=vault, kind=SessionKind.REPORTER, cookie=cookie.value, now=now)
    assert found is not None
    csrf, typed = vault.csrf(found.token), MultiDict(brought)
    if posted_answers(typed, KEPT_SECTIONS):
        return _adding(ReportForm.of_additions().keep(typed), csrf, brought=True)
    return make_response(_choosing(ReportForm.of_choices().keep(typed), csrf, brought=True))
