"""Queries for redactions."""

from uuid import UUID

import sqlalchemy as sa

from reporting.record.models import Report, ReportPart
from reporting.redaction import spans as redactions
from reporting.redaction.models import Redaction
from reporting.redaction.spans import OpenedRedaction
from ugly_mugs.database.engine import db


def redaction(report_id: UUID) -> Redaction | None:
    """The report's redaction, settled or not."""
    return db.session.scalars(sa.select(Redaction).where(Redaction.report_id == report_id)).one_or_none()


def opened_redaction(row: Redaction | None, content_key: bytes) -> OpenedRedaction | None:
    if row is None:
        return None
    return redactions.open_sealed(row.contents, redaction_id=row.id, content_key=content_key)


def settled_redaction(report_id: UUID, content_key: bytes) -> OpenedRedaction | None:
    row = redaction(report_id)
    return opened_redaction(row, content_key) if row is not None and row.settled else None


def basis_of(report_id: UUID) -> str:
    """A version string of the inputs of a leak check: the number of parts, and the versions of consents and redaction.

    Consents count, because they hold the reporter's safe contact details, which no alert may contain.
    """
    parts = sa.select(sa.func.count()).where(ReportPart.report_id == report_id)
    consents = sa.select(Report.consents_version).where(Report.id == report_id)
    hidden = sa.select(Redaction.version).where(Redaction.report_id == report_id)
    return "/".join(str(db.session.scalar(query)) for query in (parts, consents, hidden))
