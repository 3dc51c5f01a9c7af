"""Snapshots of approved alerts: opened once, checked against the approval, and then kept in memory.

The approval in the database is not trusted: the hash is computed again from what would be sent, and the approver must
not be an author, neither in the rows nor in the contents that were sealed at approval.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hmac import compare_digest
from threading import Lock
from uuid import UUID

import sqlalchemy as sa

from alerts.delivery.fanout import Sending
from alerts.membership.models import Level
from alerts.publishing.models import Alert, Change, TextChannel
from alerts.publishing.texts import approval_hash, message_text
from alerts.publishing.texts.contents import AlertContents, RestSealingKey, TextKey, open_contents, open_texts
from ugly_mugs.database.engine import db
from ugly_mugs.outbox.models import Channel, MessageKind
from ugly_mugs.outbox.registry import Priority
from ugly_mugs.vault import CannotOpen, ServiceVault

MOST_KEPT = 64


class NotAsApproved(Exception):
    """The stored alert differs from what two people agreed on, so it must not be sent or shown."""


@dataclass(frozen=True)
class Snapshot:
    """One approved version, decrypted. It never changes, because an edit makes a new version."""

    alert_id: UUID
    approval: bytes = field(repr=False)
    reference: str
    change: Change
    contents: AlertContents = field(repr=False)
    texts: Mapping[TextKey, str] = field(repr=False)
    not_before: datetime | None
    expires_at: datetime | None
    corrects: tuple[UUID, ...]

    def sending(self) -> Sending:
        return sending_of(
            self.alert_id,
            self.contents,
            self.texts,
            not_before=self.not_before,
            expires_at=self.expires_at,
            corrects=self.corrects,
        )

    def text(self, channel: Channel, language: str, level: str) -> str | None:
        """The text in the language that `language_for` gives; None when there is none for this channel and level."""
        return self.texts.get((TextChannel(channel.value), self.language_for(language), Level(level)))

    def language_for(self, language: str) -> str:
        """The member's language when the alert has texts in it, else the alert's first language."""
        languages = message_text.languages_of(self.texts)
        return language if language in languages else languages[0]


def sending_of(
    alert_id: UUID,
    contents: AlertContents,
    texts: Mapping[TextKey, str],
    *,
    not_before: datetime | None = None,
    expires_at: datetime | None = None,
    corrects: tuple[UUID, ...] = (),
) -> Sending:
    """What the fan-out needs to write the deliveries of an alert."""
    return Sending(
        kind=MessageKind.ALERT,
        subject_id=alert_id,
        audience=contents.audience(),
        channels=contents.sent_by(),
        priority=Priority.DANGER if contents.danger else Priority.RISK,
        danger=contents.danger,
        not_before=not_before,
        expires_at=expires_at,
        segments={
            (Channel(channel.value), language, level): segments
            for (channel, language, level), segments in message_text.costs(texts).items()
            if channel is not TextChannel.PAGE
        },
        default_language=message_text.languages_of(texts)[0],
        corrects=corrects,
    )


def open_approved(alert: Alert, *, vault: ServiceVault) -> Snapshot:
    """Decrypt an approved version and check it; NotAsApproved when it differs from its approval."""
    try:
        rest = RestSealingKey(vault)
        contents, texts = open_contents(alert, rest), open_texts(alert, rest)
    except CannotOpen:
        raise NotAsApproved from None
    expected = approval_hash.hash_of(alert, contents, texts, vault=vault)
    authors = {author.staff_id for author in alert.authors} | set(contents.authors)
    if (
        alert.approval is None
        or not compare_digest(expected, alert.approval)
        or alert.approved_by is None
        or alert.approved_by != contents.approved_by
        or not authors
        or alert.approved_by in authors
    ):
        raise NotAsApproved
    return Snapshot(
        alert_id=alert.id,
        approval=alert.approval,
        reference=alert.family.reference,
        change=alert.change,
        contents=contents,
        texts=texts,
        not_before=alert.not_before,
        expires_at=alert.expires_at,
        corrects=corrected_by(alert),
    )


def corrected_by(alert: Alert) -> tuple[UUID, ...]:
    """All earlier versions when this is a correction, because somebody may have got only the first; else none."""
    if alert.change is not Change.CORRECTION:
        return ()
    query = sa.select(Alert.id).where(Alert.family_id == alert.family_id, Alert.version < alert.version)
    return tuple(db.session.scalars(query.order_by(Alert.version)))


class Snapshots:
    """Cache of a worker's snapshots by version and approval; drops the least recently used."""

    def __init__(self) -> None:
        self._snapshots: OrderedDict[tuple[UUID, bytes], Snapshot] = OrderedDict()
        self._lock = Lock()

    def of(self, alert_id: UUID, *, vault: ServiceVault) -> Snapshot:
        """The snapshot, decrypted and checked only the first time; NotAsApproved when the check fails."""
        approval = db.session.scalar(sa.select(Alert.approval).where(Alert.id == alert_id))
        if approval is None:
            raise NotAsApproved
        with self._lock:
            snapshot = self._snapshots.get((alert_id, approval))
            if snapshot is not None:
                self._snapshots.move_to_end((alert_id, approval))
                return snapshot
        alert = db.session.get(Alert, alert_id, populate_existing=True)
        if alert is None:
            raise NotAsApproved
        snapshot = open_approved(alert, vault=vault)
        with self._lock:
            self._snapshots[alert_id, approval] = snapshot
            if len(self._snapshots) > MOST_KEPT:
                self._snapshots.popitem(last=False)
        return snapshot
