"""Alerts as the outbox sends them: the condition under which one may be claimed, and its words."""

import uuid
from collections.abc import Mapping, Sequence
from logging import getLogger
from threading import Lock
from typing import cast

import sqlalchemy as sa
from flask import current_app

from alerts.delivery import queries as delivery_queries
from alerts.membership.models import Level
from alerts.membership.queries import levels_of, receives, wants_to_be_woken
from alerts.publishing import queries, stopping
from alerts.publishing.models import SENDING, Alert, Change
from alerts.publishing.queries import released
from alerts.publishing.texts import message_text
from alerts.publishing.texts.snapshots import NotAsApproved, Snapshot, Snapshots
from ugly_mugs.database.engine import db, reading, writing
from ugly_mugs.outbox.models import Channel, Delivery, MessageKind
from ugly_mugs.outbox.registry import CLAIM_TIME, IS_QUIET, Claimed, MessageKindSpec, Words
from ugly_mugs.runtime import runtime

log = getLogger(__name__)

# How many messages may leave between two looks at the ledger: counting each time would grow with the alert.
RECOUNT = 50_000


def gate() -> sa.ColumnElement[bool]:
    """The alert is on its way and not over, the reporter lets it leave as approved, and the member wants it."""
    on_its_way = sa.exists().where(
        Alert.id == Delivery.subject_id,
        Alert.state.in_(sorted(SENDING)),
        sa.or_(Alert.expires_at.is_(None), Alert.expires_at > CLAIM_TIME),
        released(),
    )
    # Who no longer wants to be woken is not, whatever was true when the delivery was written.
    may_ring = sa.or_(sa.not_(IS_QUIET), wants_to_be_woken(Delivery.recipient_id.expression))
    return sa.and_(
        on_its_way, may_ring, receives(Delivery.recipient_id.expression, Delivery.channel.expression)
    )


class Sent:
    """How many messages of each alert may still leave from this process, by the ledger as it was last counted."""

    def __init__(self) -> None:
        self._left: dict[uuid.UUID, int] = {}
        self._until_recount: dict[uuid.UUID, int] = {}
        self._lock = Lock()

    def allows(self, alert_id: uuid.UUID, messages: int, *, budget: int) -> bool:
        """Take these from what is left; False when that is more than the budget of one alert."""
        with self._lock:
            if self._until_recount.get(alert_id, 0) < messages:
                # Those about to be sent are claimed already and counted with the others.
                tried = delivery_queries.attempted(MessageKind.ALERT, alert_id)
                self._left[alert_id] = budget - max(tried - messages, 0)
                self._until_recount[alert_id] = max(RECOUNT, messages)
            self._left[alert_id] -= messages
            self._until_recount[alert_id] -= messages
            return self._left[alert_id] >= 0


class Spoken:
    """What one worker keeps of the alerts it sends."""

    def __init__(self) -> None:
        self.snapshots = Snapshots()
        self.sent = Sent()
        self._words: dict[tuple[uuid.UUID, bytes, Channel, str, str], Words | None] = {}

    def words(self, snapshot: Snapshot, channel: Channel, language: str, level: str) -> Words | None:
        """One object for everybody who gets the same, so that an e-mail is rendered once."""
        key = (snapshot.alert_id, snapshot.approval, channel, language, level)
        if key not in self._words:
            if len(self._words) > 1_000:
                self._words.clear()
            self._words[key] = _words(snapshot, channel, language, level)
        return self._words[key]


def words(claimed: Sequence[Claimed]) -> Mapping[uuid.UUID, Words | None]:
    """The approved words by delivery. An alert that is not as approved, or over its budget, is stopped instead."""
    spoken = _spoken()
    wanted = _levels({each.recipient_id for each in claimed})
    said: dict[uuid.UUID, Words | None] = {}
    for alert_id in {each.subject_id for each in claimed}:
        mine = [each for each in claimed if each.subject_id == alert_id]
        snapshot = _checked(alert_id, len(mine), spoken)
        if snapshot is None:
            said.update({each.id: None for each in mine})
            continue
        for each in mine:
            level = _most_that_may_be_said(each.level, wanted.get(each.recipient_id))
            said[each.id] = spoken.words(snapshot, each.channel, each.language, level)
    return said


def _levels(members: set[uuid.UUID]) -> Mapping[uuid.UUID, Level]:
    with reading():
        found = levels_of(members)
        db.session.rollback()
    return found


def _most_that_may_be_said(at_approval: str, now: Level | None) -> str:
    """The quieter of two: since the delivery was written somebody else may have got hold of the member's phone."""
    return Level.FULL if at_approval == Level.FULL and now is Level.FULL else Level.NEUTRAL


def refused(alert_id: uuid.UUID) -> None:
    """The provider does not take these words; people have to look. The caller commits."""
    alert = queries.locked_or_none(alert_id)
    if alert is not None:
        stopping.stop(alert, day=runtime().clock.now().date())


def _checked(alert_id: uuid.UUID, messages: int, spoken: Spoken) -> Snapshot | None:
    budget = runtime().settings.messages_per_alert
    with reading():
        try:
            snapshot = spoken.snapshots.of(alert_id, vault=runtime().vault)
            if spoken.sent.allows(alert_id, messages, budget=budget):
                return snapshot
            log.error("an alert is over its budget of messages")
        except NotAsApproved:
            log.error("an alert is not as it was approved")
        finally:
            db.session.rollback()
    with writing():
        refused(alert_id)
        # The sender knows nothing of alerts, so that this one stops is committed here.
        db.session.commit()
    return None


def _words(snapshot: Snapshot, channel: Channel, language: str, level: str) -> Words | None:
    text = snapshot.text(channel, language, level)
    if text is None:
        return None
    if channel is Channel.SMS:
        return Words(text=text)
    changed = snapshot.change is not Change.FIRST
    subject = message_text.subject(
        snapshot.reference, changed=changed, language=snapshot.language_for(language)
    )
    return Words(text=text, subject=subject)


def _spoken() -> Spoken:
    return cast(Spoken, current_app.extensions.setdefault("spoken_alerts", Spoken()))


ALERT = MessageKindSpec(kind=MessageKind.ALERT, gate=gate, words=words, refused=refused)
