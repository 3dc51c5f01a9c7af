"""Stopping an alert: paused and resumed by the desk, cancelled by it, or ended by whoever reported."""

from datetime import date, datetime
from uuid import UUID

from flask_babel import gettext as _

from alerts.publishing import keys, queries
from alerts.publishing.contents import AlertContents, UnderRest, put_contents
from alerts.publishing.models import ALERT_MOVES, UNAPPROVED, Alert, AlertState
from reporting.intake import outputs
from reporting.intake.choices import Severity
from reporting.intake.models import Output, OutputKind, Report
from ugly_mugs.audit import record
from ugly_mugs.db import db
from ugly_mugs.errors import Conflict
from ugly_mugs.models import AuditKind
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import ServiceVault

_S = AlertState
# A stop keeps what has begun apart from what can be read: each goes on as what it was.
_STOPPED = {_S.PUBLISHING: _S.PAUSED, _S.LIVE: _S.RESTRICTED}
_GOES_ON = {stopped: going for going, stopped in _STOPPED.items()}


def pause(alert_id: UUID, *, staff_id: UUID, now: datetime) -> None:
    """Nothing more is claimed and members do not read it, until somebody resumes it."""
    alert = queries.locked(alert_id)
    _step(alert, _STOPPED)
    record(AuditKind.ALERT_PAUSED, actor_id=staff_id, subject_id=alert.id, day=now.date())


def resume(alert_id: UUID, *, staff_id: UUID, now: datetime) -> None:
    alert = queries.locked(alert_id)
    _step(alert, _GOES_ON)
    record(AuditKind.ALERT_RESUMED, actor_id=staff_id, subject_id=alert.id, day=now.date())


def cancel(alert_id: UUID, *, staff_id: UUID, now: datetime) -> None:
    """It is over: a draft can be opened by nobody any more, and of what was approved nothing more leaves."""
    output = outputs.of_subject(OutputKind.ALERT, alert_id)
    alert = queries.locked(alert_id)
    if alert.state is AlertState.SUBMITTED:
        ALERT_MOVES.move(alert, AlertState.DRAFT)
    if not ALERT_MOVES.allows(alert.state, AlertState.CANCELLED):
        raise Conflict(_("This has ended already."))
    ALERT_MOVES.move(alert, AlertState.CANCELLED)
    keys.forget(alert)
    if output is not None:
        outputs.end(output)
    record(AuditKind.ALERT_CANCELLED, actor_id=staff_id, subject_id=alert.id, day=now.date())


def stop(alert: Alert, *, day: date) -> None:
    """The worker found something wrong; people have to look. What has ended already stays as it is."""
    if alert.state is AlertState.SCHEDULED:
        ALERT_MOVES.move(alert, AlertState.PUBLISHING)
    if alert.state in _STOPPED:
        ALERT_MOVES.move(alert, _STOPPED[alert.state])
        record(AuditKind.ALERT_PAUSED, subject_id=alert.id, day=day)


def report_ended(report: Report) -> None:
    """The report was withdrawn: drafts go, what is on its way is cancelled, and no words of any version stay."""
    for alert in queries.locked_of_report(report.id):
        _end_for_reporter(alert, vault=runtime().vault)


def output_ended(output: Output) -> None:
    """The reporter does not want this one to leave any more."""
    if output.kind is OutputKind.ALERT:
        alert = queries.locked_or_none(output.subject_id)
        if alert is not None:
            _end_for_reporter(alert, vault=runtime().vault)


def _end_for_reporter(alert: Alert, *, vault: ServiceVault) -> None:
    if alert.state in UNAPPROVED:
        db.session.delete(alert)
        return
    if ALERT_MOVES.allows(alert.state, AlertState.CANCELLED):
        ALERT_MOVES.move(alert, AlertState.CANCELLED)
    keys.forget(alert)
    alert.texts.clear()
    put_contents(alert, AlertContents(severity=Severity.RISK), UnderRest(vault))


def _step(alert: Alert, moves: dict[AlertState, AlertState]) -> None:
    if alert.state not in moves:
        raise Conflict(_("It is not in a state for this any more."))
    ALERT_MOVES.move(alert, moves[alert.state])
