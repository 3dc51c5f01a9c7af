"""Forgetting: settled SMS are emptied at the provider, and only then their provider id is deleted from the ledger.

Not urgent, so it uses at most the channel's pace, a tenth of it while messages wait to be sent, and it rests while
the provider does not answer. Emptying an SMS twice does no harm.
"""

import logging
import threading
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any, Protocol

import sqlalchemy as sa

from ugly_mugs.clock import Clock
from ugly_mugs.database.engine import db, reading
from ugly_mugs.outbox import claims
from ugly_mugs.outbox.gateways.transport import NotSent
from ugly_mugs.outbox.gateways.twilio import FORGOTTEN_AT_ONCE
from ugly_mugs.outbox.ledger import is_one_of
from ugly_mugs.outbox.models import FINAL, WAITING, Channel, Delivery, DeliveryState
from ugly_mugs.outbox.pace import Circuit
from ugly_mugs.quiet_hours import is_quiet
from ugly_mugs.settings import QuietHours

log = logging.getLogger(__name__)

_D = DeliveryState

LARGEST_BATCH = 500
# While messages wait to be sent, the pace is divided by this.
SHARE_BESIDE_SENDING = 10
# Seconds to rest after nothing was found.
REST = 10.0
# For how long no other worker takes the same SMS.
TAKEN_FOR = timedelta(minutes=5)
ASKED_AGAIN_AFTER = timedelta(hours=6)
# Reconciliation reads the provider's list from a little before an attempt. An SMS that stays readable this long after
# it was sent is no longer in that part of the list when it is emptied.
READABLE_FOR = timedelta(minutes=10)
# After this the provider has finished with an SMS, even if no final status ever came.
STALE_AFTER = timedelta(days=3)
GIVE_UP_AFTER = timedelta(days=30)

_UNDER_WAY = [_D.ATTEMPTING, _D.UNKNOWN]
# A waiting delivery with a provider id has a failed attempt. That is emptied at once, because the next attempt
# overwrites the id. The id is kept until then, so that reconciliation can tell the emptied SMS from a lost one.
_EARLIER_ATTEMPT = sorted(WAITING)
_SETTLED = sorted(FINAL)
_NEVER_SETTLED = [_D.ACCEPTED, _D.SENT, _D.UNCONFIRMED]


class Provider(Protocol):
    def forget(self, provider_id: str) -> bool:
        """Empty an SMS and return whether it is empty; raises NotSent when the provider cannot be asked now."""
        ...


class _Reply(Enum):
    EMPTIED = auto()
    REFUSED = auto()
    NOT_ASKED = auto()


@dataclass(frozen=True, slots=True)
class _Taken:
    delivery_id: uuid.UUID
    provider_id: str
    attempted_at: datetime | None


class Forgetting:
    """Empties settled SMS; keeps its circuit from one run to the next."""

    def __init__(
        self,
        *,
        provider: Provider,
        pace: int,
        lease: timedelta,
        quiet_hours: QuietHours,
        clock: Clock,
        stop: threading.Event,
    ) -> None:
        # A circuit of its own: a provider that cannot empty messages may still send them, and the reverse.
        self.circuit = Circuit()
        self._provider = provider
        self._pace = pace
        self._lease = lease
        self._quiet_hours = quiet_hours
        self._clock = clock
        self._stop = stop
        self._rest_until = 0.0

    def run(self) -> int:
        """Empty the next SMS, at most as many as one second of the pace; returns how many are empty."""
        if self._stop.is_set() or self.circuit.is_open or time.monotonic() < self._rest_until:
            return 0
        taken = _take(self._most(), now=self._clock.now(), readable_for=READABLE_FOR + self._lease)
        if not taken:
            self._rest_until = time.monotonic() + REST
            return 0
        with ThreadPoolExecutor(min(len(taken), FORGOTTEN_AT_ONCE)) as askers:
            replies = list(askers.map(self._ask, taken))
        return _record(list(zip(taken, replies, strict=True)), now=self._clock.now())

    def _most(self) -> int:
        if self.circuit.is_testing:
            return 1
        most = min(self._pace, LARGEST_BATCH)
        now = self._clock.now()
        # Messages that wait for the end of quiet hours do not count.
        if claims.is_anything_waiting(Channel.SMS, now=now, quiet=is_quiet(now, self._quiet_hours)):
            most //= SHARE_BESIDE_SENDING
        return max(1, most)

    def _ask(self, text: _Taken) -> _Reply:
        if self._stop.is_set() or self.circuit.is_open:
            return _Reply.NOT_ASKED
        try:
            is_empty = self._provider.forget(text.provider_id)
        except NotSent as trouble:
            if self.circuit.failed():
                log.warning("the provider cannot be asked to forget texts", extra={"code": trouble.code})
            return _Reply.NOT_ASKED
        self.circuit.worked()
        return _Reply.EMPTIED if is_empty else _Reply.REFUSED


def _take(most: int, *, now: datetime, readable_for: timedelta) -> list[_Taken]:
    """Take the next SMS to empty; no other worker takes them until TAKEN_FOR has passed."""
    may_be_asked = sa.or_(Delivery.lease_ends_at.is_(None), Delivery.lease_ends_at <= now)
    query = _candidates(may_be_asked, most, now=now, readable_for=readable_for)
    with reading(), db.engine.connect() as connection:
        ids = list(connection.scalars(query))
    if not ids:
        return []
    with db.engine.begin() as connection:
        rows = connection.execute(
            sa.update(Delivery)
            .where(
                Delivery.id.in_(ids),
                # Another worker may have moved or taken them meanwhile.
                sa.not_(is_one_of(_UNDER_WAY)),
                Delivery.provider_id.is_not(None),
                may_be_asked,
            )
            .values(lease_ends_at=now + TAKEN_FOR)
            .returning(Delivery.id, Delivery.provider_id, Delivery.attempted_at)
        ).all()
    return [_Taken(row.id, str(row.provider_id), row.attempted_at) for row in rows]


def _candidates(
    may_be_asked: sa.ColumnElement[bool], most: int, *, now: datetime, readable_for: timedelta
) -> sa.CompoundSelect[Any]:
    """One subquery for each state, so that the index gives the oldest of each without reading all."""
    # Reconciliation is looking for something sent to these people, and needs all that they were sent readable.
    unsure = sa.select(Delivery.recipient_id).where(is_one_of(_UNDER_WAY)).cte("unsure")
    since = {
        **dict.fromkeys(_EARLIER_ATTEMPT, now),
        **dict.fromkeys(_SETTLED, now - readable_for),
        **dict.fromkeys(_NEVER_SETTLED, now - STALE_AFTER),
    }
    by_state = [
        sa.select(Delivery.id)
        .where(
            is_one_of([state]),
            Delivery.provider_id.is_not(None),
            Delivery.attempted_at <= latest,
            may_be_asked,
            Delivery.recipient_id.not_in(sa.select(unsure.c.recipient_id)),
        )
        .order_by(Delivery.attempted_at)
        .limit(most)
        .subquery()
        for state, latest in since.items()
    ]
    return sa.union_all(*(sa.select(oldest.c.id) for oldest in by_state)).limit(most)


def _record(replies: Sequence[tuple[_Taken, _Reply]], *, now: datetime) -> int:
    """Record what was emptied, and when to ask again for what was not; returns how many are empty."""
    emptied = [text for text, reply in replies if reply is _Reply.EMPTIED]
    refused = [text for text, reply in replies if reply is _Reply.REFUSED]
    over = [text for text in refused if _is_over(text, now)]
    later = sa.literal(now + ASKED_AGAIN_AFTER, _MOMENT)
    if over:
        log.warning("the provider never forgot some texts; given up", extra={"count": len(over)})
    with db.engine.begin() as connection:
        for texts, values in (
            ([*emptied, *over], _forgotten(later)),
            ([text for text in refused if text not in over], {"lease_ends_at": _unless_under_way(later)}),
        ):
            if texts:
                connection.execute(
                    _UPDATE.values(values),
                    [{"the_id": text.delivery_id, "the_provider_id": text.provider_id} for text in texts],
                )
    return len(emptied)


def _is_over(text: _Taken, now: datetime) -> bool:
    return text.attempted_at is not None and text.attempted_at <= now - GIVE_UP_AFTER


def _forgotten(later: sa.ColumnElement[Any]) -> dict[str, Any]:
    """Delete the provider id, except that of an earlier attempt (see _EARLIER_ATTEMPT), which is asked for again."""
    waits = is_one_of(_EARLIER_ATTEMPT)
    return {
        "provider_id": sa.case((sa.or_(waits, is_one_of(_UNDER_WAY)), Delivery.provider_id), else_=sa.null()),
        "lease_ends_at": _unless_under_way(sa.case((waits, later), else_=sa.null())),
    }


def _unless_under_way(moment: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Keep the lease of a delivery that was claimed meanwhile."""
    return sa.case((is_one_of(_UNDER_WAY), Delivery.lease_ends_at), else_=moment)


_MOMENT = Delivery.lease_ends_at.type
# A delivery that was sent again meanwhile has another provider id and is left alone.
_UPDATE = sa.update(Delivery.__table__).where(  # type: ignore[arg-type]  # the table: a plain UPDATE, without the ORM's own steps
    Delivery.id == sa.bindparam("the_id"), Delivery.provider_id == sa.bindparam("the_provider_id")
)
