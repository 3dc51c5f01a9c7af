"""Signing in at the desk: the passphrase is right if it opens the person's sealed key; a TOTP code is also needed.

Three steps, `look_up`, `prove` and `begin`, because proving is slow and must not hold a transaction.
"""

import secrets
import uuid
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from ugly_mugs.accounts import queries, sessions
from ugly_mugs.accounts.keys import epochs
from ugly_mugs.accounts.models import KnownDevice, SessionKind, Staff, StaffState
from ugly_mugs.audit import log as audit
from ugly_mugs.audit.models import AuditKind
from ugly_mugs.database.engine import db
from ugly_mugs.database.statements import change_rows, exists
from ugly_mugs.vault import CannotOpen, PrivateKey, ServiceVault, Where, totp
from ugly_mugs.vault.encoding import from_text, to_text

_DEVICE = 16


@dataclass(frozen=True)
class Candidate:
    """What a login leads to; for an unknown login, a decoy that takes as long to try."""

    person_id: uuid.UUID
    account: bytes
    sealed_key: bytes = field(repr=False)
    totp_secret: bytes = field(repr=False)
    last_step: int
    device: bytes | None


@dataclass(frozen=True)
class Proof:
    """Shows that passphrase and code were both right."""

    person_id: uuid.UUID
    key: PrivateKey = field(repr=False)
    step: int


@dataclass(frozen=True)
class NewSession:
    """The cookies of a new session. Somebody not admitted yet gets no key in it, only their six words to read out."""

    cookie: sessions.Cookie
    device: str = field(repr=False)
    person: Staff


def look_up(*, vault: ServiceVault, login: str, device: str | None) -> Candidate:
    """The person with this login, and whether they signed in on this device before."""
    account = queries.login_tag(login, vault=vault)
    person = db.session.scalars(sa.select(Staff).where(Staff.login == account)).first()
    if person is None or person.private_key is None or person.totp_secret is None:
        return Candidate(uuid.uuid4(), account, vault.staff_seals.decoy(), totp.new_secret(), 0, None)
    known = _device_tag(person.id, device, vault=vault)
    if known is not None and not exists(KnownDevice.token == known):
        known = None
    return Candidate(
        person_id=person.id,
        account=account,
        sealed_key=person.private_key,
        totp_secret=vault.open_rest(person.totp_secret, Where("staff", "totp_secret", person.id)),
        last_step=person.totp_last_step,
        device=known,
    )


def prove(
    candidate: Candidate, *, vault: ServiceVault, passphrase: str, code: str, now: datetime
) -> Proof | None:
    """The person's key, or None whatever was wrong. Slow, and the same work in every case; raises Busy."""
    step = totp.verify(candidate.totp_secret, code, now, candidate.last_step)
    place = Where("staff", "private_key", candidate.person_id)
    try:
        seed = vault.staff_seals.open_seed(passphrase, candidate.sealed_key, place)
    except CannotOpen:
        return None
    return None if step is None else Proof(candidate.person_id, PrivateKey(seed), step)


def begin(
    proof: Proof,
    *,
    vault: ServiceVault,
    device: str | None,
    replaces: sessions.OpenSession | None,
    now: datetime,
) -> NewSession | None:
    """Start the session; None when the code was used meanwhile, or the person left.

    Also adds missing links from epochs that this person opens to the following ones, which a command may have begun.
    """
    used = change_rows(
        sa.update(Staff)
        .where(
            Staff.id == proof.person_id,
            Staff.totp_last_step < proof.step,
            Staff.public_key == proof.key.public().raw,
            Staff.state.in_([StaffState.ACTIVE, StaffState.WAITING]),
        )
        .values(totp_last_step=proof.step)
    )
    person = db.session.get(Staff, proof.person_id, populate_existing=True)
    if used != 1 or person is None:
        return None
    active = person.state is StaffState.ACTIVE
    if active:
        epochs.add_links(person.id, proof.key, vault=vault)
        audit.record(AuditKind.STAFF_SIGNED_IN, actor_id=person.id, subject_id=person.id, day=now.date())
    cookie = sessions.start(
        vault=vault,
        kind=SessionKind.STAFF,
        owner_id=person.id if active else None,
        contents=staff_session_contents(proof.key.seed) if active else {"joined": person.id.hex},
        now=now,
        replaces=replaces,
    )
    return NewSession(cookie, _remember_device(person.id, device, vault=vault, now=now), person)


def staff_session_contents(seed: bytes) -> dict[str, str]:
    return {"seed": to_text(seed)}


def _remember_device(staff_id: uuid.UUID, device: str | None, *, vault: ServiceVault, now: datetime) -> str:
    """The browser's device mark, new if it has none. People who share a browser share its mark."""
    raw = from_text(device or "", _DEVICE) or secrets.token_bytes(_DEVICE)
    mark = to_text(raw)
    tag = _device_tag(staff_id, mark, vault=vault)
    row = db.session.scalars(sa.select(KnownDevice).where(KnownDevice.token == tag)).first()
    if row is None:
        db.session.add(KnownDevice(id=uuid.uuid4(), staff_id=staff_id, token=tag, day=now.date()))
    else:
        row.day = now.date()
    db.session.flush()
    return mark


def _device_tag(staff_id: uuid.UUID, device: str | None, *, vault: ServiceVault) -> bytes | None:
    raw = from_text(device or "", _DEVICE)
    return None if raw is None else vault.keyed("session", b"device", staff_id.bytes, raw)
