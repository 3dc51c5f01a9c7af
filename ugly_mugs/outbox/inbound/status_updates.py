"""Status updates of the provider, from a callback or its list: applied by the table of moves, or dropped.

Updates come in any order and more than once. Each names a delivery and one attempt. It can only move the delivery
forward; an update that is no legal move is counted and dropped.
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
class StatusUpdate:
    """What the provider said about one attempt."""

    delivery_id: uuid.UUID
    attempt: int
    state: DeliveryState
    provider_id: str | None = None
    error_code: int | None = None


def apply(registry: Registry, update: StatusUpdate, *, now: datetime) -> bool:
    """Move the delivery; False when that was no legal move. The caller commits."""
    delivery = db.session.get(Delivery, update.delivery_id, with_for_update=True)
    if delivery is None:
        registry.dropped_updates["unknown delivery", update.state.value] += 1
        return False
    if delivery.state in WAITING:
        moved = _suppress_if_sent(delivery, update)
    elif update.attempt != delivery.attempt:
        moved = False
    elif _is_worth_another_attempt(delivery, update, now):
        moved = True
        _queue_again(delivery, update, now)
    else:
        moved = _move(delivery, update)
    if moved:
        _apply_consequences(registry, delivery, update, now)
    else:
        registry.dropped_updates[delivery.state.value, update.state.value] += 1
    return moved


def _move(delivery: Delivery, update: StatusUpdate) -> bool:
    if not DELIVERY_MOVES.allows(delivery.state, update.state):
        return False
    DELIVERY_MOVES.move(delivery, update.state)
    delivery.error_code = update.error_code
    delivery.lease_ends_at = None
    if update.provider_id:
        delivery.provider_id = update.provider_id
    if update.state in FINAL:
        _clear(delivery)
    return True


def _suppress_if_sent(delivery: Delivery, update: StatusUpdate) -> bool:
    """Suppress a delivery that waits to be sent again if the update proves that it was sent; True when it did.

    A late update of an attempt that is known to have failed (the row has its error code) is no such proof, unless
    it says that the message was delivered.
    """
    arrived = update.state is _D.DELIVERED
    left = update.state in (_D.ACCEPTED, _D.SENT) and delivery.error_code is None
    if not arrived and not (left and update.attempt == delivery.attempt):
        return False
    DELIVERY_MOVES.move(delivery, _D.SUPPRESSED)
    # The recipient has it, so a correction must reach them too: see `may_have_left` in alerts/delivery.
    delivery.retries = max(delivery.retries, 1)
    delivery.provider_id = update.provider_id or delivery.provider_id
    _clear(delivery)
    return True


def _is_worth_another_attempt(delivery: Delivery, update: StatusUpdate, now: datetime) -> bool:
    return (
        update.state in (_D.UNDELIVERED, _D.FAILED)
        and action_for(update.error_code) is Action.AGAIN_AFTER_ACCEPTANCE
        and delivery.retries < MOST_RETRIES
        and (delivery.expires_at is None or delivery.expires_at > now)
        and DELIVERY_MOVES.allows(delivery.state, _D.QUEUED)
    )


def _queue_again(delivery: Delivery, update: StatusUpdate, now: datetime) -> None:
    DELIVERY_MOVES.move(delivery, _D.QUEUED)
    pause = RETRY_AFTER[min(delivery.retries, len(RETRY_AFTER) - 1)]
    delivery.not_before = now + pause * random.uniform(0.75, 1.25)  # noqa: S311  # nosec B311: jitter
    delivery.retries += 1
    delivery.error_code = update.error_code
    # The id of the failed attempt, until the provider has emptied it or the next attempt has its own.
    delivery.provider_id = update.provider_id or delivery.provider_id
    delivery.lease_ends_at = None


def _clear(delivery: Delivery) -> None:
    """The same columns as `ledger.CLEARED`."""
    delivery.body = delivery.lease_ends_at = None


def _went_to_present_address(delivery: Delivery) -> bool:
    present = sa.select(Address.id).where(
        Address.owner_id == delivery.recipient_id, Address.channel == delivery.channel
    )
    return delivery.address_id is not None and db.session.scalar(present) == delivery.address_id


def _apply_consequences(registry: Registry, delivery: Delivery, update: StatusUpdate, now: datetime) -> None:
    """What a failure means for the address, the subject or the channel."""
    if update.error_code is None or update.state not in (_D.UNDELIVERED, _D.FAILED):
        return
    is_present_address = _went_to_present_address(delivery)
    match action_for(update.error_code):
        case Action.OPT_OUT if is_present_address:
            optouts.opt_out(
                registry=registry, owner_id=delivery.recipient_id, channel=delivery.channel, now=now
            )
        case Action.BAD_ADDRESS if is_present_address:
            optouts.nothing_arrives(owner_id=delivery.recipient_id, channel=delivery.channel)
        case Action.CONTENT:
            spec = registry.kinds.get(delivery.kind)
            if spec is not None and spec.stop is not None:
                spec.stop(delivery.subject_id)
        case Action.SENDER:
            if registry.circuits[delivery.channel].failed():
                log.error("texts fail because of our account or sender", extra={"code": update.error_code})
