"""Alerts: families of versions, their texts for every channel, language and level, who wrote and who approved."""

import uuid
from datetime import date, datetime
from enum import StrEnum
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, relationship

from alerts.membership.models import Level
from reporting.record.models import OutputKind
from ugly_mugs.database.columns import Clear, Model, UtcDateTime, clear, keyed, primary_key, sealed, state_of
from ugly_mugs.database.states import Moves

ALERT_OUTPUT: Final = OutputKind("alert")
"""The output kind of an alert version in reporting."""


class AlertState(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    SCHEDULED = "scheduled"
    PUBLISHING = "publishing"
    PAUSED = "paused"
    LIVE = "live"
    RESTRICTED = "restricted"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"


_S = AlertState
_ENDED = frozenset({_S.EXPIRED, _S.CANCELLED, _S.SUPERSEDED})
ALERT_MOVES = Moves(
    {
        _S.DRAFT: frozenset({_S.SUBMITTED, _S.CANCELLED}),
        _S.SUBMITTED: frozenset({_S.DRAFT, _S.APPROVED}),
        _S.APPROVED: frozenset({_S.SCHEDULED, _S.PUBLISHING, _S.CANCELLED}),
        _S.SCHEDULED: frozenset({_S.PUBLISHING, _S.CANCELLED, _S.EXPIRED}),
        _S.PUBLISHING: frozenset({_S.PAUSED, _S.LIVE}) | _ENDED,
        _S.PAUSED: frozenset({_S.PUBLISHING}) | _ENDED,
        _S.LIVE: frozenset({_S.RESTRICTED}) | _ENDED,
        _S.RESTRICTED: frozenset({_S.LIVE}) | _ENDED,
        _S.EXPIRED: frozenset(),
        _S.CANCELLED: frozenset(),
        _S.SUPERSEDED: frozenset(),
    }
)
# Members can read it, and its messages may be sent.
IN_EFFECT = frozenset({_S.PUBLISHING, _S.LIVE})
UNAPPROVED = frozenset({_S.DRAFT, _S.SUBMITTED})
# Sending has begun and has not ended, so a new version may replace it.
REPLACEABLE = frozenset({_S.PUBLISHING, _S.PAUSED, _S.LIVE, _S.RESTRICTED})


class Change(StrEnum):
    """How a version relates to the one before it."""

    FIRST = "first"
    UPDATE = "update"
    CORRECTION = "correction"


class AlertFamily(Model):
    """An alert's first version and its replacements; they share one random reference of four characters."""

    __tablename__ = "alert_families"

    id: Mapped[uuid.UUID] = primary_key()
    reference: Mapped[str] = clear(Clear.ID, sa.String(8), unique=True)
    report_id: Mapped[uuid.UUID] = clear(Clear.ID, sa.Uuid, index=True)
    created_on: Mapped[date] = clear(Clear.DAY, sa.Date)

    versions: Mapped[list["Alert"]] = relationship(order_by="Alert.version", back_populates="family")


class Alert(Model):
    """One version. `contents` and the texts are sealed under its draft key until approval, then under `rest`."""

    __tablename__ = "alerts"
    __table_args__ = (sa.UniqueConstraint("family_id", "version"),)

    id: Mapped[uuid.UUID] = primary_key()
    family_id: Mapped[uuid.UUID] = clear(Clear.ID, sa.Uuid, sa.ForeignKey("alert_families.id"))
    version: Mapped[int] = clear(Clear.VERSION, sa.Integer)
    change: Mapped[Change] = state_of(Change, default=Change.FIRST)
    state: Mapped[AlertState] = state_of(AlertState, default=AlertState.DRAFT, index=True)
    # Severity, audience rule, channels, leak result, ….
    contents: Mapped[bytes] = sealed("draft key, then rest")
    returned: Mapped[bytes | None] = sealed("draft key", nullable=True)  # why it was sent back
    submitted_by: Mapped[uuid.UUID | None] = clear(Clear.ID, sa.Uuid, nullable=True)
    approved_by: Mapped[uuid.UUID | None] = clear(Clear.ID, sa.Uuid, nullable=True)
    approved_at: Mapped[datetime | None] = clear(Clear.NAMED, UtcDateTime, nullable=True)
    # Hash of all texts, audience rule and channels.
    approval: Mapped[bytes | None] = keyed("rest", nullable=True)
    consent_version: Mapped[int | None] = clear(Clear.VERSION, sa.Integer, nullable=True)
    not_before: Mapped[datetime | None] = clear(Clear.NAMED, UtcDateTime, nullable=True)
    expires_at: Mapped[datetime | None] = clear(Clear.NAMED, UtcDateTime, nullable=True)
    created_on: Mapped[date] = clear(Clear.DAY, sa.Date)

    family: Mapped[AlertFamily] = relationship(back_populates="versions")
    texts: Mapped[list["AlertText"]] = relationship(cascade="all, delete-orphan")
    authors: Mapped[list["AlertAuthor"]] = relationship(cascade="all, delete-orphan")
    draft_keys: Mapped[list["DraftKey"]] = relationship(cascade="all, delete-orphan")


class TextChannel(StrEnum):
    SMS = "sms"
    EMAIL = "email"
    PAGE = "page"


class AlertText(Model):
    """The exact text for one channel, language and level."""

    __tablename__ = "alert_texts"
    __table_args__ = (sa.UniqueConstraint("alert_id", "channel", "language", "level"),)

    id: Mapped[uuid.UUID] = primary_key()
    alert_id: Mapped[uuid.UUID] = clear(Clear.ID, sa.Uuid, sa.ForeignKey("alerts.id"))
    channel: Mapped[TextChannel] = state_of(TextChannel)
    language: Mapped[str] = clear(Clear.NAMED, sa.String(8))
    level: Mapped[Level] = state_of(Level)
    text: Mapped[bytes] = sealed("draft key, then rest")
    segments: Mapped[int] = clear(Clear.COUNT, sa.SmallInteger, default=1)


class AlertAuthor(Model):
    """Everybody who wrote or edited this version; none of them may approve it."""

    __tablename__ = "alert_authors"

    alert_id: Mapped[uuid.UUID] = clear(Clear.ID, sa.Uuid, sa.ForeignKey("alerts.id"), primary_key=True)
    staff_id: Mapped[uuid.UUID] = clear(Clear.ID, sa.Uuid, sa.ForeignKey("staff.id"), primary_key=True)


class DraftKey(Model):
    """The version's draft key, wrapped to one person's staff key."""

    __tablename__ = "draft_keys"
    __table_args__ = (sa.UniqueConstraint("alert_id", "staff_id"),)

    id: Mapped[uuid.UUID] = primary_key()
    alert_id: Mapped[uuid.UUID] = clear(Clear.ID, sa.Uuid, sa.ForeignKey("alerts.id"))
    staff_id: Mapped[uuid.UUID] = clear(Clear.ID, sa.Uuid, sa.ForeignKey("staff.id"))
    wrapped: Mapped[bytes] = sealed("staff key")
