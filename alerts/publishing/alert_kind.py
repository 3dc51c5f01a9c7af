"""Alerts as a kind of message for the outbox: the claim condition, the approved texts, and stopping."""

import uuid
from collections.abc import Mapping, Sequence
from threading import Lock

import sqlalchemy as sa

from alerts.delivery import queries as delivery_queries
from alerts.membership.models import Level
from alerts.membership.queries import levels_of, receives, wants_to_be_woken
from alerts.publishing import queries, stopping
from alerts.publishing.models import IN_EFFECT, Alert, Change
from alerts.publishing.queries import released
from alerts.publishing.texts import message_text
from alerts.publishing.texts.snapshots import NotAsApproved, Snapshot, Snapshots
from ugly_mugs.database.engine import brief_reading
from ugly_mugs.outbox.models import Channel, Delivery, MessageKind
from ugly_mugs.outbox.registry import CLAIM_TIME, IS_QUIET, Claimed, MessageKindSpec, MessageText, Unfit
from ugly_mugs.runtime import runtime

# How many messages may be sent between two counts of the ledger, because a count takes longer the larger an alert is.
RECOUNT = 50_000

NOT_AS_APPROVED = Unfit("not_as_approved")
OVER_BUDGET = Unfit("over_budget")


def gate() -> sa.ColumnElement[bool]:
    """SQL condition for claiming a delivery: the alert is in effect, its output released, and the member wants it."""
    in_effect = sa.exists().where(
        Alert.id == Delivery.subject_id,
        Alert.state.in_(sorted(IN_EFFECT)),
        sa.or_(Alert.expires_at.is_(None), Alert.expires_at > CLAIM_TIME),
        released(),
    )
    # Read at every claim, because members may change their preferences after the delivery was written.
    may_wake = sa.or_(sa.not_(IS_QUIET), wants_to_be_woken(Delivery.recipient_id.expression))
    return sa.and_(
        in_effect, may_wake, receives(Delivery.recipient_id.expression, Delivery.channel.expression)
    )


class Budget:
    """How many messages of each alert this process may still send, according to its latest count of the ledger."""

    def __init__(self) -> None:
        self._left: dict[uuid.UUID, int] = {}
        self._until_recount: dict[uuid.UUID, int] = {}
        self._lock = Lock()

    def allows(self, alert_id: uuid.UUID, messages: int, *, budget: int) -> bool:
        """Deduct these messages; False when the alert then exceeds its budget."""
        with self._lock:
            if self._until_recount.get(alert_id, 0) < messages:
                # The ledger already counts these messages as attempted, because they are claimed.
                attempted = delivery_queries.attempted(MessageKind.ALERT, alert_id)
                self._left[alert_id] = budget - max(attempted - messages, 0)
                self._until_recount[alert_id] = max(RECOUNT, messages)
            self._left[alert_id] -= messages
            self._until_recount[alert_id] -= messages
            return self._left[alert_id] >= 0


class TextCache:
    """Snapshots, budgets and texts that one worker process keeps in memory."""

    def __init__(self) -> None:
        self.snapshots = Snapshots()
        self.budget = Budget()
        self._texts: dict[tuple[uuid.UUID, bytes, Channel, str, str], MessageText | None] = {}

    def text(self, snapshot: Snapshot, channel: Channel, language: str, level: str) -> MessageText | None:
        """The same object for all members who get the same text, so that an e-mail is rendered once."""
        key = (snapshot.alert_id, snapshot.approval, channel, language, level)
        if key not in self._texts:
            if len(self._texts) > 1_000:
                self._texts.clear()
            self._texts[key] = _text(snapshot, channel, language, level)
        return self._texts[key]


def texts_of(claimed: Sequence[Claimed]) -> Mapping[uuid.UUID, MessageText | Unfit | None]:
    """The text of each delivery by its id; Unfit when the alert differs from its approval or exceeds its budget."""
    cache = runtime().process_state.of(TextCache)
    with brief_reading():
        levels = levels_of({delivery.recipient_id for delivery in claimed})
    texts: dict[uuid.UUID, MessageText | Unfit | None] = {}
    for alert_id in {delivery.subject_id for delivery in claimed}:
        deliveries = [delivery for delivery in claimed if delivery.subject_id == alert_id]
        snapshot = _verified(alert_id, len(deliveries), cache)
        for delivery in deliveries:
            if isinstance(snapshot, Unfit):
                texts[delivery.id] = snapshot
            else:
                level = _lower_level(delivery.level, levels.get(delivery.recipient_id))
                texts[delivery.id] = cache.text(snapshot, delivery.channel, delivery.language, level)
    return texts


def _lower_level(at_approval: str, now: Level | None) -> str:
    """The lower level, because the member may have chosen neutral messages after the delivery was written."""
    return Level.FULL if at_approval == Level.FULL and now is Level.FULL else Level.NEUTRAL


def _verified(alert_id: uuid.UUID, messages: int, cache: TextCache) -> Snapshot | Unfit:
    budget = runtime().settings.messages_per_alert
    with brief_reading():
        try:
            snapshot = cache.snapshots.of(alert_id, vault=runtime().vault)
            return snapshot if cache.budget.allows(alert_id, messages, budget=budget) else OVER_BUDGET
        except NotAsApproved:
            return NOT_AS_APPROVED


def _text(snapshot: Snapshot, channel: Channel, language: str, level: str) -> MessageText | None:
    text = snapshot.text(channel, language, level)
    if text is None:
        return None
    if channel is Channel.SMS:
        return MessageText(text=text)
    changed = snapshot.change is not Change.FIRST
    subject = message_text.subject(
        snapshot.reference, changed=changed, language=snapshot.language_for(language)
    )
    return MessageText(text=text, subject=subject)


def stop(alert_id: uuid.UUID) -> None:
    """Pause an alert that is unfit or whose text the provider refuses, until it is resumed. The caller commits."""
    alert = queries.locked_or_none(alert_id)
    if alert is not None:
        stopping.stop(alert, day=runtime().clock.now().date())


ALERT = MessageKindSpec(kind=MessageKind.ALERT, gate=gate, texts_of=texts_of, stop=stop)
