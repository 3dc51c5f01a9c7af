"""The worker's jobs for alerts: begin scheduled alerts, write large fan-outs, finish and expire alerts.

The worker does not trust states in the database: before it begins or continues an alert, it opens the snapshot and
checks the approval. Its role may read and write only a few columns of outputs, so outputs change by single statements.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from logging import getLogger
from uuid import UUID

import sqlalchemy as sa

from alerts.delivery import fanout, queries as delivery_queries
from alerts.publishing import queries, stopping
from alerts.publishing.models import ALERT_MOVES, ALERT_OUTPUT, IN_EFFECT, Alert, AlertState, Change
from alerts.publishing.texts.snapshots import NotAsApproved, Snapshot, open_approved
from reporting.record.models import OUTPUT_MOVES, Output, OutputState
from ugly_mugs.database.engine import brief_reading, db
from ugly_mugs.database.statements import change_rows, exists
from ugly_mugs.jobs import Job
from ugly_mugs.outbox import ledger
from ugly_mugs.outbox.models import Delivery, DeliveryState, FanOut, MessageKind
from ugly_mugs.quiet_hours import HOME
from ugly_mugs.runtime import runtime

log = getLogger(__name__)

_S = AlertState
_WAITING = frozenset({_S.SCHEDULED, _S.PAUSED, _S.RESTRICTED})
_OVER = frozenset({_S.CANCELLED, _S.SUPERSEDED})
_MAY_EXPIRE = sorted(ALERT_MOVES.sources(_S.EXPIRED))


def begin_due() -> None:
    """Begin sending the scheduled alerts that are due and not held, each in its own transaction."""
    for alert_id in _ids(_due(_now())):
        _begin(alert_id)


def continue_fan_outs() -> None:
    """Write the next slices of large fan-outs; each slice is committed, so that sending can start on it."""
    for alert_id in _read(lambda: delivery_queries.unfinished(MessageKind.ALERT)):
        while _continue(alert_id):
            pass


def finish() -> None:
    """Mark alerts with no waiting delivery as live, expire alerts that are over, and update the ledger accordingly."""
    now = _now()
    for alert_id in _ids(sa.select(Alert.id).where(Alert.state == _S.PUBLISHING)):
        _finish(alert_id, now)
    for alert_id in _ids(sa.select(Alert.id).where(Alert.state.in_(_MAY_EXPIRE), Alert.expires_at <= now)):
        _expire(alert_id, now)
    _update_ledger(now)


def _due(now: datetime) -> sa.Select[UUID]:
    return (
        sa.select(Alert.id)
        .join(Output, sa.and_(Output.kind == ALERT_OUTPUT, Output.subject_id == Alert.id))
        .where(
            Alert.state == _S.SCHEDULED,
            sa.or_(Alert.not_before.is_(None), Alert.not_before <= now),
            Alert.expires_at > now,
            Output.state == OutputState.APPROVED,
            sa.not_(Output.held),
            Output.consent_version == Alert.consent_version,
            sa.or_(Output.not_before.is_(None), Output.not_before <= now.astimezone(HOME).date()),
        )
        .order_by(Alert.approved_at)
    )


def _begin(alert_id: UUID) -> None:
    now = _now()
    queries.lock_family(alert_id)
    released = change_rows(
        sa.update(Output)
        .where(
            Output.kind == ALERT_OUTPUT,
            Output.subject_id == alert_id,
            Output.state.in_(sorted(OUTPUT_MOVES.sources(OutputState.RELEASED))),
            sa.not_(Output.held),
        )
        .values(state=OutputState.RELEASED)
    )
    alert = queries.locked_or_none(alert_id)
    still_due = exists(Alert.id == alert_id, queries.released())
    if alert is None or alert.state is not _S.SCHEDULED or not released or not still_due:
        # Another process began it, or somebody stopped it.
        db.session.rollback()
        return
    snapshot = _open_or_stop(alert)
    if snapshot is not None:
        # Not earlier: until this version is sent, members rely on the former one.
        stopping.replace_former(alert)
        ALERT_MOVES.move(alert, _S.PUBLISHING)
        fanout.repeat(snapshot.sending(), now=now, hours=runtime().settings.quiet_hours)
        ledger.let_go(kind=MessageKind.ALERT, subject_id=alert_id)
    db.session.commit()


def _continue(alert_id: UUID) -> bool:
    """Write one slice; False when there is nothing more to write at present."""
    # Lock the alert before its cursor, as `_begin` does, to avoid a deadlock.
    alert = queries.locked_or_none(alert_id)
    query = sa.select(FanOut).where(
        FanOut.kind == MessageKind.ALERT, FanOut.subject_id == alert_id, sa.not_(FanOut.done)
    )
    cursor = db.session.scalars(
        query.with_for_update(), execution_options={"populate_existing": True}
    ).one_or_none()
    if cursor is None or alert is None:
        db.session.rollback()
        return False
    # A stopped or ended alert gets no more deliveries; a scheduled one does.
    if alert.state not in IN_EFFECT | {_S.SCHEDULED}:
        cursor.done = alert.state not in _WAITING
        db.session.commit()
        return False
    snapshot = _open_or_stop(alert)
    if snapshot is not None:
        fanout.advance(cursor, snapshot.sending(), now=_now(), hours=runtime().settings.quiet_hours)
    more = snapshot is not None and not cursor.done
    db.session.commit()
    return more


def _open_or_stop(alert: Alert) -> Snapshot | None:
    """The snapshot. When the alert differs from its approval: None, and the alert is paused. The caller commits."""
    try:
        return open_approved(alert, vault=runtime().vault)
    except NotAsApproved:
        log.error("an alert is not as it was approved")
        stopping.stop(alert, day=_now().date())
        return None


def _finish(alert_id: UUID, now: datetime) -> None:
    with brief_reading():
        busy = fanout.is_under_way(MessageKind.ALERT, alert_id) or delivery_queries.has_pending(
            MessageKind.ALERT, alert_id
        )
    if busy:
        return
    alert = queries.locked_or_none(alert_id)
    if alert is None or alert.state is not _S.PUBLISHING:
        db.session.rollback()
        return
    if alert.change is Change.CORRECTION and _wrote_missing_corrections(alert, now):
        # The former version was being sent to somebody at the moment this one was approved.
        db.session.commit()
        return
    ALERT_MOVES.move(alert, _S.LIVE)
    db.session.commit()


def _wrote_missing_corrections(alert: Alert, now: datetime) -> bool:
    snapshot = _open_or_stop(alert)
    if snapshot is None:
        return True
    written = fanout.begin(snapshot.sending(), now=now, hours=runtime().settings.quiet_hours)
    return bool(written)


def _expire(alert_id: UUID, now: datetime) -> None:
    # Locked in the usual order: output, alert.
    stopping.end_outputs([alert_id])
    alert = queries.locked_or_none(alert_id)
    if alert is None or alert.state not in _MAY_EXPIRE or alert.expires_at is None or alert.expires_at > now:
        db.session.rollback()
        return
    ALERT_MOVES.move(alert, _S.EXPIRED)
    db.session.commit()


class LedgerStates(dict[UUID, AlertState]):
    """The state of each alert when its deliveries were last updated."""


def _update_ledger(now: datetime) -> None:
    """Cancel the deliveries of ended alerts, hold those of waiting alerts, and queue them again after a resume.

    The deliveries of an alert are updated once for each of its states. Deliveries past `expires_at` are ended by the
    ledger itself.
    """
    last_states = runtime().process_state.of(LedgerStates)
    query = sa.select(Alert.id, Alert.state).where(
        Alert.state.in_(sorted(_WAITING | _OVER)), Alert.expires_at > now
    )
    with brief_reading():
        alerts = db.session.execute(query).all()
        held = db.session.scalars(
            sa.select(Delivery.subject_id)
            .join(Alert, Alert.id == Delivery.subject_id)
            .where(ledger.is_one_of([DeliveryState.HELD]), Alert.state.in_(sorted(IN_EFFECT)))
            .distinct()
        ).all()
    for alert_id in held:
        ledger.let_go(kind=MessageKind.ALERT, subject_id=alert_id)
        db.session.commit()
        last_states.pop(alert_id, None)
    for alert_id, state in alerts:
        if last_states.get(alert_id) is state:
            continue
        update = ledger.cancel if state in _OVER else ledger.hold
        update(kind=MessageKind.ALERT, subject_id=alert_id)
        db.session.commit()
        last_states[alert_id] = state


def _ids(query: sa.Select[UUID]) -> Sequence[UUID]:
    return _read(lambda: db.session.scalars(query).all())


def _read(query: Callable[[], Sequence[UUID]]) -> Sequence[UUID]:
    with brief_reading():
        return query()


def _now() -> datetime:
    return runtime().clock.now()


JOBS = [
    Job("begin scheduled alerts", begin_due, every=timedelta(seconds=2)),
    Job("continue large fan-outs", continue_fan_outs, every=timedelta(seconds=1)),
    Job("finish alerts", finish, every=timedelta(seconds=5)),
]
