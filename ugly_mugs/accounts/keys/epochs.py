"""The desk and vetting keys, in numbered epochs. Who holds an epoch's key can open all earlier ones of its kind."""

import uuid
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from ugly_mugs.accounts import queries
from ugly_mugs.accounts.models import EpochKind, Holder, KeyEpoch, KeySeal, RecoveryKey, Staff
from ugly_mugs.accounts.permissions import HOLDERS
from ugly_mugs.database.engine import db
from ugly_mugs.database.statements import exists
from ugly_mugs.errors import NotAllowed
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import EpochMark, PrivateKey, PublicKey, ServiceVault, SwappedKey, Where
from ugly_mugs.vault.keys import keyfiles


def current(kind: EpochKind, *, vault: ServiceVault) -> tuple[KeyEpoch, PublicKey]:
    """The epoch to seal to now, and its public key; SwappedKey unless the key folder's mark names exactly this epoch.

    A newer row without a mark is ignored: commands commit the row first and write the mark afterwards.
    """
    newest = _epoch(kind)
    if newest is None:
        raise SwappedKey
    mark = _newest_mark(kind, vault)
    if mark is None or mark.number != newest.number:
        # A command may have added one while this process runs.
        vault.epochs = keyfiles.load_service(runtime().settings.keys_dir).epochs
        mark = _newest_mark(kind, vault)
    if mark is not None and mark.number < newest.number:
        newest = _epoch(kind, mark.number)
    if mark is None or newest is None or mark.number != newest.number:
        raise SwappedKey
    public = checked_key(newest, vault=vault)
    if public.fingerprint() != mark.fingerprint:
        raise SwappedKey
    return newest, public


def checked_key(epoch: KeyEpoch, *, vault: ServiceVault) -> PublicKey:
    """The epoch's public key; SwappedKey when this service did not write it into the database."""
    where = Where("key_epochs", "public_key", epoch.id)
    return vault.check_public_key(where, epoch.public_key, epoch.public_key_mac)


def private_for(staff_id: uuid.UUID, key: PrivateKey, epoch_id: uuid.UUID) -> PrivateKey:
    """An epoch's private key, for staff who hold it or a later one of its kind; NotAllowed for others."""
    return open_epoch(Holder.STAFF, staff_id, key, epoch_id)


def open_epoch(holder: Holder, holder_id: uuid.UUID, key: PrivateKey, epoch_id: uuid.UUID) -> PrivateKey:
    """As `private_for`, for any holder: open the nearest later epoch sealed to them, then follow the links back."""
    wanted = db.session.get(KeyEpoch, epoch_id)
    if wanted is None:
        raise NotAllowed
    nearest = db.session.execute(
        sa.select(KeyEpoch, KeySeal)
        .join(KeySeal, KeySeal.epoch_id == KeyEpoch.id)
        .where(
            KeyEpoch.kind == wanted.kind,
            KeyEpoch.number >= wanted.number,
            KeySeal.holder == holder,
            KeySeal.holder_id == holder_id,
        )
        .order_by(KeyEpoch.number)
        .limit(1)
    ).first()
    if nearest is None:
        raise NotAllowed
    epoch, seal = nearest
    private = PrivateKey(key.open(seal.sealed, _where(seal.id)))
    while epoch.number > wanted.number:
        link = db.session.execute(
            sa.select(KeyEpoch, KeySeal)
            .join(KeySeal, KeySeal.epoch_id == KeyEpoch.id)
            .where(KeySeal.holder == Holder.NEXT_EPOCH, KeySeal.holder_id == epoch.id)
        ).first()
        if link is None:
            raise NotAllowed
        epoch, seal = link
        private = PrivateKey(private.open(seal.sealed, _where(seal.id)))
    if private.public().raw != wanted.public_key:
        raise SwappedKey
    return private


def new_epoch(kind: EpochKind, *, vault: ServiceVault, recovery: RecoveryKey, day: date) -> KeyEpoch:
    """Make the next epoch, sealed to all active staff who need it and to the recovery key; no secret is needed.

    The link to the former epoch is added when somebody who holds that one signs in. The caller commits, then calls
    `mark`.
    """
    former = _epoch(kind)
    private = PrivateKey.generate()
    epoch = KeyEpoch(
        id=uuid.uuid4(),
        kind=kind,
        number=former.number + 1 if former else 1,
        public_key=private.public().raw,
        created_on=day,
    )
    place = Where("key_epochs", "public_key", epoch.id)
    epoch.public_key_mac = vault.mac_public_key(place, epoch.public_key)
    db.session.add(epoch)
    db.session.flush()
    for person in holders_of(kind):
        add_seal(
            epoch, private, Holder.STAFF, person.id, holder_key=queries.public_key_of(person, vault=vault)
        )
    add_seal(
        epoch, private, Holder.RECOVERY, recovery.id, holder_key=checked_recovery_key(recovery, vault=vault)
    )
    return epoch


def holders_of(kind: EpochKind) -> Sequence[Staff]:
    return queries.active_people_with(*HOLDERS[kind])


def mark(folder: Path, epoch: KeyEpoch, *, vault: ServiceVault) -> None:
    """Write the epoch's number and fingerprint into the key folder, and use it from now on."""
    fingerprint = PublicKey(epoch.public_key).fingerprint()
    file = keyfiles.mark_epoch(folder, name=epoch.kind.value, number=epoch.number, fingerprint=fingerprint)
    vault.epochs = file.epochs


def share_current(
    kind: EpochKind, *, to: Staff, by_id: uuid.UUID, by_key: PrivateKey, vault: ServiceVault
) -> None:
    """Seal the current epoch of a kind to somebody; through the links it opens all former ones."""
    epoch, _ = current(kind, vault=vault)
    private = private_for(by_id, by_key, epoch.id)
    add_seal(epoch, private, Holder.STAFF, to.id, holder_key=queries.public_key_of(to, vault=vault))


def missing_kinds(
    person: Staff, needed: frozenset[EpochKind], *, vault: ServiceVault
) -> frozenset[EpochKind]:
    """The kinds of which this person does not yet hold the current epoch."""
    return frozenset(kind for kind in needed if not _holds_current(person.id, kind, vault=vault))


def add_links(staff_id: uuid.UUID, key: PrivateKey, *, vault: ServiceVault) -> int:
    """Seal each epoch that this person can open to the epoch after it, where missing; gives the number of new links."""
    added = 0
    for former, following in _unlinked():
        try:
            private = private_for(staff_id, key, former.id)
        except NotAllowed:
            continue
        holder_key = checked_key(following, vault=vault)
        try:
            with db.session.begin_nested():
                add_seal(former, private, Holder.NEXT_EPOCH, following.id, holder_key=holder_key)
        except IntegrityError:
            # Another sign-in added the same link at the same moment.
            continue
        added += 1
    return added


def add_seal(
    epoch: KeyEpoch, private: PrivateKey, holder: Holder, holder_id: uuid.UUID, *, holder_key: PublicKey
) -> KeySeal:
    """Add a holder of an epoch. The caller must have checked the holder's key."""
    seal = KeySeal(id=uuid.uuid4(), epoch_id=epoch.id, holder=holder, holder_id=holder_id)
    seal.sealed = holder_key.seal(private.seed, _where(seal.id))
    db.session.add(seal)
    db.session.flush()
    return seal


def live_recovery_key() -> RecoveryKey | None:
    """The recovery key whose words count now; None before the first start."""
    return db.session.scalars(sa.select(RecoveryKey).order_by(RecoveryKey.number.desc()).limit(1)).first()


def checked_recovery_key(recovery: RecoveryKey, *, vault: ServiceVault) -> PublicKey:
    where = Where("recovery_keys", "public_key", recovery.id)
    return vault.check_public_key(where, recovery.public_key, recovery.public_key_mac)


def _where(seal_id: uuid.UUID) -> Where:
    return Where("key_seals", "sealed", seal_id)


def _epoch(kind: EpochKind, number: int | None = None) -> KeyEpoch | None:
    """The newest epoch of a kind, or the one of this number."""
    query = sa.select(KeyEpoch).where(KeyEpoch.kind == kind).order_by(KeyEpoch.number.desc()).limit(1)
    return db.session.scalars(query if number is None else query.where(KeyEpoch.number == number)).first()


def _newest_mark(kind: EpochKind, vault: ServiceVault) -> EpochMark | None:
    return max(vault.epochs.get(kind.value, ()), key=lambda mark: mark.number, default=None)


def _holds_current(staff_id: uuid.UUID, kind: EpochKind, *, vault: ServiceVault) -> bool:
    epoch, _ = current(kind, vault=vault)
    return exists(KeySeal.epoch_id == epoch.id, KeySeal.holder == Holder.STAFF, KeySeal.holder_id == staff_id)


def _unlinked() -> list[tuple[KeyEpoch, KeyEpoch]]:
    """Pairs of successive epochs of which the older is not sealed to the newer, the newest pair first."""
    former, following = aliased(KeyEpoch), aliased(KeyEpoch)
    linked = sa.exists().where(
        KeySeal.epoch_id == former.id,
        KeySeal.holder == Holder.NEXT_EPOCH,
        KeySeal.holder_id == following.id,
    )
    pairs = db.session.execute(
        sa.select(former, following)
        .join(following, (following.kind == former.kind) & (following.number == former.number + 1))
        .where(~linked)
        .order_by(former.kind, former.number.desc())
    )
    return [(pair[0], pair[1]) for pair in pairs]
