"""What became of claimed deliveries: written in batches, by the table of moves, for the attempt they belong to.

The sender's side of the ledger. Like claiming, these functions begin and commit transactions of their own: a
result must be on disk as soon as possible, whatever else happens to the worker.
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
from ugly_mugs.outbox.ledger import CLEARED, is_one_of, may_become, rows_of, under_way
from ugly_mugs.outbox.models import FINAL, Channel, Delivery, DeliveryState

_D = DeliveryState

# A message that certainly failed is tried again this often; an e-mail of unknown fate too, because its
# Message-ID lets a mailbox keep only one.
MOST_RETRIES = 2


@dataclass(frozen=True, slots=True)
class Result:
    """One attempt's fate. `not_before` and `retries` count only when it is queued again."""

    delivery_id: uuid.UUID
    attempt: int
    state: DeliveryState
    provider_id: str | None = None
    error_code: int | None = None
    not_before: datetime | None = None
    retries: int = 0
    look_at: datetime | None = None


# News from the sender itself may come after the lease has run out, but never undo what a callback said.
_FROM: dict[DeliveryState, Collection[DeliveryState]] = {
    _D.ACCEPTED: {_D.ATTEMPTING, _D.UNKNOWN, _D.UNCONFIRMED},
    _D.SENT: {_D.ATTEMPTING, _D.UNKNOWN, _D.UNCONFIRMED},
    _D.FAILED: {_D.ATTEMPTING, _D.UNKNOWN, _D.UNCONFIRMED},
    _D.SUPPRESSED: {_D.ATTEMPTING},
    _D.UNKNOWN: {_D.ATTEMPTING},
    _D.QUEUED: {_D.ATTEMPTING, _D.UNKNOWN},
}


def record(results: Sequence[Result]) -> None:
    """Write a batch down and commit it."""
    alike: dict[tuple[Any, ...], list[uuid.UUID]] = defaultdict(list)
    own: dict[DeliveryState, list[dict[str, Any]]] = defaultdict(list)
    for result in results:
        values = _values_of(result)
        if result.provider_id is None:
            alike[result.state, *values.items()].append(result.delivery_id)
        else:
            own[result.state].append(values | {"the_id": result.delivery_id})
    with db.engine.begin() as connection:
        for (state, *common), ids in alike.items():
            connection.execute(_statement_for_many(state), dict(common) | {"the_ids": ids})
        for state, batch in own.items():
            connection.execute(_statement_for_one(state), batch)


def _values_of(result: Result) -> dict[str, Any]:
    values: dict[str, Any] = {"the_attempt": result.attempt, "the_error": result.error_code}
    if result.state is _D.QUEUED:
        values |= {"the_time": result.not_before, "the_retries": result.retries}
    elif result.state is _D.UNKNOWN:
        values |= {"the_time": result.look_at}
    elif result.state not in FINAL:
        values |= {"the_provider_id": result.provider_id}
    return values


@cache
def _statement_for_one(state: DeliveryState) -> sa.Update:
    return _statement(state).where(Delivery.id == sa.bindparam("the_id"))


@cache
def _statement_for_many(state: DeliveryState) -> sa.Update:
    """For results that differ in nothing but the delivery: mails, refusals of a whole slice, what is put back."""
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
    return (
        sa.update(Delivery.__table__)  # type: ignore[arg-type]  # the table itself, so that no ORM stands between
        .where(Delivery.attempt == sa.bindparam("the_attempt"), is_one_of(may_become(state, _FROM[state])))
        .values(**values)
    )


def end_leases(*, now: datetime, unknown_wait: timedelta) -> int:
    """What was claimed and never heard of again: a text becomes `unknown`, an e-mail is sent again at most twice.

    Nobody knows whether the worker that had it died before or after the provider took it.
    """
    over = sa.and_(under_way(_D.ATTEMPTING), Delivery.lease_ends_at <= now)
    again = sa.and_(over, Delivery.channel == Channel.EMAIL, Delivery.retries < MOST_RETRIES)
    with db.engine.begin() as connection:
        requeued = connection.execute(
            sa.update(Delivery)
            .where(again)
            .values(state=_D.QUEUED, lease_ends_at=None, not_before=now, retries=Delivery.retries + 1)
        )
        lost = connection.execute(
            sa.update(Delivery).where(over).values(state=_D.UNKNOWN, lease_ends_at=now + unknown_wait)
        )
    return rows_of(requeued) + rows_of(lost)


def take_unknown(*, now: datetime, look_again: timedelta, most: int) -> list[uuid.UUID]:
    """The next deliveries to look for; nobody else looks for them until `look_again` has passed."""
    pick = (
        sa.select(Delivery.id)
        .where(under_way(_D.UNKNOWN), Delivery.lease_ends_at <= now)
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
    """What nobody could tell about for so long is shown as unconfirmed and never sent again."""
    with db.engine.begin() as connection:
        return rows_of(
            connection.execute(
                sa.update(Delivery)
                .where(under_way(_D.UNKNOWN), Delivery.attempted_at <= now - unknown_give_up)
                .values(state=_D.UNCONFIRMED, lease_ends_at=None)
            )
        )
