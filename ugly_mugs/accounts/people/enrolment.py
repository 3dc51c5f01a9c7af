"""How somebody comes to work here: a code to type once, then a passphrase, an authenticator and a key of their own."""

import re
import secrets
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _

from ugly_mugs.accounts import queries, sessions
from ugly_mugs.accounts.models import (
    STAFF_MOVES,
    EpochKind,
    Holder,
    KeySeal,
    KnownDevice,
    Role,
    Staff,
    StaffRole,
    StaffState,
)
from ugly_mugs.accounts.people import admission
from ugly_mugs.accounts.permissions import OFFERED_ROLES, READS_NO_REPORT, kinds_for
from ugly_mugs.audit import log as audit
from ugly_mugs.audit.models import AuditKind
from ugly_mugs.database.engine import db
from ugly_mugs.errors import Conflict, DomainError
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import PrivateKey, ServiceVault, Where, padding, totp, words

PASSPHRASE_WORDS = 6
INVITATION_LASTS = timedelta(days=7)
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's 32: none looks like another
_CODE_LETTERS = 16
_LOGIN = re.compile(r"[\w.@+-][\w.@+ -]{0,62}[\w.@+-]|[\w.@+-]")


class TasksApart(DomainError):
    """Two of the chosen tasks are not for one person."""


@dataclass(frozen=True)
class Invited:
    """The person and the code that lets them in once; the code is kept nowhere."""

    person: Staff
    code: str = field(repr=False)


@dataclass(frozen=True)
class Prepared:
    """What a newcomer writes down and puts into their authenticator."""

    passphrase: str = field(repr=False)
    totp_secret: bytes = field(repr=False)


@dataclass(frozen=True)
class OwnKey:
    """A newcomer's key pair, its private half already sealed under their passphrase."""

    public: bytes
    sealed: bytes = field(repr=False)


def invite(
    *,
    vault: ServiceVault,
    login: str,
    roles: Iterable[Role],
    now: datetime,
    invited_by: uuid.UUID | None = None,
) -> Invited:
    """A new person with these roles. An invitation alone opens nothing."""
    login, wanted = login.strip(), frozenset(roles)
    if not _LOGIN.fullmatch(login):
        raise DomainError(_("Please use letters, digits and . - _ + @ for the name, at most 64."))
    if not wanted or not wanted <= set(OFFERED_ROLES):
        raise DomainError(_("Please choose at least one task."))
    if wanted & READS_NO_REPORT and EpochKind.DESK in kinds_for(wanted):
        raise TasksApart(
            _(
                "An administrator or auditor reads no report, so the same person cannot be a moderator or "
                "caseworker too. Please invite two people."
            )
        )
    if queries.person_by_login(login, vault=vault) is not None:
        raise Conflict(_("Somebody with this name is here already."))
    person = Staff(
        id=uuid.uuid4(),
        login=queries.login_tag(login, vault=vault),
        state=StaffState.INVITED,
        invited_by=invited_by,
        created_on=now.date(),
        roles=[StaffRole(role=role) for role in Role if role in wanted],
    )
    place = Where("staff", "name", person.id)
    person.name = vault.seal_rest(login.encode(), place, sizes=padding.NAME)
    db.session.add(person)
    code = _give_code(person, vault=vault, now=now)
    audit.record(AuditKind.STAFF_INVITED, actor_id=invited_by, subject_id=person.id, day=now.date())
    return Invited(person, code)


def invite_again(*, vault: ServiceVault, person: Staff, now: datetime) -> str:
    """A new code for somebody who lost passphrase, authenticator or code. Their old key and sessions are gone;
    the new key has to be admitted like any newcomer's."""
    if person.state is not StaffState.INVITED:
        STAFF_MOVES.move(person, StaffState.INVITED)
    person.invited_by = None
    forget_keys(person)
    audit.record(AuditKind.KEYS_RECOVERED, subject_id=person.id, day=now.date())
    return _give_code(person, vault=vault, now=now)


def forget_keys(person: Staff) -> None:
    """Everything this person could sign in with or open anything with, also what the features hold for them.

    `ugly_mugs.app` wires what the features do, in the same transaction.
    """
    person.public_key = person.public_key_mac = person.private_key = person.totp_secret = None
    person.invitation = person.invitation_ends_on = None
    sessions.end_all(person.id)
    db.session.execute(sa.delete(KnownDevice).where(KnownDevice.staff_id == person.id))
    db.session.execute(
        sa.delete(KeySeal).where(KeySeal.holder == Holder.STAFF, KeySeal.holder_id == person.id)
    )
    for forget in runtime().wiring.key_forgettings:
        forget(person.id)


def invited_person(*, vault: ServiceVault, code: str, now: datetime) -> Staff | None:
    """Whose unused code this is; None when nobody's, or too old."""
    # Locked, because the same code may be typed in two browsers at once.
    person = db.session.scalars(
        sa.select(Staff)
        .where(Staff.invitation == _code_tag(code, vault=vault), Staff.state == StaffState.INVITED)
        .with_for_update()
    ).first()
    if person is None or person.invitation_ends_on is None or person.invitation_ends_on < now.date():
        return None
    return person


def prepare() -> Prepared:
    """A passphrase and a second factor; both are drawn, never chosen."""
    return Prepared(words.phrase(PASSPHRASE_WORDS), totp.new_secret())


def own_key(*, vault: ServiceVault, person_id: uuid.UUID, passphrase: str) -> OwnKey:
    """A new key pair for this person. Slow, so it is made before any transaction; raises Busy."""
    key = PrivateKey.generate()
    place = Where("staff", "private_key", person_id)
    return OwnKey(key.public().raw, vault.staff_seals.seal_seed(passphrase, key.seed, place))


def proved_step(prepared: Prepared, code: str, *, now: datetime) -> int | None:
    """The time step of the code, which proves that the authenticator knows the secret."""
    return totp.verify(prepared.totp_secret, code, now, None)


def enrol(
    *, vault: ServiceVault, person: Staff, prepared: Prepared, own: OwnKey, step: int, now: datetime
) -> None:
    """The invitation is used up. Who needs nothing of anybody is at work; the others wait to be admitted."""
    place = Where("staff", "public_key", person.id)
    person.public_key = own.public
    person.public_key_mac = vault.mac_public_key(place, own.public)
    person.private_key = own.sealed
    person.totp_secret = vault.seal_rest(
        prepared.totp_secret, Where("staff", "totp_secret", person.id), sizes=padding.CODE
    )
    person.totp_last_step = step
    person.invitation = person.invitation_ends_on = None
    STAFF_MOVES.move(person, StaffState.WAITING if admission.needs_somebody(person) else StaffState.ACTIVE)
    if person.state is StaffState.ACTIVE:
        person.admitted_on = person.admitted_on or now.date()
    audit.record(AuditKind.STAFF_ENROLLED, actor_id=person.id, subject_id=person.id, day=now.date())


def _give_code(person: Staff, *, vault: ServiceVault, now: datetime) -> str:
    letters = "".join(secrets.choice(_LETTERS) for _ in range(_CODE_LETTERS))
    code = "-".join(letters[start : start + 4] for start in range(0, _CODE_LETTERS, 4))
    person.invitation = _code_tag(code, vault=vault)
    person.invitation_ends_on = (now + INVITATION_LASTS).date()
    db.session.flush()
    return code


def _code_tag(code: str, *, vault: ServiceVault) -> bytes:
    """As Crockford reads it: capitals, O as zero, I and L as one, hyphens and spaces as nothing."""
    letters = code.upper().translate(str.maketrans("OIL", "011"))
    typed = "".join(letter for letter in letters if letter in _LETTERS)
    return vault.keyed("rest", b"invitation", typed.encode())
