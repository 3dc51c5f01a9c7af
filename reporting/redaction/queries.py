"""What the desk reads of its own."""

from uuid import UUID

import sqlalchemy as sa

from reporting.record.models import Report, ReportPart
from reporting.redaction import spans as redactions
from reporting.redaction.models import Redaction
from reporting.redaction.spans import Settled
from ugly_mugs.database.engine import db


def redaction(report_id: UUID) -> Redaction | None:
    """The report's redaction, settled or not."""
    return db.session.scalars(sa.select(Redaction).where(Redaction.report_id == report_id)).one_or_none()


def opened_redaction(row: Redaction | None, content_key: bytes) -> Settled | None:
    """What it holds; None when there is none."""
    if row is None:
        return None
    return redactions.open_sealed(row.contents, redaction_id=row.id, content_key=content_key)


def settled_redaction(report_id: UUID, content_key: bytes) -> Settled | None:
    """The account as a moderator settled it; None while nobody has."""
    row = redaction(report_id)
    return opened_redaction(row, content_key) if row is not None and row.settled else None


def basis_of(report_id: UUID) -> str:
    """Changes with what a leak check rests on: what the reporter added or chose, and what the desk hid.

    Their choices count, because they name safe ways to reach them, which no alert may hold.
    """
    parts = sa.select(sa.func.count()).where(ReportPart.report_id == report_id)
    chosen = sa.select(Report.consents_version).where(Report.id == report_id)
    hidden = sa.select(Redaction.version).where(Redaction.report_id == report_id)
    return "/".join(str(db.session.scalar(each)) for each in (parts, chosen, hidden))
