"""Reads about the deliveries of one subject."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import sqlalchemy as sa

from ugly_mugs.database.engine import db
from ugly_mugs.database.statements import count, exists
from ugly_mugs.outbox.models import WAITING as WAITING, Channel, Delivery, DeliveryState, FanOut, MessageKind

_D = DeliveryState
# The groups shown at the desk; with `WAITING`, each state is in exactly one of them.
UNDER_WAY = frozenset({_D.ATTEMPTING, _D.UNKNOWN, _D.ACCEPTED, _D.SENT})
ARRIVED = frozenset({_D.DELIVERED})
UNSURE = frozenset({_D.UNCONFIRMED})
FAILED = frozenset({_D.UNDELIVERED, _D.FAILED})
NOT_SENT = frozenset({_D.SUPPRESSED, _D.EXPIRED, _D.CANCELLED})


@dataclass(frozen=True)
class Counts:
    by: Counter[tuple[Channel, DeliveryState]] = field(default_factory=Counter)

    def of(self, channel: Channel, states: Iterable[DeliveryState] = DeliveryState) -> int:
        return sum(self.by[channel, state] for state in states)

    def total(self, states: Iterable[DeliveryState] = DeliveryState) -> int:
        states = list(states)
        return sum(self.of(channel, states) for channel in Channel)


def counts(kind: MessageKind, subject_id: UUID) -> Counts:
    query = (
        sa.select(Delivery.channel, Delivery.state, sa.func.count())
        .where(Delivery.kind == kind, Delivery.subject_id == subject_id)
        .group_by(Delivery.channel, Delivery.state)
    )
    return Counts(Counter({(channel, state): number for channel, state, number in db.session.execute(query)}))


def has_pending(kind: MessageKind, subject_id: UUID) -> bool:
    """Whether any delivery of this subject waits or is being sent now."""
    pending = Delivery.state.in_([_D.QUEUED, _D.HELD, _D.ATTEMPTING])
    return exists(Delivery.kind == kind, Delivery.subject_id == subject_id, pending)


def attempted(kind: MessageKind, subject_id: UUID) -> int:
    """The number of deliveries of this subject that were tried at least once."""
    return count(Delivery.kind == kind, Delivery.subject_id == subject_id, Delivery.attempt > 0)


def unfinished(kind: MessageKind) -> Sequence[UUID]:
    """The subjects whose deliveries are not all written yet."""
    return db.session.scalars(
        sa.select(FanOut.subject_id).where(FanOut.kind == kind, sa.not_(FanOut.done)).order_by(FanOut.id)
    ).all()
