"""Removing staff: their keys and sessions are deleted, and new epochs close later reports to them."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from flask_babel import gettext as _

from ugly_mugs.accounts.keys import epochs
from ugly_mugs.accounts.models import (
    STAFF_MOVES,
    EpochKind,
    Holder,
    KeyEpoch,
    KeySeal,
    RecoveryKey,
    Staff,
    StaffState,
)
from ugly_mugs.accounts.people import enrolment
from ugly_mugs.audit import log as audit
from ugly_mugs.audit.models import AuditKind
from ugly_mugs.database.engine import db
from ugly_mugs.errors import Conflict
from ugly_mugs.vault import ServiceVault


def remove(*, vault: ServiceVault, person: Staff, now: datetime) -> Sequence[KeyEpoch]:
    """Remove somebody; gives the new epochs, to be marked in the key folder after the commit.

    No secret is needed, so it can be done at once. They may have kept what they could open before.
    """
    held = _kinds_held(person)
    enrolment.forget_keys(person)
    STAFF_MOVES.move(person, StaffState.LEFT)
    # The login becomes free for somebody new; the name stays for the audit log.
    person.login = vault.keyed("rest", b"login of who left", person.id.bytes)
    db.session.flush()
    audit.record(AuditKind.STAFF_REMOVED, subject_id=person.id, day=now.date())
    return [rotate(kind, vault=vault, now=now) for kind in EpochKind if kind in held]


def rotate(kind: EpochKind, *, vault: ServiceVault, now: datetime) -> KeyEpoch:
    """A new epoch for all active staff; the caller commits, then writes its mark into the key folder."""
    epoch = epochs.new_epoch(kind, vault=vault, recovery=_recovery_key(), day=now.date())
    audit.record(AuditKind.KEYS_ROTATED, subject_id=epoch.id, day=now.date())
    return epoch


def _kinds_held(person: Staff) -> frozenset[EpochKind]:
    query = (
        sa.select(KeyEpoch.kind)
        .join(KeySeal, KeySeal.epoch_id == KeyEpoch.id)
        .where(KeySeal.holder == Holder.STAFF, KeySeal.holder_id == person.id)
    )
    return frozenset(db.session.scalars(query))


def _recovery_key() -> RecoveryKey:
    recovery = epochs.live_recovery_key()
    if recovery is None:
        raise Conflict(_("There are no keys yet. Run 'flask keys init' first."))
    return recovery
