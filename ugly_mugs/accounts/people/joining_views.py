"""Pages for joining the desk: the invitation code, then passphrase and authenticator, then the six words.

Between the steps the data is in the browser's session, sealed under its cookie.
"""

import base64
import uuid
from http import HTTPStatus
from typing import Any

import segno
from flask import Blueprint, Response, make_response, render_template, request
from flask_babel import gettext as _
from markupsafe import Markup

from ugly_mugs.accounts import queries, sessions
from ugly_mugs.accounts.budgets import limits, please_wait
from ugly_mugs.accounts.guard import anyone, browser_session
from ugly_mugs.accounts.models import SessionKind, Staff, StaffState
from ugly_mugs.accounts.people import enrolment
from ugly_mugs.accounts.schemas import AuthenticatorSchema, InvitationSchema
from ugly_mugs.accounts.tokens import token_is_valid, with_token
from ugly_mugs.database.engine import db
from ugly_mugs.errors import NotThere, PleaseWait
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import Busy, totp
from ugly_mugs.vault.encoding import from_text, to_text
from ugly_mugs.web.forms import Form
from ugly_mugs.web.redirects import see_other

staff_joining = Blueprint("staff_joining", __name__)

JOIN = "desk-join"


@staff_joining.get("/desk/join")
@anyone
def join_page() -> str:
    return _join_page()


def _join_page(form: Form | None = None, problem: str = "") -> str:
    """The page of the step that this browser has reached: code, passphrase and authenticator, or six words."""
    contents = _joining()
    if "joined" in contents:
        person = db.session.get(Staff, uuid.UUID(hex=contents["joined"]))
        if person is None or person.public_key is None:
            raise NotThere
        key = queries.public_key_of(person, vault=runtime().vault)
        return render_template(
            "accounts/people/joined.html", words=key.words(), waits=person.state is StaffState.WAITING
        )
    if "joining" in contents:
        prepared = _prepared(contents)
        form = with_token(JOIN, form or Form(AuthenticatorSchema()))
        return render_template(
            "accounts/people/join_keys.html",
            form=form,
            problem=problem,
            **_authenticator(contents["login"], prepared),
        )
    form = with_token(JOIN, form or Form(InvitationSchema()))
    return render_template("accounts/people/join.html", form=form, problem=problem)


def _joining() -> dict[str, Any]:
    """The session contents of somebody who is joining; empty for everybody else."""
    session = browser_session(SessionKind.STAFF)
    return {} if session is None or session.owner_id is not None else dict(session.contents)


def _prepared(contents: dict[str, Any]) -> enrolment.Prepared:
    return enrolment.Prepared(contents["passphrase"], from_text(contents["totp"], totp.SECRET) or b"")


def _authenticator(login: str, prepared: enrolment.Prepared) -> dict[str, Any]:
    """The secret as text and as a QR code, an SVG without inline styles, which the Content-Security-Policy forbids."""
    uri = totp.uri(prepared.totp_secret, login, runtime().settings.site_name)
    picture = segno.make(uri, error="m").svg_inline(
        scale=5, dark="#000", light="#fff", title=_("Picture for your authenticator")
    )
    letters = base64.b32encode(prepared.totp_secret).decode().rstrip("=")
    secret = " ".join(letters[start : start + 4] for start in range(0, len(letters), 4))
    shown = {"login": login, "passphrase": prepared.passphrase, "secret": secret}
    return {**shown, "picture": Markup(picture)}  # noqa: S704  # nosec


@staff_joining.post("/desk/join")
@anyone
def join() -> Response:
    """Take the invitation code, and keep a passphrase and TOTP secret in the session until a TOTP code proves them."""
    form = Form(InvitationSchema())
    former = browser_session(SessionKind.STAFF)
    if not form.take(request.form) or not token_is_valid(JOIN, form):
        return _join_again(
            form, "" if form.errors else _("This page was open for a long time. Please try again.")
        )
    vault, now = runtime().vault, runtime().clock.now()
    person = enrolment.invited_person(vault=vault, code=form.values["invitation"], now=now)
    if person is None:
        # All visitors share one budget, so it must not stop right codes: a stranger could keep newcomers out by using
        # it up. It only saves work; a code of 80 random bits that lasts a week is safe without it.
        if not limits().invitations.spend(b"everybody", now):
            return _join_again(form, please_wait(), HTTPStatus.TOO_MANY_REQUESTS)
        return _join_again(form, _("This code does not work. It may be mistyped, used already or too old."))
    prepared = enrolment.prepare()
    contents = {
        "joining": person.id.hex,
        "code": form.values["invitation"],
        "login": queries.name_of(person, vault=vault),
        "passphrase": prepared.passphrase,
        "totp": to_text(prepared.totp_secret),
    }
    cookie = sessions.start(
        vault=vault, kind=SessionKind.STAFF, owner_id=None, contents=contents, now=now, replaces=former
    )
    db.session.commit()
    return cookie.put(see_other("staff_joining.join_page"))


def _join_again(form: Form | None, problem: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> Response:
    db.session.rollback()
    return make_response(_join_page(form, problem), status)


@staff_joining.post("/desk/join/authenticator")
@anyone
def enrol() -> Response:
    """Check the authenticator's code, make the newcomer's key, and use up the invitation."""
    form, contents, former = Form(AuthenticatorSchema()), _joining(), browser_session(SessionKind.STAFF)
    if former is None or "joining" not in contents:
        return see_other("staff_joining.join_page")
    if not form.take(request.form) or not token_is_valid(JOIN, form):
        return _join_again(
            form, "" if form.errors else _("This page was open for a long time. Please try again.")
        )
    vault, now = runtime().vault, runtime().clock.now()
    prepared = _prepared(contents)
    step = enrolment.proved_step(prepared, form.values["code"], now=now)
    if step is None:
        return _join_again(form, _("This code does not fit. Please wait for the next one and type that."))
    db.session.rollback()
    person_id = uuid.UUID(hex=contents["joining"])
    try:
        with limits().strangers.slot():
            own = enrolment.own_key(vault=vault, person_id=person_id, passphrase=prepared.passphrase)
    except (PleaseWait, Busy):
        return _join_again(form, please_wait(), HTTPStatus.TOO_MANY_REQUESTS)
    person = enrolment.invited_person(vault=vault, code=contents["code"], now=now)
    if person is None or person.id != person_id:
        sessions.end(former)
        db.session.commit()
        return see_other("staff_joining.join_page")
    enrolment.enrol(vault=vault, person=person, prepared=prepared, own=own, step=step, now=now)
    cookie = sessions.start(
        vault=vault,
        kind=SessionKind.STAFF,
        owner_id=None,
        contents={"joined": person.id.hex},
        now=now,
        replaces=former,
    )
    db.session.commit()
    return cookie.put(see_other("staff_joining.join_page"))
