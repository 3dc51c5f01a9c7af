"""Tables of the report: every text that a person wrote is sealed under the report's content key."""

import uuid
from datetime import date
from enum import StrEnum
from typing import NewType

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, relationship

from ugly_mugs.database.columns import Clear, Model, clear, keyed, primary_key, sealed, state_of
from ugly_mugs.database.states import Moves
from ugly_mugs.text.identifiers import IdentifierKind


class ReportState(StrEnum):
    RECEIVED = "received"
    IN_REVIEW = "in_review"
    SETTLED = "settled"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    PURGED = "purged"


_R = ReportState
REPORT_MOVES = Moves(
    {
        _R.RECEIVED: frozenset({_R.IN_REVIEW, _R.WITHDRAWN}),
        _R.IN_REVIEW: frozenset({_R.RECEIVED, _R.SETTLED, _R.DECLINED, _R.WITHDRAWN}),
        _R.SETTLED: frozenset({_R.IN_REVIEW, _R.WITHDRAWN, _R.PURGED}),
        _R.DECLINED: frozenset({_R.IN_REVIEW, _R.WITHDRAWN, _R.PURGED}),
        _R.WITHDRAWN: frozenset({_R.PURGED}),
        _R.PURGED: frozenset(),
    }
)
OPEN = frozenset({_R.RECEIVED, _R.IN_REVIEW})


class Source(StrEnum):
    REPORTER = "reporter"
    DESK = "desk"  # a moderator wrote it down for a caller
    ORGANISATION = "organisation"


class Report(Model):
    """One report. `received_on` is only the day; the minute is inside the sealed head."""

    __tablename__ = "reports"
    # A covering index: the desk ranks its list without reading the wide rows of every open report.
    __table_args__ = (sa.Index("ix_reports_state_received_on", "state", "received_on", "id", "facets"),)

    id: Mapped[uuid.UUID] = primary_key()
    state: Mapped[ReportState] = state_of(ReportState, default=ReportState.RECEIVED)
    source: Mapped[Source] = state_of(Source, default=Source.REPORTER)
    organisation_id: Mapped[uuid.UUID | None] = clear(
        Clear.ID, sa.Uuid, sa.ForeignKey("organisations.id"), nullable=True
    )
    filed_by: Mapped[uuid.UUID | None] = clear(Clear.ID, sa.Uuid, sa.ForeignKey("staff.id"), nullable=True)
    taken_by: Mapped[uuid.UUID | None] = clear(Clear.ID, sa.Uuid, sa.ForeignKey("staff.id"), nullable=True)
    received_on: Mapped[date] = clear(Clear.DAY, sa.Date)
    locator: Mapped[bytes] = keyed("receipt", unique=True)
    epoch_id: Mapped[uuid.UUID] = clear(Clear.ID, sa.Uuid, sa.ForeignKey("key_epochs.id"))
    # The content key; gone once withdrawn.
    desk_wrap: Mapped[bytes | None] = sealed("desk epoch", nullable=True)
    # The content key; gone once withdrawn.
    receipt_wrap: Mapped[bytes | None] = sealed("receipt", nullable=True)
    head: Mapped[bytes | None] = sealed("content key", nullable=True)
    facets: Mapped[bytes | None] = sealed("rest", nullable=True)
    consents: Mapped[bytes | None] = sealed("content key", nullable=True)
    consents_version: Mapped[int] = clear(Clear.VERSION, sa.Integer, default=1)
    changed_on: Mapped[date] = clear(Clear.DAY, sa.Date)  # the day of the last change

    parts: Mapped[list["ReportPart"]] = relationship(
        order_by="ReportPart.number", cascade="all, delete-orphan"
    )


class ReportPart(Model):
    """The answered sections of one submission. Part 1 is the report as filed; later parts are additions."""

    __tablename__ = "report_parts"
    __table_args__ = (sa.UniqueConstraint("report_id", "number"),)

    id: Mapped[uuid.UUID] = primary_key()
    report_id: Mapped[uuid.UUID] = clear(Clear.ID, sa.Uuid, sa.ForeignKey("reports.id"))
    number: Mapped[int] = clear(Clear.COUNT, sa.Integer)
    sections: Mapped[bytes] = sealed("content key")
    added_on: Mapped[date] = clear(Clear.DAY, sa.Date)


class Author(StrEnum):
    REPORTER = "reporter"
    DESK = "desk"


class ReportMessage(Model):
    __tablename__ = "report_messages"
    __table_args__ = (sa.UniqueConstraint("report_id", "number"),)

    id: Mapped[uuid.UUID] = primary_key()
    report_id: Mapped[uuid.UUID] = clear(Clear.ID, sa.Uuid, sa.ForeignKey("reports.id"))
    number: Mapped[int] = clear(Clear.COUNT, sa.Integer)
    author: Mapped[Author] = state_of(Author)
    staff_id: Mapped[uuid.UUID | None] = clear(Clear.ID, sa.Uuid, sa.ForeignKey("staff.id"), nullable=True)
    text: Mapped[bytes] = sealed("content key")
    sent_on: Mapped[date] = clear(Clear.DAY, sa.Date)


class IdentifierTag(Model):
    """A keyed fingerprint of one identifier of an alleged offender; reports with equal tags form a series."""

    __tablename__ = "identifier_tags"
    __table_args__ = (sa.UniqueConstraint("report_id", "tag"),)

    id: Mapped[uuid.UUID] = primary_key()
    report_id: Mapped[uuid.UUID] = clear(Clear.ID, sa.Uuid, sa.ForeignKey("reports.id"))
    kind: Mapped[IdentifierKind] = state_of(IdentifierKind)
    tag: Mapped[bytes] = keyed("voprf and series-tag", index=True)


OutputKind = NewType("OutputKind", str)
"""The name of a kind that a feature registers (`record/output_kinds.py`), 32 letters at most."""


class OutputState(StrEnum):
    PROPOSED = "proposed"  # drafted, not approved
    APPROVED = "approved"  # two people agreed; it may be sent unless it is held
    RELEASED = "released"  # sending has begun
    ENDED = "ended"  # expired, or cancelled by the desk
    WITHDRAWN = "withdrawn"  # by the reporter


_O = OutputState
OUTPUT_MOVES = Moves(
    {
        _O.PROPOSED: frozenset({_O.APPROVED, _O.ENDED, _O.WITHDRAWN}),
        _O.APPROVED: frozenset({_O.PROPOSED, _O.RELEASED, _O.ENDED, _O.WITHDRAWN}),
        _O.RELEASED: frozenset({_O.ENDED, _O.WITHDRAWN}),
        _O.ENDED: frozenset(),
        _O.WITHDRAWN: frozenset(),
    }
)
LIVE_OUTPUTS = frozenset({_O.PROPOSED, _O.APPROVED, _O.RELEASED})


class Output(Model):
    """One item made from a report, such as an alert. Higher layers write it and must not send it while `held`.

    `subject_id` identifies the item (for an alert: one version of it). `consent_version` rises whenever the consent
    behind this output changes; an approval of an older version is void. The receipt page shows only these rows.
    """

    __tablename__ = "outputs"
    __table_args__ = (sa.UniqueConstraint("kind", "subject_id"),)

    id: Mapped[uuid.UUID] = primary_key()
    report_id: Mapped[uuid.UUID] = clear(Clear.ID, sa.Uuid, sa.ForeignKey("reports.id"), index=True)
    kind: Mapped[OutputKind] = clear(Clear.KIND, sa.String(32))
    subject_id: Mapped[uuid.UUID] = clear(Clear.ID, sa.Uuid)
    state: Mapped[OutputState] = state_of(OutputState, default=OutputState.PROPOSED)
    consent_version: Mapped[int] = clear(Clear.VERSION, sa.Integer, default=1)
    held: Mapped[bool] = clear(Clear.FLAG, sa.Boolean, default=False)
    not_before: Mapped[date | None] = clear(Clear.DAY, sa.Date, nullable=True)
    preview: Mapped[bytes | None] = sealed("content key", nullable=True)
