"""What the web hands to the worker: sealed where it was typed, opened and applied where addresses can be read."""

import logging
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, TimeoutError as PoolTimeout

from ugly_mugs.database.engine import db, reading
from ugly_mugs.database.sealed_json import Plain, SealedJson, UnknownVersion
from ugly_mugs.outbox.models import Request, RequestKind, RequestState
from ugly_mugs.outbox.registry import HandedOver, Handler, Refused
from ugly_mugs.vault import CannotOpen, ServiceVault, WorkerVault

log = logging.getLogger(__name__)

# A webhook may be 64 kB; everything the pages hand over fits the first size.
SIZES = (4_096, 16_384, 131_072)
SLICE = 200
KEPT = timedelta(hours=2)
REST = timedelta(seconds=10)
# A request that fails for this long, counted from its first failure, will not be mended by waiting: it is put aside
# and said. The database's own trouble never counts, nor does the time in which no worker ran.
GIVEN_UP_AFTER = timedelta(hours=1)

# Somebody who wants no more messages waits for nobody, and what may be their STOP is never put aside: after the same
# time it is only tried less often.
FIRST = (RequestKind.OPTED_OUT, RequestKind.MESSAGE_CAME)
LONG_REST = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Resting:
    """A request that could not be applied; `failing_since` is its first failure that was not the database's."""

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
    *, vault: ServiceVault, kind: RequestKind, payload: Mapping[str, Any], now: datetime
) -> Request:
    """Add a request to the session, sealed so that only the worker reads it; the caller commits."""
    request_id = uuid.uuid4()
    sealed = PAYLOADS.seal(payload, row=request_id, sealer=vault.dispatch().seal)
    request = Request(id=request_id, kind=kind, state=RequestState.WAITING, sealed=sealed, received_at=now)
    db.session.add(request)
    return request


def apply_waiting(
    *,
    vault: WorkerVault,
    handlers: Mapping[RequestKind, Handler],
    now: datetime,
    resting: dict[uuid.UUID, Resting] | None = None,
) -> int:
    """Apply everything that waits, opt-outs before anything else; gives how many were settled.

    Handlers write to the session and leave the commit to this function. What cannot be applied just now (its
    handler failed) stays waiting, delays nothing else, and rests until the moment noted in `resting`, where the
    caller keeps it from one turn to the next.
    """
    settled = 0
    resting = {} if resting is None else resting
    # Those whose rest ended so long ago were settled with their slice, or by another worker.
    for request_id in [each for each, rest in resting.items() if rest.until <= now - GIVEN_UP_AFTER]:
        del resting[request_id]
    while True:
        waiting = _waiting(excluding=[each for each, rest in resting.items() if rest.until > now])
        if not waiting:
            return settled
        try:
            done = _apply(waiting, vault=vault, handlers=handlers, now=now)
        except Exception:
            # Whichever it was undid the others of its slice, so now each gets a transaction of its own.
            db.session.rollback()
            for request_id in waiting:
                settled += _apply_alone(request_id, resting, vault=vault, handlers=handlers, now=now)
            continue
        if not done:
            # Another worker is applying them.
            return settled
        settled += done


def sweep(now: datetime) -> None:
    """Forget requests that were done or refused; nobody asks for one that long ago."""
    db.session.execute(
        sa.delete(Request).where(Request.state != RequestState.WAITING, Request.received_at < now - KEPT)
    )
    db.session.commit()


def _waiting(excluding: Collection[uuid.UUID]) -> Sequence[uuid.UUID]:
    """The next slice: everything that may be an opt-out, and only when there is none, the rest in its order."""
    asked = (
        sa.select(Request.id)
        .where(Request.state == sa.literal_column("'waiting'"), Request.id.not_in(excluding))
        .order_by(Request.received_at)
        .limit(SLICE)
    )
    with reading():
        first = db.session.scalars(asked.where(Request.kind.in_(FIRST))).all()
        found = first or db.session.scalars(asked).all()
        db.session.rollback()
    return found


def _apply(
    request_ids: Iterable[uuid.UUID],
    *,
    vault: WorkerVault,
    handlers: Mapping[RequestKind, Handler],
    now: datetime,
) -> int:
    """Apply these in one transaction, leaving out what another worker is applying."""
    mine = db.session.scalars(
        sa.select(Request)
        .where(Request.id.in_(request_ids), Request.state == RequestState.WAITING)
        .order_by(Request.received_at)
        .with_for_update(skip_locked=True)
    ).all()
    for request in mine:
        try:
            payload = _opened(request, vault)
            handler = handlers.get(request.kind)
            if handler is None:
                raise Refused("nobody handles this kind")
            handler(HandedOver(request.id, request.kind, payload, request.received_at, now))
        except Refused:
            log.warning("a request was refused", extra={"kind": request.kind.value})
            request.state = RequestState.REFUSED
        else:
            request.state = RequestState.DONE
        request.sealed = None
    # One of the places where a service commits: each slice is whole in itself.
    db.session.commit()
    return len(mine)


def _apply_alone(
    request_id: uuid.UUID,
    resting: dict[uuid.UUID, Resting],
    *,
    vault: WorkerVault,
    handlers: Mapping[RequestKind, Handler],
    now: datetime,
) -> int:
    try:
        return _apply([request_id], vault=vault, handlers=handlers, now=now)
    except Exception as fault:
        db.session.rollback()
        log.error("request not applied", extra={"error": type(fault).__name__})
        return _rest(request_id, resting, is_its_own_fault=not _is_the_databases(fault), now=now)


def _rest(
    request_id: uuid.UUID, resting: dict[uuid.UUID, Resting], *, is_its_own_fault: bool, now: datetime
) -> int:
    """Leave this one alone for a while, or put it aside when it has failed for too long; gives 1 when it did."""
    if not is_its_own_fault:
        resting[request_id] = Resting(now + REST, None)
        return 0
    before = resting.get(request_id)
    since = before.failing_since if before is not None and before.failing_since is not None else now
    is_long = since < now - GIVEN_UP_AFTER
    resting[request_id] = Resting(now + (LONG_REST if is_long else REST), since)
    return _give_up_on(request_id) if is_long else 0


def _is_the_databases(fault: Exception) -> bool:
    """Whether it says nothing of the request. Values that the database will not take do: no time mends those."""
    return isinstance(fault, DBAPIError | PoolTimeout) and not isinstance(fault, DataError | IntegrityError)


def _give_up_on(request_id: uuid.UUID) -> int:
    """Put this one aside, unless it may be somebody's STOP; gives 1 when it did."""
    kind = db.session.scalar(
        sa.update(Request)
        .where(
            Request.id == request_id, Request.state == RequestState.WAITING, Request.kind.not_in(list(FIRST))
        )
        .values(state=RequestState.REFUSED, sealed=None)
        .returning(Request.kind)
        .execution_options(synchronize_session=False)
    )
    db.session.commit()
    if kind is None:
        return 0
    log.error("a request was put aside", extra={"kind": kind.value})
    return 1


def _opened(request: Request, vault: WorkerVault) -> Mapping[str, Any]:
    try:
        return PAYLOADS.open(request.sealed or b"", row=request.id, opener=vault.open_dispatch)
    except UnknownVersion:
        # A web process of a newer release wrote it, perhaps somebody's STOP: it waits for a worker of that release.
        raise
    except CannotOpen:
        raise Refused("nothing that can be read") from None
