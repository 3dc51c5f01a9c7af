"""Pages for inviting staff and admitting them."""

import uuid
from dataclasses import dataclass
from http import HTTPStatus

from flask import Blueprint, Response, make_response, render_template, request
from flask_babel import gettext as _, lazy_gettext

from ugly_mugs.accounts import queries, sessions
from ugly_mugs.accounts.guard import Permission, browser_session, current_staff, staff
from ugly_mugs.accounts.models import Role, SessionKind, Staff, StaffState
from ugly_mugs.accounts.people import admission, enrolment
from ugly_mugs.accounts.schemas import ROLE_NAMES, FingerprintSchema, InviteSchema
from ugly_mugs.database.engine import db
from ugly_mugs.errors import DomainError, NotAllowed, or_not_there
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import SwappedKey, UnknownWord, WrongLength
from ugly_mugs.web.forms import Form
from ugly_mugs.web.redirects import see_other
from ugly_mugs.wiring import NavigationEntry

people = Blueprint("people", __name__)

WAITING, ADMIN = (
    frozenset({Permission.ADMIT_MODERATORS, Permission.VET}),
    frozenset({Permission.INVITE, Permission.VET}),
)
NAVIGATION = (
    NavigationEntry("desk", 30, lazy_gettext("People"), "people.people_page", WAITING, starts=False),
    NavigationEntry("desk", 40, lazy_gettext("Administration"), "people.admin_page", ADMIN),
)


@dataclass(frozen=True)
class Newcomer:
    """Somebody who waits to be admitted, as the page shows them."""

    id: uuid.UUID
    name: str
    roles: list[str]
    second_person: bool
    swapped: bool
    mine: bool
    form: Form


@people.get("/desk/people")
@staff(Permission.ADMIT_MODERATORS, Permission.VET)
def people_page() -> str:
    return _people_page()


def _people_page(typed: Form | None = None, typed_for: uuid.UUID | None = None) -> str:
    waiting = [
        _newcomer(person, typed if typed is not None and person.id == typed_for else None)
        for person in queries.people_waiting()
    ]
    return render_template(
        "accounts/people/people.html", waiting=waiting, admitted=request.args.get("admitted")
    )


def _newcomer(person: Staff, typed: Form | None) -> Newcomer:
    me, vault = current_staff(), runtime().vault
    try:
        queries.public_key_of(person, vault=vault)
        swapped = False
    except SwappedKey:
        swapped = True
    return Newcomer(
        id=person.id,
        name=queries.name_of(person, vault=vault),
        roles=role_names(queries.roles_of(person)),
        second_person=admission.needs_second_person(person) or admission.was_invited_by(person, me.id),
        swapped=swapped,
        mine=admission.may_admit(person, by_id=me.id, by_roles=me.roles, vault=vault),
        # The page may hold several such forms: the prefix keeps their ids apart.
        form=typed or Form(FingerprintSchema(), prefix=person.id.hex),
    )


@people.post("/desk/people/<uuid:person_id>/admit")
@staff(Permission.ADMIT_MODERATORS, Permission.VET)
def admit(person_id: uuid.UUID) -> Response:
    """Admit the newcomer, whose six words this colleague heard from them and typed."""
    me, vault, now = current_staff(), runtime().vault, runtime().clock.now()
    person = or_not_there(db.session.get(Staff, person_id, with_for_update=True))
    form = Form(FingerprintSchema(), prefix=person_id.hex)
    if not form.take(request.form) or not _check_fingerprint(form, person):
        return make_response(_people_page(form, person_id), HTTPStatus.BAD_REQUEST)
    try:
        admission.admit(vault=vault, person=person, by_id=me.id, by_key=me.key, by_roles=me.roles, now=now)
    except SwappedKey:
        raise _swapped() from None
    admitted = "yes" if person.state is StaffState.ACTIVE else "partly"
    db.session.commit()
    return see_other("people.people_page", admitted=admitted)


def _check_fingerprint(form: Form, person: Staff) -> bool:
    try:
        matches = admission.fingerprint_matches(person, form.values["words"], vault=runtime().vault)
    except UnknownWord as unknown:
        hint = " ".join(unknown.suggestions)
        form.refuse(
            "words", _("“%(word)s” is not one of our words. Like it: %(hint)s", word=unknown.word, hint=hint)
        )
        return False
    except WrongLength as length:
        form.refuse("words", _("These are %(found)s words, and there must be six.", found=length.found))
        return False
    except SwappedKey:
        raise _swapped() from None
    if not matches:
        form.refuse(
            "words",
            _(
                "These are not the words of this key. Ask the person to read them out again. "
                "If they still differ, stop."
            ),
        )
    return matches


def _swapped() -> NotAllowed:
    return NotAllowed(_("This key was not written by this service. Admit nobody, and tell whoever runs it."))


@people.get("/admin")
@staff(Permission.INVITE, Permission.VET)
def admin_page() -> str:
    return _admin_page(Form(InviteSchema()))


def _admin_page(form: Form) -> str:
    vault, me, session = runtime().vault, current_staff(), browser_session(SessionKind.STAFF)
    people = []
    if me.may(Permission.INVITE):
        people = sorted(
            (queries.name_of(person, vault=vault), role_names(queries.roles_of(person)), person.state)
            for person in queries.people_not_left()
        )
    invited = session.contents.get("invited") if session else None
    return render_template(
        "accounts/admin.html", form=form, people=people, invited=invited, states=state_names()
    )


@people.post("/admin/invite")
@staff(Permission.INVITE)
def invite() -> Response:
    """Invite somebody. The code stays in the session until the inviter confirms that they handed it over."""
    form, me, session = Form(InviteSchema()), current_staff(), browser_session(SessionKind.STAFF)
    if not form.take(request.form) or session is None:
        return make_response(_admin_page(form), HTTPStatus.BAD_REQUEST)
    vault, now = runtime().vault, runtime().clock.now()
    roles = [Role(value) for value in form.values["roles"]]
    try:
        invited = enrolment.invite(
            vault=vault, login=form.values["login"], roles=roles, now=now, invited_by=me.id
        )
    except DomainError as refusal:
        db.session.rollback()
        form.refuse("roles" if isinstance(refusal, enrolment.IncompatibleRoles) else "login", refusal.message)
        return make_response(_admin_page(form), HTTPStatus.BAD_REQUEST)
    shown = {"name": form.values["login"], "code": invited.code}
    sessions.replace_contents(session, {**session.contents, "invited": shown}, vault=vault, now=now)
    db.session.commit()
    return see_other("people.admin_page")


@people.post("/admin/invited")
@staff(Permission.INVITE)
def invitation_handed_over() -> Response:
    """The code was handed over: delete it from the session."""
    session = browser_session(SessionKind.STAFF)
    if session is not None:
        contents = {name: value for name, value in session.contents.items() if name != "invited"}
        sessions.replace_contents(session, contents, vault=runtime().vault, now=runtime().clock.now())
        db.session.commit()
    return see_other("people.admin_page")


def role_names(roles: frozenset[Role]) -> list[str]:
    return [str(ROLE_NAMES[role][0]) for role in Role if role in roles]


def state_names() -> dict[StaffState, str]:
    return {
        StaffState.INVITED: _("invited"),
        StaffState.WAITING: _("waiting to be admitted"),
        StaffState.ACTIVE: _("at work"),
        StaffState.LEFT: _("left"),
    }
