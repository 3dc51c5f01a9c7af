"""Enrolling staff: an invitation code that works once, then a passphrase, an authenticator and a key pair."""

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
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32, without letters that look alike
_CODE_LETTERS = 16
_LOGIN = re.compile(r"[\w.@+-][\w.@+ -]{0,62}[\w.@+-]|[\w.@+-]")


class IncompatibleRoles(DomainError):
    """Two of the chosen roles must not be held by one person."""


@dataclass(frozen=True)
class Invited:
    """The new person and their invitation code, which is not stored."""

    person: Staff
    code: str = field(repr=False)


@dataclass(frozen=True)
class Prepared:
    """The passphrase a newcomer writes down, and the secret for their authenticator."""

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
    """Add a person with these roles. An invitation alone gives no access."""
    login, wanted = login.strip(), frozenset(roles)
    if not _LOGIN.fullmatch(login):
        raise DomainError(_("Please use letters, digits and . - _ + @ for the name, at most 64."))
    if not wanted or not wanted <= set(OFFERED_ROLES):
        raise DomainError(_("Please choose at least one task."))
    if wanted & READS_NO_REPORT and EpochKind.DESK in kinds_for(wanted):
        raise IncompatibleRoles(
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
    """A new code for somebody who lost passphrase, authenticator or code.

    Deletes their old key and sessions; the new key has to be admitted like a newcomer's.
    """
    if person.state is not StaffState.INVITED:
        STAFF_MOVES.move(person, StaffState.INVITED)
    person.invited_by = None
    forget_keys(person)
    audit.record(AuditKind.KEYS_RECOVERED, subject_id=person.id, day=now.date())
    return _give_code(person, vault=vault, now=now)


def forget_keys(person: Staff) -> None:
    """Delete everything with which this person could sign in or open anything.

    Features delete what they hold in the same transaction, through `Wiring.key_forgettings`.
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
    """The person with this unused code, locked; None when there is none or the code is too old."""
    # The lock is for the same code being typed in two browsers at once.
    person = db.session.scalars(
        sa.select(Staff)
        .where(Staff.invitation == _code_tag(code, vault=vault), Staff.state == StaffState.INVITED)
        .with_for_update()
    ).first()
    if person is None or person.invitation_ends_on is None or person.invitation_ends_on < now.date():
        return None
    return person


def prepare() -> Prepared:
    """A random passphrase and a random TOTP secret."""
    return Prepared(words.phrase(PASSPHRASE_WORDS), totp.new_secret())


def own_key(*, vault: ServiceVault, person_id: uuid.UUID, passphrase: str) -> OwnKey:
    """A new key pair for this person. Slow: call it outside any transaction; raises Busy."""
    key = PrivateKey.generate()
    place = Where("staff", "private_key", person_id)
    return OwnKey(key.public().raw, vault.staff_seals.seal_seed(passphrase, key.seed, place))


def proved_step(prepared: Prepared, code: str, *, now: datetime) -> int | None:
    """The time step of a right code, which proves that the authenticator knows the secret; None for a wrong one."""
    return totp.verify(prepared.totp_secret, code, now, None)


def enrol(
    *, vault: ServiceVault, person: Staff, prepared: Prepared, own: OwnKey, step: int, now: datetime
) -> None:
    """Store the newcomer's keys and use up the invitation. They are active at once if nobody has to admit them."""
    place = Where("staff", "public_key", person.id)
    person.public_key = own.public
    person.public_key_mac = vault.mac_public_key(place, own.public)
    person.private_key = own.sealed
    person.totp_secret = vault.seal_rest(
        prepared.totp_secret, Where("staff", "totp_secret", person.id), sizes=padding.CODE
    )
    person.totp_last_step = step
    person.invitation = person.invitation_ends_on = None
    STAFF_MOVES.move(person, StaffState.WAITING if admission.needs_admission(person) else StaffState.ACTIVE)
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
    """The keyed hash of a code, read as Crockford's base 32: any case, O is 0, I and L are 1, the rest is ignored."""
    letters = code.upper().translate(str.maketrans("OIL", "011"))
    typed = "".join(letter for letter in letters if letter in _LETTERS)
    return vault.keyed("rest", b"invitation", typed.encode())
