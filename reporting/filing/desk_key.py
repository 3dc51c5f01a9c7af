"""Caches the current desk public key; filing checks it again inside its transaction."""

from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa

from ugly_mugs.accounts.keys import epochs
from ugly_mugs.accounts.models import EpochKind, KeyEpoch
from ugly_mugs.database.engine import brief_reading
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import PublicKey, ServiceVault

_NEWEST = (
    sa.select(KeyEpoch.id).where(KeyEpoch.kind == EpochKind.DESK).order_by(KeyEpoch.number.desc()).limit(1)
)


class DeskKey(NamedTuple):
    epoch_id: UUID
    public: PublicKey


@dataclass
class CachedKey:
    key: DeskKey | None = None


def cached(vault: ServiceVault) -> DeskKey:
    """The key this process looked up last. It may have been replaced since, which `current` finds out."""
    known = runtime().process_state.of(CachedKey).key
    return known if known is not None else _look_up(vault)


def current(key: DeskKey, vault: ServiceVault, connection: sa.Connection) -> DeskKey:
    """`key` if its epoch is still the newest in the connection's transaction, else the key that replaced it.

    A key is replaced when somebody leaves the desk: they must not be able to open what is filed afterwards.
    """
    return key if connection.execute(_NEWEST).scalar() == key.epoch_id else _look_up(vault)


def _look_up(vault: ServiceVault) -> DeskKey:
    with brief_reading():
        epoch, public = epochs.current(EpochKind.DESK, vault=vault)
        key = DeskKey(epoch.id, public)
    runtime().process_state.of(CachedKey).key = key
    return key
