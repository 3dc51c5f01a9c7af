"""Recording attempts: what became of claimed deliveries, in batches, by the table of moves.

As in `claims`, these functions begin and commit transactions of their own: what is known of an attempt must be on
disk as soon as possible, whatever else happens to the worker.
"""

import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa

from ugly_mugs.database.engine import db
from ugly_mugs.database.statements import rows_of
from ugly_mugs.outbox.ledger import CLEARED, is_one_of, under_way
from ugly_mugs.outbox.models import DELIVERY_MOVES, FINAL, Channel, Delivery, DeliveryState

_D = DeliveryState

# How often a message that certainly failed is tried again. Also an e-mail of unknown fate, because its Message-ID
# lets a mailbox keep only one copy.
MOST_RETRIES = 2


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of one attempt. `not_before` and `retries` count only when the delivery is queued again."""

    delivery_id: uuid.UUID
    number: int
    state: DeliveryState
    provider_id: str | None = None
    error_code: int | None = None
    not_before: datetime | None = None
    retries: int = 0
    look_at: datetime | None = None


# The sender may record an attempt after its lease ran out, but never over what a status callback said meanwhile.
_FROM: dict[DeliveryState, Collection[DeliveryState]] = {
    _D.ACCEPTED: {_D.ATTEMPTING, _D.UNKNOWN, _D.UNCONFIRMED},
    _D.SENT: {_D.ATTEMPTING, _D.UNKNOWN, _D.UNCONFIRMED},
    _D.FAILED: {_D.ATTEMPTING, _D.UNKNOWN, _D.UNCONFIRMED},
    _D.SUPPRESSED: {_D.ATTEMPTING},
    _D.UNKNOWN: {_D.ATTEMPTING},
    _D.QUEUED: {_D.ATTEMPTING, _D.UNKNOWN},
}


def record(attempts: Sequence[Attempt]) -> None:
    """Write these attempts to their deliveries and commit; one whose delivery has moved on changes nothing."""
    alike: dict[tuple[Any, ...], list[uuid.UUID]] = defaultdict(list)
    single: dict[DeliveryState, list[dict[str, Any]]] = defaultdict(list)
    for attempt in attempts:
        values = _values_of(attempt)
        if attempt.provider_id is None:
            alike[attempt.state, *values.items()].append(attempt.delivery_id)
        else:
            single[attempt.state].append(values | {"the_id": attempt.delivery_id})
    with db.engine.begin() as connection:
        for (state, *common), ids in alike.items():
            connection.execute(_statement_for_many(state), dict(common) | {"the_ids": ids})
        for state, batch in single.items():
            connection.execute(_statement_for_one(state), batch)


def _values_of(attempt: Attempt) -> dict[str, Any]:
    values: dict[str, Any] = {"the_attempt": attempt.number, "the_error": attempt.error_code}
    if attempt.state is _D.QUEUED:
        values |= {"the_time": attempt.not_before, "the_retries": attempt.retries}
    elif attempt.state is _D.UNKNOWN:
        values |= {"the_time": attempt.look_at}
    elif attempt.state not in FINAL:
        values |= {"the_provider_id": attempt.provider_id}
    return values


@cache
def _statement_for_one(state: DeliveryState) -> sa.Update:
    return _statement(state).where(Delivery.id == sa.bindparam("the_id"))


@cache
def _statement_for_many(state: DeliveryState) -> sa.Update:
    """For attempts that differ only in the delivery: e-mails, a batch that was refused or put back."""
    return _statement(state).where(Delivery.id.in_(sa.bindparam("the_ids", expanding=True)))


def _statement(state: DeliveryState) -> sa.Update:
    values: dict[str, Any] = {"state": state, "error_code": sa.bindparam("the_error", type_=sa.Integer)}
    if state in FINAL:
        values |= CLEARED
    elif state is _D.QUEUED:
        values |= {
            "lease_ends_at": None,
            "not_before": sa.bindparam("the_time"),
            "retries": sa.bindparam("the_retries"),
        }
    elif state is _D.UNKNOWN:
        values |= {"lease_ends_at": sa.bindparam("the_time")}
    else:
        values |= {"lease_ends_at": None, "provider_id": sa.bindparam("the_provider_id")}
    sources = DELIVERY_MOVES.sources(state, among=_FROM[state])
    return (
        sa.update(Delivery.__table__)  # type: ignore[arg-type]  # the table: a plain UPDATE, without the ORM's own steps
        .where(Delivery.attempt == sa.bindparam("the_attempt"), is_one_of(sources))
        .values(**values)
    )


def end_leases(*, now: datetime, unknown_wait: timedelta) -> int:
    """End the leases that ran out: an e-mail is queued again at most twice, anything else becomes `unknown`.

    Nobody can tell whether the worker died before or after the provider accepted the message.
    """
    over = Delivery.lease_ends_at <= now
    may_be_repeated = sa.and_(Delivery.channel == Channel.EMAIL, Delivery.retries < MOST_RETRIES)
    with db.engine.begin() as connection:
        requeued = connection.execute(
            sa.update(Delivery)
            .where(under_way(DELIVERY_MOVES.sources(_D.QUEUED, among={_D.ATTEMPTING})), over, may_be_repeated)
            .values(state=_D.QUEUED, lease_ends_at=None, not_before=now, retries=Delivery.retries + 1)
        )
        lost = connection.execute(
            sa.update(Delivery)
            .where(under_way(DELIVERY_MOVES.sources(_D.UNKNOWN)), over)
            .values(state=_D.UNKNOWN, lease_ends_at=now + unknown_wait)
        )
    return rows_of(requeued) + rows_of(lost)


def take_unknown(*, now: datetime, look_again: timedelta, most: int) -> list[uuid.UUID]:
    """Take the next deliveries to look for; no other worker takes them until `look_again` has passed."""
    pick = (
        sa.select(Delivery.id)
        .where(under_way([_D.UNKNOWN]), Delivery.lease_ends_at <= now)
        .order_by(Delivery.lease_ends_at)
        .limit(most)
        .with_for_update(skip_locked=True)
        .cte("pick")
        .prefix_with("MATERIALIZED")
    )
    with db.engine.begin() as connection:
        return list(
            connection.scalars(
                sa.update(Delivery)
                .where(Delivery.id == pick.c.id)
                .values(lease_ends_at=now + look_again)
                .returning(Delivery.id)
            )
        )


def give_up(*, now: datetime, unknown_give_up: timedelta) -> int:
    """Show as `unconfirmed`, and never send again, what has been unknown for too long; returns how many."""
    with db.engine.begin() as connection:
        return rows_of(
            connection.execute(
                sa.update(Delivery)
                .where(
                    under_way(DELIVERY_MOVES.sources(_D.UNCONFIRMED)),
                    Delivery.attempted_at <= now - unknown_give_up,
                )
                .values(state=_D.UNCONFIRMED, lease_ends_at=None)
            )
        )
