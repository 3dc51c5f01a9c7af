"""Audit entries, their kinds, and the daily figures among them, which `ugly_mugs.app` wires."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from ugly_mugs.database.columns import Clear, Model, clear, keyed, primary_key, state_of


class AuditKind(StrEnum):
    """What happened, as `source:subject:action`."""

    REPORTS_FILED = "reporter:reports:filed"  # a count per day, never a single report
    REPORTS_ADDED_TO = "reporter:reports:added"
    REPORTS_WITHDRAWN = "reporter:reports:withdrawn"
    REPORT_LISTED = "desk:report:listed"
    REPORT_OPENED = "desk:report:opened"
    REPORT_MOVED = "desk:report:moved"
    REPORT_FILED_FOR_CALLER = "desk:report:filed"
    REDACTION_SETTLED = "desk:redaction:settled"
    MESSAGE_SENT = "desk:message:sent"
    ALERT_DRAFTED = "desk:alert:drafted"
    ALERT_EDITED = "desk:alert:edited"
    ALERT_SUBMITTED = "desk:alert:submitted"
    ALERT_RETURNED = "desk:alert:returned"
    ALERT_APPROVED = "desk:alert:approved"
    ALERT_CANCELLED = "desk:alert:cancelled"
    ALERT_PAUSED = "desk:alert:paused"
    ALERT_RESUMED = "desk:alert:resumed"
    STAFF_INVITED = "staff:person:invited"
    STAFF_ENROLLED = "staff:person:enrolled"
    STAFF_ADMITTED = "staff:person:admitted"
    STAFF_REMOVED = "staff:person:removed"
    STAFF_SIGNED_IN = "staff:session:started"
    STAFF_PASSPHRASE_CHANGED = "staff:passphrase:changed"  # noqa: S105  # nosec B105
    MEMBER_VETTED = "admin:member:vetted"
    MEMBER_REJECTED = "admin:member:rejected"
    MEMBER_PAUSED = "admin:member:paused"
    MEMBER_RESUMED = "admin:member:resumed"
    MEMBER_REMOVED = "admin:member:removed"
    KEYS_ROTATED = "keys:epoch:rotated"
    KEYS_RECOVERED = "keys:person:recovered"
    RECOVERY_USED = "keys:recovery:used"


@dataclass(frozen=True)
class Figure:
    """A number of a day that a feature can give: `count` for everybody together, under its name in the audit log."""

    name: AuditKind
    count: Callable[[date], int]


class AuditEntry(Model):
    """Who did what to which id; the worker sets `number` and `chained` after the entry is committed."""

    __tablename__ = "audit_entries"
    __table_args__ = (sa.UniqueConstraint("number"),)

    id: Mapped[uuid.UUID] = primary_key()
    kind: Mapped[AuditKind] = state_of(AuditKind)
    actor_id: Mapped[uuid.UUID | None] = clear(Clear.ID, sa.Uuid, nullable=True)
    subject_id: Mapped[uuid.UUID | None] = clear(Clear.ID, sa.Uuid, nullable=True)
    count: Mapped[int] = clear(Clear.COUNT, sa.Integer, default=1)
    day: Mapped[date] = clear(Clear.DAY, sa.Date)
    number: Mapped[int | None] = clear(Clear.COUNT, sa.Integer, nullable=True)
    chained: Mapped[bytes | None] = keyed("audit", nullable=True)
