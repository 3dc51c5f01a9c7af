"""Decisions of moderators about a report: who handles it, messages to the reporter, and the outcome."""

from datetime import date, datetime
from uuid import UUID

from flask_babel import gettext as _

from reporting.record import conversation, opening
from reporting.record.models import REPORT_MOVES, Author, Report, ReportMessage, ReportState
from ugly_mugs.audit import log as audit
from ugly_mugs.audit.models import AuditKind
from ugly_mugs.errors import Conflict


def assign(*, report_id: UUID, staff_id: UUID, seen_assignee_id: UUID | None, now: datetime) -> Report:
    """Assign the report to this moderator; a finished report is reopened.

    `seen_assignee_id` is the assignee that the page showed; Conflict when somebody else has taken the report since.
    """
    report = opening.lock_report(report_id)
    if report.state is ReportState.IN_REVIEW and report.taken_by == staff_id:
        return report
    if report.state is ReportState.IN_REVIEW and report.taken_by != seen_assignee_id:
        raise Conflict(_("A colleague took this report a moment ago."))
    if report.state is not ReportState.IN_REVIEW:
        _move(report, ReportState.IN_REVIEW, staff_id=staff_id, day=now.date())
    else:
        _record(AuditKind.REPORT_MOVED, report, staff_id=staff_id, day=now.date())
    report.taken_by = staff_id
    return report


def unassign(*, report_id: UUID, staff_id: UUID, now: datetime) -> Report:
    """Return the report to the list without an assignee; Conflict when this moderator is not its assignee."""
    report = opening.lock_report(report_id)
    if report.state is ReportState.RECEIVED and report.taken_by is None:
        return report
    if report.taken_by != staff_id:
        raise Conflict(_("A colleague looks after this report now."))
    _move(report, ReportState.RECEIVED, staff_id=staff_id, day=now.date())
    report.taken_by = None
    return report


def reply(
    *, report_id: UUID, text: str, content_key: bytes, staff_id: UUID, now: datetime
) -> ReportMessage | None:
    """Add a message to the reporter; None when it equals the last message."""
    report = opening.lock_report(report_id)
    message = conversation.write(
        report=report,
        author=Author.DESK,
        text=text,
        content_key=content_key,
        day=now.date(),
        staff_id=staff_id,
    )
    if message is not None:
        _record(AuditKind.MESSAGE_SENT, report, staff_id=staff_id, day=now.date())
    return message


def finish(
    *,
    report_id: UUID,
    decision: ReportState,
    message: str | None,
    content_key: bytes,
    staff_id: UUID,
    now: datetime,
) -> Report:
    """Settle or decline the report, and send `message` to the reporter unless it is empty.

    Conflict when it is not under review, or is assigned to a colleague.
    """
    report = opening.lock_report(report_id)
    if report.state is decision:
        return report
    if report.state is not ReportState.IN_REVIEW:
        raise Conflict(
            _("This report is not under review now. Somebody may have finished it or given it back.")
        )
    if report.taken_by not in (None, staff_id):
        raise Conflict(_("A colleague looks after this report now."))
    if message:
        reply(report_id=report_id, text=message, content_key=content_key, staff_id=staff_id, now=now)
    _move(report, decision, staff_id=staff_id, day=now.date())
    return report


def _move(report: Report, state: ReportState, *, staff_id: UUID, day: date) -> None:
    if not REPORT_MOVES.allows(report.state, state):
        raise Conflict(_("Somebody else changed this report a moment ago."))
    REPORT_MOVES.move(report, state)
    report.changed_on = day
    _record(AuditKind.REPORT_MOVED, report, staff_id=staff_id, day=day)


def _record(kind: AuditKind, report: Report, *, staff_id: UUID, day: date) -> None:
    audit.record(kind, actor_id=staff_id, subject_id=report.id, day=day)
