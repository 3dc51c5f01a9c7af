"""Stopping an alert: paused and resumed by the desk, cancelled by it, replaced, or ended by whoever reported."""

from collections.abc import Collection
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from flask_babel import gettext as _

from alerts.publishing import keys, queries
from alerts.publishing.models import ALERT_MOVES, ALERT_OUTPUT, REPLACEABLE, UNAPPROVED, Alert, AlertState
from alerts.publishing.texts.contents import AlertContents, RestSealingKey, seal_contents
from reporting.record import outputs
from reporting.record.choices import Severity
from reporting.record.models import OUTPUT_MOVES, Output, OutputState, Report
from ugly_mugs.audit.log import record
from ugly_mugs.audit.models import AuditKind
from ugly_mugs.database.engine import db
from ugly_mugs.errors import Conflict
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
    queries.lock_family(alert_id)
    alert = queries.locked(alert_id)
    _step(alert, _GOES_ON)
    # One that was stopped at the very moment of beginning has not taken the place of the former version yet.
    replace_former(alert)
    record(AuditKind.ALERT_RESUMED, actor_id=staff_id, subject_id=alert.id, day=now.date())


def cancel(alert_id: UUID, *, staff_id: UUID, now: datetime) -> None:
    """It is over: a draft can be opened by nobody any more, and of what was approved nothing more leaves."""
    output = outputs.of_subject(ALERT_OUTPUT, alert_id)
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


def replace_former(alert: Alert) -> None:
    """The versions before this one end now that it leaves, so that nobody reads or gets two.

    For the web and for the worker; the family is locked.
    """
    replaced = [each for each in queries.former_versions(alert) if each.state in REPLACEABLE]
    for former in replaced:
        ALERT_MOVES.move(former, AlertState.SUPERSEDED)
    end_outputs([former.id for former in replaced])


def stop_former(alert: Alert, *, staff_id: UUID, day: date) -> None:
    """What a correction that has to wait corrects: nothing more of it leaves and nobody reads it meanwhile.

    It is not over. Somebody can let it go on, before or after the correction came to nothing.
    """
    for former in queries.former_versions(alert):
        if former.state in _STOPPED:
            ALERT_MOVES.move(former, _STOPPED[former.state])
            record(AuditKind.ALERT_PAUSED, actor_id=staff_id, subject_id=former.id, day=day)


def end_outputs(alert_ids: Collection[UUID]) -> None:
    """What the reporter's side holds of these versions ends with them.

    One statement, because of outputs the worker may read and write a few columns only.
    """
    db.session.execute(
        sa.update(Output)
        .where(
            Output.kind == ALERT_OUTPUT,
            Output.subject_id.in_(alert_ids),
            Output.state.in_(sorted(OUTPUT_MOVES.sources(OutputState.ENDED))),
        )
        .values(state=OutputState.ENDED)
        .execution_options(synchronize_session=False)
    )


def forget_holds_of_replaced(alert: Alert) -> None:
    """A version that was replaced is held no more: the one in its place left because the reporter let it.

    The worker replaces versions and may not write a hold, so whoever writes the next one does.
    """
    replaced = sa.select(Alert.id).where(
        Alert.family_id == alert.family_id, Alert.state == AlertState.SUPERSEDED
    )
    db.session.execute(
        sa.update(Output)
        .where(Output.kind == ALERT_OUTPUT, Output.subject_id.in_(replaced), Output.held)
        .values(held=False)
        .execution_options(synchronize_session="fetch")
    )


def report_ended(report: Report) -> None:
    """The report was withdrawn: drafts go, what is on its way is cancelled, and no words of any version stay."""
    for alert in queries.locked_of_report(report.id):
        _end_for_reporter(alert, vault=runtime().vault)


def output_ended(output: Output) -> None:
    """The reporter does not want this one to leave any more."""
    if output.kind == ALERT_OUTPUT:
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
    seal_contents(alert, AlertContents(severity=Severity.RISK), RestSealingKey(vault))


def _step(alert: Alert, moves: dict[AlertState, AlertState]) -> None:
    if alert.state not in moves:
        raise Conflict(_("It is not in a state for this any more."))
    ALERT_MOVES.move(alert, moves[alert.state])
