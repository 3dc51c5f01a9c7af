"""Writing deliveries: enqueue, cancel, suppress, hold and expire, always by the table of moves.

Claiming is in `claims`, recording attempts in `attempts`. These functions write to the caller's session, and the
caller commits. Each is one statement, however many rows it moves.
"""

import uuid
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ugly_mugs.database.engine import db
from ugly_mugs.database.statements import change_rows, insert, rows_of
from ugly_mugs.outbox.models import (
    DELIVERY_MOVES,
    FINAL,
    WAITING,
    Channel,
    Delivery,
    DeliveryState,
    MessageKind,
)
from ugly_mugs.vault import Where, WorkerVault

BODY_SIZES = (1_024, 4_096)

# Set when a delivery reaches a final state. `provider_id` goes later (see `forgetting`), because without it the
# provider cannot be asked to empty the message.
CLEARED: dict[str, Any] = {"body": None, "lease_ends_at": None}


def enqueue(
    *,
    kind: MessageKind,
    subject_id: uuid.UUID,
    recipient_id: uuid.UUID,
    channel: Channel,
    priority: int,
    not_before: datetime,
    expires_at: datetime | None = None,
    wakes: bool = True,
    language: str = "en",
    level: str = "neutral",
    segments: int = 1,
    body: bytes | None = None,
    vault: WorkerVault | None = None,
) -> bool:
    """Queue one message. Returns False, and changes nothing, when the same delivery exists already.

    `recipient_id` is the owner of the address. `body` is for kinds whose text is one person's own; it is sealed
    here, which needs the worker's vault. For many messages at once, features use one INSERT … SELECT instead.
    """
    delivery_id = uuid.uuid4()
    sealed = None
    if body is not None:
        if vault is None:
            raise ValueError("only the worker can seal the body of a message")
        sealed = vault.seal_contact(body, Where("deliveries", "body", delivery_id), sizes=BODY_SIZES)
    written = db.session.execute(
        insert(Delivery)
        .values(
            id=delivery_id,
            kind=kind,
            subject_id=subject_id,
            recipient_id=recipient_id,
            channel=channel,
            state=DeliveryState.QUEUED,
            sender=0,
            priority=priority,
            wakes=wakes,
            not_before=not_before,
            expires_at=expires_at,
            language=language,
            level=level,
            segments=segments,
            attempt=0,
            retries=0,
            body=sealed,
        )
        .on_conflict_do_nothing(index_elements=["kind", "subject_id", "recipient_id", "channel"])
    )
    return rows_of(written) == 1


def cancel(*, kind: MessageKind, subject_id: uuid.UUID) -> int:
    return move(DeliveryState.CANCELLED, Delivery.kind == kind, Delivery.subject_id == subject_id)


def suppress(*, recipient_id: uuid.UUID, channel: Channel, sparing: Iterable[MessageKind] = ()) -> int:
    """Suppress everything that waits for this person on this channel, except the kinds in `sparing`."""
    return move(
        DeliveryState.SUPPRESSED,
        Delivery.recipient_id == recipient_id,
        Delivery.channel == channel,
        Delivery.kind.not_in(list(sparing)),
        sources=WAITING,
    )


def hold(*, kind: MessageKind, subject_id: uuid.UUID) -> int:
    """Hold what waits. Held rows are in no claim's way, however long the pause."""
    return move(DeliveryState.HELD, Delivery.kind == kind, Delivery.subject_id == subject_id)


def let_go(*, kind: MessageKind, subject_id: uuid.UUID) -> int:
    """Queue again what was held."""
    return move(
        DeliveryState.QUEUED,
        Delivery.kind == kind,
        Delivery.subject_id == subject_id,
        sources={DeliveryState.HELD},
    )


def expire(now: datetime) -> int:
    return move(DeliveryState.EXPIRED, Delivery.expires_at <= now)


def delete_expired_bodies(now: datetime) -> int:
    """Delete bodies (codes) of expired messages that left, also when no final status ever comes.

    Deliveries in `attempting` and `unknown` keep their body: an SMS of unknown fate is looked for by its text.
    """
    has_left = is_one_of([DeliveryState.ACCEPTED, DeliveryState.SENT, DeliveryState.UNCONFIRMED])
    bodies = sa.update(Delivery).where(Delivery.body.is_not(None), Delivery.expires_at <= now, has_left)
    return change_rows(bodies.values(body=None))


def move(
    wanted: DeliveryState,
    *conditions: sa.ColumnElement[bool],
    sources: Collection[DeliveryState] | None = None,
    **values: Any,
) -> int:
    """Move every delivery that meets the conditions and may become `wanted`; `sources` narrows its former state."""
    return change_rows(
        sa.update(Delivery)
        .where(is_one_of(DELIVERY_MOVES.sources(wanted, among=sources)), *conditions)
        .values(state=wanted, **(CLEARED if wanted in FINAL else {}), **values)
    )


def is_one_of(states: Iterable[DeliveryState]) -> sa.ColumnElement[bool]:
    """A condition with literals instead of parameters, which is what makes partial indexes usable."""
    literals: list[sa.ColumnElement[str]] = [
        sa.literal_column(f"'{state.value}'") for state in sorted(states)
    ]
    return Delivery.state == literals[0] if len(literals) == 1 else Delivery.state.in_(literals)


def under_way(states: Iterable[DeliveryState]) -> sa.ColumnElement[bool]:
    """In one of `states`, which are `attempting` or `unknown`; uses the partial index of both."""
    # SQLite uses a partial index only when the query contains the index's own condition.
    return sa.and_(is_one_of([DeliveryState.ATTEMPTING, DeliveryState.UNKNOWN]), is_one_of(states))
