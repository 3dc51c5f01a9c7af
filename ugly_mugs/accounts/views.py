"""Pages for signing in and out at the desk, and for changing the passphrase."""

from http import HTTPStatus

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _, lazy_gettext

from ugly_mugs.accounts import passphrases, queries, sessions, sign_in
from ugly_mugs.accounts.budgets import limits, please_wait
from ugly_mugs.accounts.guard import anyone, browser_session, current_staff, forget, staff
from ugly_mugs.accounts.models import SessionKind, Staff, StaffState
from ugly_mugs.accounts.navigation import first_page
from ugly_mugs.accounts.people import enrolment
from ugly_mugs.accounts.permissions import permissions_of
from ugly_mugs.accounts.schemas import NewPassphraseSchema, PassphraseSchema, SignInSchema
from ugly_mugs.accounts.tokens import token_is_valid, with_token
from ugly_mugs.database.engine import brief_reading, db
from ugly_mugs.errors import PleaseWait
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import Busy
from ugly_mugs.vault.words import squeezed
from ugly_mugs.web.forms import Form
from ugly_mugs.web.redirects import see_other
from ugly_mugs.wiring import NavigationEntry

accounts = Blueprint("accounts", __name__)

NAVIGATION = (NavigationEntry("desk", 50, lazy_gettext("My account"), "accounts.account_page"),)

SIGN_IN = "desk-sign-in"


@accounts.get("/desk/sign-in")
@anyone
def sign_in_page() -> str:
    return _sign_in_page(Form(SignInSchema()), again="again" in request.args)


def _sign_in_page(form: Form, *, problem: str = "", again: bool = False) -> str:
    form = with_token(SIGN_IN, form)
    return render_template("accounts/sign_in.html", form=form, problem=problem, again=again)


def _sign_in_again(form: Form, problem: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> Response:
    db.session.rollback()
    # The form comes back with the name, but without passphrase and code.
    return make_response(_sign_in_page(form.fill({"code": ""}), problem=problem), status)


@accounts.post("/desk/sign-in")
@anyone
def sign_in_staff() -> Response:
    form = Form(SignInSchema())
    if not form.take(request.form):
        return _sign_in_again(form, "")
    if not token_is_valid(SIGN_IN, form):
        return _sign_in_again(form, _("This page was open for a long time. Please sign in from here."))
    vault, now = runtime().vault, runtime().clock.now()
    device, former = request.cookies.get(sessions.cookie_name("device")), browser_session(SessionKind.STAFF)
    # Proving is slow, so no transaction is open meanwhile.
    with brief_reading():
        candidate = sign_in.look_up(vault=vault, login=form.values["login"], device=device)
    try:
        proof = _prove(candidate, passphrase=form.values["passphrase"], code=form.values["code"])
    except (PleaseWait, Busy):
        return _sign_in_again(form, please_wait(), HTTPStatus.TOO_MANY_REQUESTS)
    new_session = (
        sign_in.begin(proof, vault=vault, device=device, replaces=former, now=now) if proof else None
    )
    if new_session is None:
        return _sign_in_again(
            form,
            _(
                "That did not fit together. Please check all three; each code from the authenticator works once."
            ),
        )
    response = make_response(redirect(_first_page(new_session.person), HTTPStatus.SEE_OTHER))
    db.session.commit()
    new_session.cookie.put(response)
    sessions.put_device(response, new_session.device)
    return response


def _first_page(person: Staff) -> str:
    if person.state is not StaffState.ACTIVE:
        return url_for("staff_joining.join_page")
    return first_page("desk", permissions_of(queries.roles_of(person)))


def _prove(candidate: sign_in.Candidate, *, passphrase: str, code: str) -> sign_in.Proof | None:
    now, known = runtime().clock.now(), candidate.device
    is_within_budget = (
        limits().device.spend(known, now) if known else limits().account.spend(candidate.account, now)
    )
    if not is_within_budget:
        raise PleaseWait
    with (limits().known if known else limits().strangers).slot():
        return sign_in.prove(candidate, vault=runtime().vault, passphrase=passphrase, code=code, now=now)


@accounts.post("/desk/sign-out")
@staff()
def sign_out() -> Response:
    forget(SessionKind.STAFF)
    return see_other("accounts.sign_in_page")


@accounts.get("/desk/account")
@staff()
def account_page() -> str:
    return _account_page()


def _account_page(form: Form | None = None, problem: str = "") -> str:
    """Asks for the old passphrase first, then shows the new one, to be written down and typed."""
    session = browser_session(SessionKind.STAFF)
    drawn = session.contents.get("new_passphrase") if session else None
    form = form or Form(NewPassphraseSchema() if drawn else PassphraseSchema())
    return render_template("accounts/account.html", form=form, problem=problem, drawn=drawn)


def _account_again(form: Form, problem: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> Response:
    db.session.rollback()
    return make_response(_account_page(form, problem), status)


@accounts.post("/desk/account")
@staff()
def draw_passphrase() -> Response:
    """Draw a new passphrase after the old one was typed; it takes effect when it has been typed as well."""
    form, me, session = Form(PassphraseSchema()), current_staff(), browser_session(SessionKind.STAFF)
    if not form.take(request.form) or session is None:
        return _account_again(form, "")
    vault, now = runtime().vault, runtime().clock.now()
    if not limits().account.spend(me.id.bytes, now):
        return _account_again(form, please_wait(), HTTPStatus.TOO_MANY_REQUESTS)
    with brief_reading():
        person = db.session.get(Staff, me.id)
        sealed_key = person.private_key if person is not None else None
    try:
        with limits().known.slot():
            right = sealed_key is not None and passphrases.is_right(
                vault=vault, person_id=me.id, sealed_key=sealed_key, passphrase=form.values["passphrase"]
            )
    except (PleaseWait, Busy):
        return _account_again(form, please_wait(), HTTPStatus.TOO_MANY_REQUESTS)
    if not right:
        return _account_again(form, _("This is not your passphrase."))
    contents = {**session.contents, "new_passphrase": enrolment.prepare().passphrase}
    sessions.replace_contents(session, contents, vault=vault, now=now)
    db.session.commit()
    return see_other("accounts.account_page")


@accounts.post("/desk/account/passphrase")
@staff()
def change_passphrase() -> Response:
    form, me, session = Form(NewPassphraseSchema()), current_staff(), browser_session(SessionKind.STAFF)
    drawn = session.contents.get("new_passphrase") if session else None
    if drawn is None:
        return see_other("accounts.account_page")
    if not form.take(request.form):
        return _account_again(form, "")
    if squeezed(form.values["passphrase"]) != squeezed(drawn):
        return _account_again(form, _("These are not the six words above. Your old passphrase still counts."))
    vault, now = runtime().vault, runtime().clock.now()
    try:
        with limits().known.slot():
            sealed = passphrases.reseal_key(vault=vault, person_id=me.id, key=me.key, passphrase=drawn)
    except (PleaseWait, Busy):
        return _account_again(form, please_wait(), HTTPStatus.TOO_MANY_REQUESTS)
    cookie = passphrases.change(vault=vault, person_id=me.id, key=me.key, sealed=sealed, now=now)
    db.session.commit()
    return cookie.put(see_other("accounts.account_page", changed="yes"))
