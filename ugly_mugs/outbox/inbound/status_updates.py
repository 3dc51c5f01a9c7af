"""What the provider says became of a text, by a callback or in its list: applied by the table of moves, or dropped.

News is unordered and comes more than once. It names a delivery and one attempt at it; it moves the delivery
forward only, and what is no legal move is counted and forgotten.
"""

import logging
import random
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from ugly_mugs.database.engine import db
from ugly_mugs.outbox import optouts
from ugly_mugs.outbox.attempts import MOST_RETRIES
from ugly_mugs.outbox.gateways.provider_codes import Action, action_for
from ugly_mugs.outbox.ledger import CLEARED
from ugly_mugs.outbox.models import DELIVERY_MOVES, FINAL, WAITING, Address, Delivery, DeliveryState
from ugly_mugs.outbox.registry import Registry

log = logging.getLogger(__name__)

_D = DeliveryState

STATES: dict[str, DeliveryState] = {
    "accepted": _D.ACCEPTED,
    "scheduled": _D.ACCEPTED,
    "queued": _D.ACCEPTED,
    "sending": _D.ACCEPTED,
    "sent": _D.SENT,
    "delivered": _D.DELIVERED,
    "read": _D.DELIVERED,
    "undelivered": _D.UNDELIVERED,
    "failed": _D.FAILED,
    "canceled": _D.FAILED,
}

RETRY_AFTER = (timedelta(minutes=2), timedelta(minutes=15))


@dataclass(frozen=True, slots=True)
class News:
    """One thing the provider said about one attempt."""

    delivery_id: uuid.UUID
    attempt: int
    state: DeliveryState
    provider_id: str | None = None
    error_code: int | None = None


def apply(registry: Registry, news: News, *, now: datetime) -> bool:
    """Move the delivery as the news says; False when that was no legal move. The caller commits."""
    delivery = db.session.get(Delivery, news.delivery_id, with_for_update=True)
    if delivery is None:
        registry.dropped_news["unknown delivery", news.state.value] += 1
        return False
    if delivery.state in WAITING:
        moved = _it_left_after_all(delivery, news)
    elif news.attempt != delivery.attempt:
        moved = False
    elif _is_worth_another_attempt(delivery, news, now):
        moved = True
        _queue_again(delivery, news, now)
    else:
        moved = _move(delivery, news)
    if moved:
        _tell(registry, delivery, news, now)
    else:
        registry.dropped_news[delivery.state.value, news.state.value] += 1
    return moved


def _move(delivery: Delivery, news: News) -> bool:
    if not DELIVERY_MOVES.allows(delivery.state, news.state):
        return False
    DELIVERY_MOVES.move(delivery, news.state)
    delivery.error_code = news.error_code
    delivery.lease_ends_at = None
    if news.provider_id:
        delivery.provider_id = news.provider_id
    if news.state in FINAL:
        _clear(delivery)
    return True


def _it_left_after_all(delivery: Delivery, news: News) -> bool:
    """A text that was taken for absent and waits to be sent again turns out to have gone: it must not go twice.

    Late news of an attempt that is known to have failed (its error stands in the row) is no such proof, unless
    it says that the text arrived.
    """
    arrived = news.state is _D.DELIVERED
    left = news.state in (_D.ACCEPTED, _D.SENT) and delivery.error_code is None
    if not arrived and not (left and news.attempt == delivery.attempt):
        return False
    DELIVERY_MOVES.move(delivery, _D.SUPPRESSED)
    # It did reach somebody, so a correction has to as well: see `may_have_left` in alerts/delivery.
    delivery.retries = max(delivery.retries, 1)
    delivery.provider_id = news.provider_id or delivery.provider_id
    _clear(delivery)
    return True


def _is_worth_another_attempt(delivery: Delivery, news: News, now: datetime) -> bool:
    return (
        news.state in (_D.UNDELIVERED, _D.FAILED)
        and action_for(news.error_code) is Action.AGAIN_AFTER_ACCEPTANCE
        and delivery.retries < MOST_RETRIES
        and (delivery.expires_at is None or delivery.expires_at > now)
        and DELIVERY_MOVES.allows(delivery.state, _D.QUEUED)
    )


def _queue_again(delivery: Delivery, news: News, now: datetime) -> None:
    DELIVERY_MOVES.move(delivery, _D.QUEUED)
    pause = RETRY_AFTER[min(delivery.retries, len(RETRY_AFTER) - 1)]
    delivery.not_before = now + pause * random.uniform(0.75, 1.25)  # noqa: S311  # nosec B311: jitter
    delivery.retries += 1
    delivery.error_code = news.error_code
    # Of the attempt that failed, until the provider has forgotten that or the next one has an id of its own.
    delivery.provider_id = news.provider_id or delivery.provider_id
    delivery.lease_ends_at = None


def _clear(delivery: Delivery) -> None:
    for name, value in CLEARED.items():
        setattr(delivery, name, value)


def _went_to_their_present_address(delivery: Delivery) -> bool:
    present = sa.select(Address.id).where(
        Address.owner_id == delivery.recipient_id, Address.channel == delivery.channel
    )
    return delivery.address_id is not None and db.session.scalar(present) == delivery.address_id


def _tell(registry: Registry, delivery: Delivery, news: News, now: datetime) -> None:
    """What a failure means beyond this delivery."""
    if news.error_code is None or news.state not in (_D.UNDELIVERED, _D.FAILED):
        return
    still_theirs = _went_to_their_present_address(delivery)
    match action_for(news.error_code):
        case Action.OPT_OUT if still_theirs:
            optouts.opt_out(
                registry=registry, owner_id=delivery.recipient_id, channel=delivery.channel, now=now
            )
        case Action.BAD_ADDRESS if still_theirs:
            optouts.nothing_arrives(owner_id=delivery.recipient_id, channel=delivery.channel)
        case Action.CONTENT:
            spec = registry.kinds.get(delivery.kind)
            if spec is not None and spec.refused is not None:
                spec.refused(delivery.subject_id)
        case Action.SENDER:
            if registry.circuits[delivery.channel].failed():
                log.error("texts fail because of our account or sender", extra={"code": news.error_code})
