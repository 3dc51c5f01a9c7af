"""The desk's key kept at hand: a report is sealed before its transaction begins, and the key is proved inside it."""

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from ugly_mugs.accounts.keys import epochs
from ugly_mugs.accounts.models import EpochKind, KeyEpoch
from ugly_mugs.database.engine import db, reading
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import PublicKey, ServiceVault

Key = tuple[UUID, PublicKey]

_NEWEST = (
    sa.select(KeyEpoch.id).where(KeyEpoch.kind == EpochKind.DESK).order_by(KeyEpoch.number.desc()).limit(1)
)


@dataclass
class LastKnown:
    """The desk's key as this process last looked it up."""

    key: Key | None = None


def at_hand(vault: ServiceVault) -> Key:
    """The epoch and key last known to be the desk's. `proved` says within the filing transaction whether they are."""
    known = runtime().state.of(LastKnown).key
    if known is not None:
        return known
    with reading():
        key = _looked_up(vault)
        db.session.rollback()
    return key


def proved(key: Key, vault: ServiceVault, connection: sa.Connection) -> Key:
    """This key if it is the desk's at this moment, else the one that is: somebody may just have left the desk."""
    if connection.execute(_NEWEST).scalar() == key[0]:
        return key
    with reading():
        key = _looked_up(vault)
        db.session.rollback()
    return key


def _looked_up(vault: ServiceVault) -> Key:
    epoch, public = epochs.current(EpochKind.DESK, vault=vault)
    key = (epoch.id, public)
    runtime().state.of(LastKnown).key = key
    return key
