"""Daily counts of reports, for the audit log; they name no report and no time of day."""

from datetime import date

from reporting.record.models import Report, ReportPart, ReportState, Source
from ugly_mugs.audit.models import AuditKind, Figure
from ugly_mugs.database.statements import count


def filed_on(day: date) -> int:
    """Reports that reporters filed themselves; one filed for a caller has its own audit entry."""
    return count(Report.received_on == day, Report.source == Source.REPORTER)


def added_on(day: date) -> int:
    """Additions to reports that are not withdrawn."""
    return count(ReportPart.added_on == day, ReportPart.number > 1)


def withdrawn_on(day: date) -> int:
    """Withdrawn reports; a withdrawn report never changes again, so `changed_on` is the day of withdrawal."""
    return count(Report.changed_on == day, Report.state == ReportState.WITHDRAWN)


FIGURES = (
    Figure(AuditKind.REPORTS_FILED, filed_on),
    Figure(AuditKind.REPORTS_ADDED_TO, added_on),
    Figure(AuditKind.REPORTS_WITHDRAWN, withdrawn_on),
)
