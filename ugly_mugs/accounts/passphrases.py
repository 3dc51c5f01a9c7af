"""Changing a passphrase: the same key is sealed under the new passphrase, and every session ends."""

import uuid
from datetime import datetime

from ugly_mugs.accounts import sessions
from ugly_mugs.accounts.models import SessionKind, Staff
from ugly_mugs.accounts.sign_in import staff_session_contents
from ugly_mugs.audit import log as audit
from ugly_mugs.audit.models import AuditKind
from ugly_mugs.database.engine import db
from ugly_mugs.errors import NotThere
from ugly_mugs.vault import CannotOpen, PrivateKey, ServiceVault, Where


def is_right(*, vault: ServiceVault, person_id: uuid.UUID, sealed_key: bytes, passphrase: str) -> bool:
    """Whether this passphrase opens the person's key. Slow; raises Busy."""
    try:
        vault.staff_seals.open_seed(passphrase, sealed_key, Where("staff", "private_key", person_id))
    except CannotOpen:
        return False
    return True


def reseal_key(*, vault: ServiceVault, person_id: uuid.UUID, key: PrivateKey, passphrase: str) -> bytes:
    """The same key, sealed under the new passphrase. Slow: call it outside any transaction; raises Busy."""
    return vault.staff_seals.seal_seed(passphrase, key.seed, Where("staff", "private_key", person_id))


def change(
    *, vault: ServiceVault, person_id: uuid.UUID, key: PrivateKey, sealed: bytes, now: datetime
) -> sessions.Cookie:
    """Store the newly sealed key, end all sessions, and start a new one for this browser."""
    person = db.session.get(Staff, person_id)
    if person is None or person.public_key != key.public().raw:
        raise NotThere
    person.private_key = sealed
    sessions.end_all(person_id)
    day = now.date()
    audit.record(AuditKind.STAFF_PASSPHRASE_CHANGED, actor_id=person_id, subject_id=person_id, day=day)
    return sessions.start(
        vault=vault,
        kind=SessionKind.STAFF,
        owner_id=person_id,
        contents=staff_session_contents(key.seed),
        now=now,
    )
