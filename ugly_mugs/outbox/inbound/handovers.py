"""Handovers: what the web seals and only the worker can open and apply, such as a webhook or an address."""

import logging
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, TimeoutError as PoolTimeout

from ugly_mugs.database.engine import brief_reading, db
from ugly_mugs.database.sealed_json import Plain, SealedJson, UnknownVersion
from ugly_mugs.outbox.models import (
    HANDOVER_MOVES,
    Handover,
    HandoverKind,
    HandoverState,
)
from ugly_mugs.outbox.registry import Handler, OpenedHandover, Refused
from ugly_mugs.vault import CannotOpen, ServiceVault, WorkerVault

log = logging.getLogger(__name__)

# A webhook may have 64 kB; everything else fits the first size.
SIZES = (4_096, 16_384, 131_072)
BATCH = 200
KEPT = timedelta(hours=2)
REST = timedelta(seconds=10)
# A handover that fails for this long, counted from its first failure, is refused with an error in the log. Failures of
# the database do not count, nor does the time in which no worker ran.
GIVEN_UP_AFTER = timedelta(hours=1)

# What may be an opt-out is applied before everything else and is never refused for failing: after GIVEN_UP_AFTER it is
# tried less often.
FIRST = (HandoverKind.OPTED_OUT, HandoverKind.MESSAGE_CAME)
LONG_REST = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Resting:
    """A handover that could not be applied; `failing_since` is its first failure that was not the database's."""

    until: datetime
    failing_since: datetime | None


def _payload(plain: Plain) -> Mapping[str, Any]:
    # The dispatch key is public: whoever can write the database can seal something else to it.
    if not isinstance(plain, dict):
        raise ValueError("no payload")
    return plain


PAYLOADS: Final[SealedJson[Mapping[str, Any]]] = SealedJson(
    "requests", "sealed", sizes=SIZES, dump=dict, load={1: _payload}
)


def hand_over(
    *, vault: ServiceVault, kind: HandoverKind, payload: Mapping[str, Any], now: datetime
) -> Handover:
    """Add a handover to the session, sealed to the worker; the caller commits."""
    handover_id = uuid.uuid4()
    sealed = PAYLOADS.seal(payload, row=handover_id, sealer=vault.dispatch.seal)
    handover = Handover(
        id=handover_id, kind=kind, state=HandoverState.WAITING, sealed=sealed, received_at=now
    )
    db.session.add(handover)
    return handover


def apply_waiting(
    *,
    vault: WorkerVault,
    handlers: Mapping[HandoverKind, Handler],
    now: datetime,
    resting: dict[uuid.UUID, Resting] | None = None,
) -> int:
    """Apply everything that waits, opt-outs first; returns how many are done or refused.

    Handlers write to the session; this function commits. A handover whose handler fails stays waiting, delays no
    other, and rests until the moment noted in `resting`, which the caller keeps from one run to the next.
    """
    settled = 0
    resting = {} if resting is None else resting
    # Entries whose rest ended this long ago were applied since, here or by another worker.
    ended = [handover_id for handover_id, rest in resting.items() if rest.until <= now - GIVEN_UP_AFTER]
    for handover_id in ended:
        del resting[handover_id]
    while True:
        waiting = _waiting(
            excluding=[handover_id for handover_id, rest in resting.items() if rest.until > now]
        )
        if not waiting:
            return settled
        try:
            done = _apply(waiting, vault=vault, handlers=handlers, now=now)
        except Exception:
            # The failure of one rolled back its whole batch, so each gets a transaction of its own now.
            db.session.rollback()
            for handover_id in waiting:
                settled += _apply_alone(handover_id, resting, vault=vault, handlers=handlers, now=now)
            continue
        if not done:
            # Another worker is applying them.
            return settled
        settled += done


def sweep(now: datetime) -> None:
    db.session.execute(
        sa.delete(Handover).where(Handover.state != HandoverState.WAITING, Handover.received_at < now - KEPT)
    )
    db.session.commit()


def _waiting(excluding: Collection[uuid.UUID]) -> Sequence[uuid.UUID]:
    """The next batch: whatever may be an opt-out, and only when there is none, the rest; each the oldest first."""
    query = (
        sa.select(Handover.id)
        .where(Handover.state == sa.literal_column("'waiting'"), Handover.id.not_in(excluding))
        .order_by(Handover.received_at)
        .limit(BATCH)
    )
    with brief_reading():
        first = db.session.scalars(query.where(Handover.kind.in_(FIRST))).all()
        return first or db.session.scalars(query).all()


def _apply(
    handover_ids: Iterable[uuid.UUID],
    *,
    vault: WorkerVault,
    handlers: Mapping[HandoverKind, Handler],
    now: datetime,
) -> int:
    """Apply these in one transaction, without those that another worker has locked."""
    locked = db.session.scalars(
        sa.select(Handover)
        .where(Handover.id.in_(handover_ids), Handover.state == HandoverState.WAITING)
        .order_by(Handover.received_at)
        .with_for_update(skip_locked=True)
    ).all()
    for handover in locked:
        try:
            payload = _opened(handover, vault)
            handler = handlers.get(handover.kind)
            if handler is None:
                raise Refused("nobody handles this kind")
            handler(OpenedHandover(handover.id, handover.kind, payload, handover.received_at, now))
        except Refused:
            log.warning("a handover was refused", extra={"kind": handover.kind.value})
            HANDOVER_MOVES.move(handover, HandoverState.REFUSED)
        else:
            HANDOVER_MOVES.move(handover, HandoverState.DONE)
        handover.sealed = None
    # A service may commit here: each batch is complete in itself.
    db.session.commit()
    return len(locked)


def _apply_alone(
    handover_id: uuid.UUID,
    resting: dict[uuid.UUID, Resting],
    *,
    vault: WorkerVault,
    handlers: Mapping[HandoverKind, Handler],
    now: datetime,
) -> int:
    try:
        return _apply([handover_id], vault=vault, handlers=handlers, now=now)
    except Exception as fault:
        db.session.rollback()
        log.error("a handover was not applied", extra={"error": type(fault).__name__})
        return _rest(handover_id, resting, is_its_own_fault=not _is_the_databases(fault), now=now)


def _rest(
    handover_id: uuid.UUID, resting: dict[uuid.UUID, Resting], *, is_its_own_fault: bool, now: datetime
) -> int:
    """Let it rest, or refuse it when it has failed for too long; returns 1 when it was refused."""
    if not is_its_own_fault:
        resting[handover_id] = Resting(now + REST, None)
        return 0
    before = resting.get(handover_id)
    since = before.failing_since if before is not None and before.failing_since is not None else now
    is_long = since < now - GIVEN_UP_AFTER
    resting[handover_id] = Resting(now + (LONG_REST if is_long else REST), since)
    return _give_up_on(handover_id) if is_long else 0


def _is_the_databases(fault: Exception) -> bool:
    """Whether the database failed, not the handover. Values that it rejects are the handover's own fault."""
    return isinstance(fault, DBAPIError | PoolTimeout) and not isinstance(fault, DataError | IntegrityError)


def _give_up_on(handover_id: uuid.UUID) -> int:
    """Refuse it, unless it may be an opt-out; returns 1 when it was refused."""
    kind = db.session.scalar(
        sa.update(Handover)
        .where(
            Handover.id == handover_id,
            Handover.state.in_(HANDOVER_MOVES.sources(HandoverState.REFUSED)),
            Handover.kind.not_in(list(FIRST)),
        )
        .values(state=HandoverState.REFUSED, sealed=None)
        .returning(Handover.kind)
        .execution_options(synchronize_session=False)
    )
    db.session.commit()
    if kind is None:
        return 0
    log.error("a handover was put aside", extra={"kind": kind.value})
    return 1


def _opened(handover: Handover, vault: WorkerVault) -> Mapping[str, Any]:
    try:
        return PAYLOADS.open(handover.sealed or b"", row=handover.id, opener=vault.open_dispatch)
    except UnknownVersion:
        # A web process of a newer release wrote it, perhaps somebody's STOP: it waits for a worker of that release.
        raise
    except CannotOpen:
        raise Refused("nothing that can be read") from None
