"""What is written of each delivery: queued, suppressed, cancelled or expired, always by the table of moves.

Claiming and what comes of it is in `claims` and `results`. These functions write to the session of the caller,
who commits; each is one statement, however many rows it moves.
"""

import uuid
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ugly_mugs.database.engine import db, is_sqlite
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

# What a delivery that is over no longer needs. The provider's id goes later, see `forgetting`: without it nobody
# could ask the provider to forget the words.
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
    """Queue one message; False when the same was written before, which then stays as it is.

    `body` is for kinds whose words are one person's own; it is sealed here, so it needs the worker's vault.
    `recipient_id` is the owner of the address. Many messages at once are one INSERT … SELECT of their feature.
    """
    delivery_id = uuid.uuid4()
    sealed = None
    if body is not None:
        if vault is None:
            raise ValueError("only the worker can seal the words of a message")
        sealed = vault.seal_contact(body, Where("deliveries", "body", delivery_id), sizes=BODY_SIZES)
    insert = sqlite.insert if is_sqlite() else postgresql.insert
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
    """Nothing of this subject that still waits will leave; gives how many deliveries that ended."""
    return move(DeliveryState.CANCELLED, Delivery.kind == kind, Delivery.subject_id == subject_id)


def suppress(*, recipient_id: uuid.UUID, channel: Channel, sparing: Iterable[MessageKind] = ()) -> int:
    """Nothing that waits for this person on this channel will leave, but for the kinds to be spared."""
    return move(
        DeliveryState.SUPPRESSED,
        Delivery.recipient_id == recipient_id,
        Delivery.channel == channel,
        Delivery.kind.not_in(list(sparing)),
        sources=WAITING,
    )


def hold(*, kind: MessageKind, subject_id: uuid.UUID) -> int:
    """Set aside what waits, so that a long pause does not stand in the way of other messages."""
    return move(DeliveryState.HELD, Delivery.kind == kind, Delivery.subject_id == subject_id)


def let_go(*, kind: MessageKind, subject_id: uuid.UUID) -> int:
    """Queue again what was set aside."""
    return move(
        DeliveryState.QUEUED,
        Delivery.kind == kind,
        Delivery.subject_id == subject_id,
        sources={DeliveryState.HELD},
    )


def expire(now: datetime) -> int:
    """What waited too long is not sent any more."""
    return move(DeliveryState.EXPIRED, Delivery.expires_at <= now)


def forget_own_words(now: datetime) -> int:
    """Words that were one person's own and hold no longer (a code) go, also where nobody will say how it ended.

    What is under way or of unknown fate keeps them: a text is looked for by its words.
    """
    left = is_one_of([DeliveryState.ACCEPTED, DeliveryState.SENT, DeliveryState.UNCONFIRMED])
    forgotten = db.session.execute(
        sa.update(Delivery)
        .where(Delivery.body.is_not(None), Delivery.expires_at <= now, left)
        .values(body=None)
        .execution_options(synchronize_session=False)
    )
    return rows_of(forgotten)


def move(
    wanted: DeliveryState,
    *conditions: sa.ColumnElement[bool],
    sources: Collection[DeliveryState] | None = None,
    **values: Any,
) -> int:
    """Move every delivery that fits and may become `wanted`; `sources` narrows what it may have been."""
    moved = db.session.execute(
        sa.update(Delivery)
        .where(is_one_of(may_become(wanted, sources)), *conditions)
        .values(state=wanted, **(CLEARED if wanted in FINAL else {}), **values)
        .execution_options(synchronize_session=False)
    )
    return rows_of(moved)


def may_become(
    wanted: DeliveryState, sources: Collection[DeliveryState] | None = None
) -> frozenset[DeliveryState]:
    """The states from which `wanted` may be entered; a source that may not is a fault of ours."""
    legal = DELIVERY_MOVES.sources(wanted)
    if sources is None:
        return legal
    if not legal.issuperset(sources):
        raise ValueError(f"not every one of {sorted(sources)} may become {wanted}")
    return frozenset(sources)


def is_one_of(states: Iterable[DeliveryState]) -> sa.ColumnElement[bool]:
    """Written as literals: the partial indexes are found only by a condition that holds no parameter."""
    literals: list[sa.ColumnElement[str]] = [
        sa.literal_column(f"'{state.value}'") for state in sorted(states)
    ]
    return Delivery.state == literals[0] if len(literals) == 1 else Delivery.state.in_(literals)


def under_way(state: DeliveryState) -> sa.ColumnElement[bool]:
    """`attempting` or `unknown`, by the index of both."""
    # SQLite finds a partial index only when the very words of its condition are in the question.
    return sa.and_(is_one_of([DeliveryState.ATTEMPTING, DeliveryState.UNKNOWN]), is_one_of([state]))


def rows_of(result: Any) -> int:
    return max(cast("sa.CursorResult[Any]", result).rowcount, 0)
