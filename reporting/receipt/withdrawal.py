"""Withdrawal by the reporter: needs no moderator and leaves an empty row that no key opens."""

from datetime import date

import sqlalchemy as sa

from reporting.record import outputs
from reporting.record.endings import notify_output_ended, notify_report_ended
from reporting.record.models import (
    LIVE_OUTPUTS,
    OUTPUT_MOVES,
    REPORT_MOVES,
    IdentifierTag,
    OutputState,
    Report,
    ReportMessage,
    ReportPart,
    ReportState,
)
from ugly_mugs.database.engine import db


def withdraw(*, report: Report, day: date) -> None:
    """Delete wraps, tags, facets, previews, messages and parts, and withdraw the outputs, in one transaction.

    The locator stays, so that reloading the same form does not file the report again. The caller's transaction must
    hold a lock on the report's row.
    """
    REPORT_MOVES.move(report, ReportState.WITHDRAWN)
    for output in outputs.of_report(report.id):
        output.preview = None
        if output.state in LIVE_OUTPUTS:
            OUTPUT_MOVES.move(output, OutputState.WITHDRAWN)
            notify_output_ended(output)
    notify_report_ended(report)
    erase(report, day=day)


def erase(report: Report, *, day: date) -> None:
    """Delete everything that a report holds. Every deletion of a report's contents goes through here."""
    for table in (IdentifierTag, ReportMessage, ReportPart):
        db.session.execute(sa.delete(table).where(table.report_id == report.id))
    db.session.expire(report, ["parts"])
    report.desk_wrap = report.receipt_wrap = report.head = report.facets = report.consents = None
    report.taken_by = None
    report.changed_on = day
