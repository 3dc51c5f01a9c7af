"""The ten recovery words: made at the first start, and used when nobody else holds the keys."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from flask_babel import gettext as _

from ugly_mugs.accounts.keys import epochs
from ugly_mugs.accounts.models import EpochKind, Holder, KeyEpoch, KeySeal, RecoveryKey
from ugly_mugs.audit import log as audit
from ugly_mugs.audit.models import AuditKind
from ugly_mugs.database.engine import db
from ugly_mugs.database.models import Installation
from ugly_mugs.errors import Conflict, NotAllowed
from ugly_mugs.vault import PrivateKey, RecoveryWords, ServiceVault, Where


@dataclass(frozen=True)
class FirstStart:
    """The words to write down, and the epochs to mark in the key folder after the commit."""

    words: str = field(repr=False)
    epochs: Sequence[KeyEpoch]


@dataclass(frozen=True)
class Recovered:
    row: RecoveryKey
    key: PrivateKey = field(repr=False)


def first_start(*, vault: ServiceVault, now: datetime) -> FirstStart:
    """Make the first epoch of each kind, sealed to the recovery key only; Conflict when there are keys already."""
    if epochs.live_recovery_key() is not None:
        raise Conflict(_("This database has keys already. Nothing was changed."))
    words, recovery = _new_recovery_key(1, vault=vault, now=now)
    db.session.add(Installation(id=uuid.uuid4(), demo=vault.demo, created_on=now.date()))
    first = [epochs.new_epoch(kind, vault=vault, recovery=recovery, day=now.date()) for kind in EpochKind]
    return FirstStart(words, first)


def recover(words: str, *, vault: ServiceVault) -> Recovered:
    """The recovery key; UnknownWord or WrongLength for mistyped words, NotAllowed for words of another key."""
    key = RecoveryWords.from_words(words)
    row = epochs.live_recovery_key()
    if row is None or epochs.checked_recovery_key(row, vault=vault) != key.public():
        raise NotAllowed(_("These are ten real words, but not the recovery words that count now."))
    return Recovered(row, key)


def replace(recovered: Recovered, *, vault: ServiceVault, now: datetime) -> str:
    """Replace the words that were just used: every epoch sealed to the old key is sealed to the new one instead."""
    words, row = _new_recovery_key(recovered.row.number + 1, vault=vault, now=now)
    holder_key = epochs.checked_recovery_key(row, vault=vault)
    seals = db.session.execute(
        sa.select(KeyEpoch, KeySeal)
        .join(KeySeal, KeySeal.epoch_id == KeyEpoch.id)
        .where(KeySeal.holder == Holder.RECOVERY, KeySeal.holder_id == recovered.row.id)
    ).all()
    for epoch, seal in seals:
        private = PrivateKey(recovered.key.open(seal.sealed, Where("key_seals", "sealed", seal.id)))
        epochs.add_seal(epoch, private, Holder.RECOVERY, row.id, holder_key=holder_key)
        db.session.delete(seal)
    db.session.flush()
    audit.record(AuditKind.RECOVERY_USED, subject_id=row.id, day=now.date())
    return words


def _new_recovery_key(number: int, *, vault: ServiceVault, now: datetime) -> tuple[str, RecoveryKey]:
    words, key = RecoveryWords.generate()
    row = RecoveryKey(id=uuid.uuid4(), number=number, public_key=key.public().raw, created_on=now.date())
    place = Where("recovery_keys", "public_key", row.id)
    row.public_key_mac = vault.mac_public_key(place, row.public_key)
    db.session.add(row)
    db.session.flush()
    return words, row
