"""Stopping an alert: pausing, resuming and cancelling by the desk, replacement, and the end of its report or output."""

from collections.abc import Collection
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from flask_babel import gettext as _

from alerts.publishing import draft_keys, queries
from alerts.publishing.models import ALERT_MOVES, ALERT_OUTPUT, REPLACEABLE, UNAPPROVED, Alert, AlertState
from alerts.publishing.texts.contents import AlertContents, RestSealingKey, seal_contents
from reporting.record import outputs
from reporting.record.choices import Severity
from reporting.record.models import OUTPUT_MOVES, Output, OutputState, Report
from ugly_mugs.audit.log import record
from ugly_mugs.audit.models import AuditKind
from ugly_mugs.database.engine import db
from ugly_mugs.database.statements import change_rows
from ugly_mugs.errors import Conflict
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import ServiceVault

_S = AlertState
# Two stopped states, so that an alert is resumed to the state it had before.
_PAUSE_MOVES = {_S.PUBLISHING: _S.PAUSED, _S.LIVE: _S.RESTRICTED}
_RESUME_MOVES = {stopped: running for running, stopped in _PAUSE_MOVES.items()}


def pause(alert_id: UUID, *, staff_id: UUID, now: datetime) -> None:
    """Until it is resumed, no more deliveries are claimed and members cannot read it."""
    alert = queries.locked(alert_id)
    _move(alert, _PAUSE_MOVES)
    record(AuditKind.ALERT_PAUSED, actor_id=staff_id, subject_id=alert.id, day=now.date())


def resume(alert_id: UUID, *, staff_id: UUID, now: datetime) -> None:
    queries.lock_family(alert_id)
    alert = queries.locked(alert_id)
    _move(alert, _RESUME_MOVES)
    # An alert that was stopped when its sending began has not replaced the former version yet.
    replace_former(alert)
    record(AuditKind.ALERT_RESUMED, actor_id=staff_id, subject_id=alert.id, day=now.date())


def cancel(alert_id: UUID, *, staff_id: UUID, now: datetime) -> None:
    """End it for good: a draft's keys are deleted, and no more deliveries of an approved alert are sent."""
    output = outputs.of_subject(ALERT_OUTPUT, alert_id)
    alert = queries.locked(alert_id)
    if alert.state is AlertState.SUBMITTED:
        ALERT_MOVES.move(alert, AlertState.DRAFT)
    if not ALERT_MOVES.allows(alert.state, AlertState.CANCELLED):
        raise Conflict(_("This has ended already."))
    ALERT_MOVES.move(alert, AlertState.CANCELLED)
    draft_keys.forget(alert)
    if output is not None:
        outputs.end(output)
    record(AuditKind.ALERT_CANCELLED, actor_id=staff_id, subject_id=alert.id, day=now.date())


def stop(alert: Alert, *, day: date) -> None:
    """Pause an alert because the worker found something wrong. An ended alert stays as it is."""
    if alert.state is AlertState.SCHEDULED:
        ALERT_MOVES.move(alert, AlertState.PUBLISHING)
    if alert.state in _PAUSE_MOVES:
        ALERT_MOVES.move(alert, _PAUSE_MOVES[alert.state])
        record(AuditKind.ALERT_PAUSED, subject_id=alert.id, day=day)


def replace_former(alert: Alert) -> None:
    """End the versions before this one when its sending begins, so that nobody reads or gets two versions.

    Called by the web process and by the worker. The caller has locked the family.
    """
    replaced = [former for former in queries.former_versions(alert) if former.state in REPLACEABLE]
    for former in replaced:
        ALERT_MOVES.move(former, AlertState.SUPERSEDED)
    end_outputs([former.id for former in replaced])


def stop_former(alert: Alert, *, staff_id: UUID, day: date) -> None:
    """Pause the versions that a waiting correction corrects, so that nobody gets or reads them meanwhile.

    They are not ended: somebody can resume them, also when the correction is cancelled.
    """
    for former in queries.former_versions(alert):
        if former.state in _PAUSE_MOVES:
            ALERT_MOVES.move(former, _PAUSE_MOVES[former.state])
            record(AuditKind.ALERT_PAUSED, actor_id=staff_id, subject_id=former.id, day=day)


def end_outputs(alert_ids: Collection[UUID]) -> None:
    """End the outputs of these versions.

    One statement, because the worker's role may read and write only a few columns of outputs.
    """
    change_rows(
        sa.update(Output)
        .where(
            Output.kind == ALERT_OUTPUT,
            Output.subject_id.in_(alert_ids),
            Output.state.in_(sorted(OUTPUT_MOVES.sources(OutputState.ENDED))),
        )
        .values(state=OutputState.ENDED)
    )


def forget_holds_of_replaced(alert: Alert) -> None:
    """Remove the holds on replaced versions: the version in their place was sent because the reporter let it go.

    Done when the next version is started, because the worker replaces versions but its role may not write `held`.
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
    """After the report was withdrawn: delete its drafts, cancel its alerts, and delete the texts of every version."""
    for alert in queries.locked_of_report(report.id):
        _end_for_reporter(alert, vault=runtime().vault)


def output_ended(output: Output) -> None:
    """After the reporter took back their consent to this output: end its alert likewise."""
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
    draft_keys.forget(alert)
    alert.texts.clear()
    seal_contents(alert, AlertContents(severity=Severity.RISK), RestSealingKey(vault))


def _move(alert: Alert, moves: dict[AlertState, AlertState]) -> None:
    if alert.state not in moves:
        raise Conflict(_("It is not in a state for this any more."))
    ALERT_MOVES.move(alert, moves[alert.state])
