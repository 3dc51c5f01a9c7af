"""What the web hands to the worker: sealed where it was typed, opened and applied where addresses can be read."""

import json
import logging
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa

from ugly_mugs.db import db, reading
from ugly_mugs.outbox.kinds import HandedOver, Handler
from ugly_mugs.outbox.models import Request, RequestKind, RequestState
from ugly_mugs.vault import CannotOpen, ServiceVault, Where, WorkerVault

log = logging.getLogger(__name__)

# A webhook may be 64 kB; everything the pages hand over fits the first size.
SIZES = (4_096, 16_384, 131_072)
SLICE = 200
KEPT = timedelta(hours=2)
REST = timedelta(seconds=10)
# A request that fails for this long is not a lost database but a fault: it is put aside and said.
GIVEN_UP_AFTER = timedelta(hours=1)

# Somebody who wants no more messages waits for nobody.
FIRST = (RequestKind.OPTED_OUT, RequestKind.MESSAGE_CAME)


class Refused(Exception):
    """A request that is not what it should be: a wrong signature, or nothing that can be read."""


def hand_over(
    *, vault: ServiceVault, kind: RequestKind, payload: Mapping[str, Any], now: datetime
) -> Request:
    """Add a request to the session, sealed so that only the worker reads it; the caller commits."""
    request_id = uuid.uuid4()
    plain = json.dumps(payload, ensure_ascii=False).encode()
    sealed = vault.dispatch().seal(plain, Where("requests", "sealed", request_id), sizes=SIZES)
    request = Request(id=request_id, kind=kind, state=RequestState.WAITING, sealed=sealed, received_at=now)
    db.session.add(request)
    return request


def apply_waiting(
    *,
    vault: WorkerVault,
    handlers: Mapping[RequestKind, Handler],
    now: datetime,
    resting: dict[uuid.UUID, datetime] | None = None,
) -> int:
    """Apply everything that waits, opt-outs before anything else; gives how many were settled.

    Handlers write to the session and leave the commit to this function. What cannot be applied just now (its
    handler failed) stays waiting, delays nothing else, and rests until the moment noted in `resting`.
    """
    settled = 0
    resting = {} if resting is None else resting
    for request_id in [each for each, until in resting.items() if until <= now]:
        del resting[request_id]
    while True:
        waiting = _waiting(excluding=resting)
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


def _waiting(excluding: Iterable[uuid.UUID]) -> Sequence[uuid.UUID]:
    """The next slice: everything that may be an opt-out, and only when there is none, the rest in its order."""
    asked = (
        sa.select(Request.id)
        .where(Request.state == sa.literal_column("'waiting'"), Request.id.not_in(list(excluding)))
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
    resting: dict[uuid.UUID, datetime],
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
        resting[request_id] = now + REST
        return _give_up_on(request_id, now)


def _give_up_on(request_id: uuid.UUID, now: datetime) -> int:
    """Put aside what has failed for an hour; gives 1 when it did."""
    given_up = db.session.execute(
        sa.update(Request)
        .where(
            Request.id == request_id,
            Request.state == RequestState.WAITING,
            Request.received_at < now - GIVEN_UP_AFTER,
        )
        .values(state=RequestState.REFUSED, sealed=None)
    )
    db.session.commit()
    return max(cast("sa.CursorResult[Any]", given_up).rowcount, 0)


def _opened(request: Request, vault: WorkerVault) -> dict[str, Any]:
    try:
        plain = vault.open_dispatch(request.sealed or b"", Where("requests", "sealed", request.id))
        payload = json.loads(plain)
    except (CannotOpen, ValueError):
        raise Refused("nothing that can be read") from None
    if not isinstance(payload, dict):
        raise Refused("nothing that can be read")
    return payload
