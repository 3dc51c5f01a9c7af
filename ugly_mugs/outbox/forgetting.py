"""What a text said is forgotten at the provider too, once it is over; only then its number there leaves the ledger.

Nothing of this is urgent: it keeps to the sender's pace, to a tenth of it while texts wait to leave, and asks
little of a provider that does not answer. Being asked twice to forget a text, the provider forgets it once.
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
from ugly_mugs.outbox.quiet import is_quiet
from ugly_mugs.settings import QuietHours

log = logging.getLogger(__name__)

_D = DeliveryState

LARGEST_TURN = 500
# While texts wait to leave, one in so many of what the pace allows.
SHARE_BESIDE_SENDING = 10
# In seconds: how long nothing is looked for after nothing was found.
REST = 10.0
# Until when somebody else does not ask for the same text.
TAKEN_FOR = timedelta(minutes=5)
ASKED_AGAIN_AFTER = timedelta(hours=6)
# Reconciliation reads the provider's list from a little before an attempt. What is emptied only so long after it was
# sent cannot stand there beside a later text of unknown fate.
READABLE_FOR = timedelta(minutes=10)
# Long after this the provider knows how a text ended, even if it never told us.
STALE_AFTER = timedelta(days=3)
GIVE_UP_AFTER = timedelta(days=30)

_UNDER_WAY = [_D.ATTEMPTING, _D.UNKNOWN]
# One that waits belongs to an attempt that failed. It is emptied at once, because the next one writes over the id, and
# keeps the id until then: an emptied text whose id is known stands in no other's way when that is looked for.
_EARLIER_ATTEMPT = sorted(WAITING)
_SETTLED = sorted(FINAL)
_NEVER_SETTLED = [_D.ACCEPTED, _D.SENT, _D.UNCONFIRMED]


class Provider(Protocol):
    def forget(self, provider_id: str) -> bool:
        """Whether the words of this text are gone there, or NotSent when the provider cannot be asked just now."""
        ...


class _Outcome(Enum):
    GONE = auto()
    REFUSED = auto()
    UNASKED = auto()


@dataclass(frozen=True, slots=True)
class _Taken:
    """One text to be forgotten, by its number at the provider."""

    delivery_id: uuid.UUID
    provider_id: str
    attempted_at: datetime | None


class Forgetting:
    """The worker's side of it; it keeps its circuit from one turn to the next."""

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
        # Its own circuit: a provider that will not forget may still send, and the other way round.
        self.circuit = Circuit()
        self._provider = provider
        self._pace = pace
        self._lease = lease
        self._quiet_hours = quiet_hours
        self._clock = clock
        self._stop = stop
        self._rest_until = 0.0

    def turn(self) -> int:
        """Have the next few texts forgotten, at most one second's worth; gives how many are."""
        if self._stop.is_set() or self.circuit.is_open or time.monotonic() < self._rest_until:
            return 0
        taken = _take(self._most(), now=self._clock.now(), readable_for=READABLE_FOR + self._lease)
        if not taken:
            self._rest_until = time.monotonic() + REST
            return 0
        with ThreadPoolExecutor(min(len(taken), FORGOTTEN_AT_ONCE)) as askers:
            outcomes = list(askers.map(self._ask, taken))
        return _record(list(zip(taken, outcomes, strict=True)), now=self._clock.now())

    def _most(self) -> int:
        if self.circuit.is_testing:
            return 1
        most = min(self._pace, LARGEST_TURN)
        now = self._clock.now()
        # What waits for the morning is in nobody's way.
        if claims.is_anything_waiting(Channel.SMS, now=now, quiet=is_quiet(now, self._quiet_hours)):
            most //= SHARE_BESIDE_SENDING
        return max(1, most)

    def _ask(self, text: _Taken) -> _Outcome:
        if self._stop.is_set() or self.circuit.is_open:
            return _Outcome.UNASKED
        try:
            is_gone = self._provider.forget(text.provider_id)
        except NotSent as trouble:
            if self.circuit.failed():
                log.warning("the provider cannot be asked to forget texts", extra={"code": trouble.code})
            return _Outcome.UNASKED
        self.circuit.worked()
        return _Outcome.GONE if is_gone else _Outcome.REFUSED


def _take(most: int, *, now: datetime, readable_for: timedelta) -> list[_Taken]:
    """The next texts to be forgotten; nobody else asks for them until TAKEN_FOR has passed."""
    may_be_asked = sa.or_(Delivery.lease_ends_at.is_(None), Delivery.lease_ends_at <= now)
    found = _candidates(may_be_asked, most, now=now, readable_for=readable_for)
    with reading(), db.engine.connect() as connection:
        ids = list(connection.scalars(found))
    if not ids:
        return []
    with db.engine.begin() as connection:
        rows = connection.execute(
            sa.update(Delivery)
            .where(
                Delivery.id.in_(ids),
                # Somebody may have moved or taken them meanwhile.
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
    """Each state by itself, because only so the index gives the oldest without reading all that wait."""
    # What is looked for in the list of one person must not be emptied, nor stand beside what was.
    unsure = sa.select(Delivery.recipient_id).where(is_one_of(_UNDER_WAY)).cte("unsure")
    since = {
        **dict.fromkeys(_EARLIER_ATTEMPT, now),
        **dict.fromkeys(_SETTLED, now - readable_for),
        **dict.fromkeys(_NEVER_SETTLED, now - STALE_AFTER),
    }
    each_state = [
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
    return sa.union_all(*(sa.select(found.c.id) for found in each_state)).limit(most)


def _record(outcomes: Sequence[tuple[_Taken, _Outcome]], *, now: datetime) -> int:
    """Write down what was forgotten and when to ask again for what was not; gives how many are forgotten."""
    gone = [text for text, outcome in outcomes if outcome is _Outcome.GONE]
    refused = [text for text, outcome in outcomes if outcome is _Outcome.REFUSED]
    over = [text for text in refused if _is_over(text, now)]
    later = sa.literal(now + ASKED_AGAIN_AFTER, _MOMENT)
    if over:
        log.warning("the provider never forgot some texts; given up", extra={"count": len(over)})
    with db.engine.begin() as connection:
        for texts, values in (
            ([*gone, *over], _forgotten(later)),
            ([text for text in refused if text not in over], {"lease_ends_at": _unless_under_way(later)}),
        ):
            if texts:
                connection.execute(
                    _UPDATE.values(values),
                    [{"the_id": text.delivery_id, "the_provider_id": text.provider_id} for text in texts],
                )
    return len(gone)


def _is_over(text: _Taken, now: datetime) -> bool:
    return text.attempted_at is not None and text.attempted_at <= now - GIVE_UP_AFTER


def _forgotten(later: sa.ColumnElement[Any]) -> dict[str, Any]:
    """The number goes, but for that of an earlier attempt: being asked for it again costs the provider nothing."""
    waits = is_one_of(_EARLIER_ATTEMPT)
    return {
        "provider_id": sa.case((sa.or_(waits, is_one_of(_UNDER_WAY)), Delivery.provider_id), else_=sa.null()),
        "lease_ends_at": _unless_under_way(sa.case((waits, later), else_=sa.null())),
    }


def _unless_under_way(moment: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """A delivery that was claimed meanwhile has a lease of its own."""
    return sa.case((is_one_of(_UNDER_WAY), Delivery.lease_ends_at), else_=moment)


_MOMENT = Delivery.lease_ends_at.type
# A delivery that was sent again meanwhile has another number.
_UPDATE = sa.update(Delivery.__table__).where(  # type: ignore[arg-type]  # the table itself, so that no ORM stands between
    Delivery.id == sa.bindparam("the_id"), Delivery.provider_id == sa.bindparam("the_provider_id")
)
