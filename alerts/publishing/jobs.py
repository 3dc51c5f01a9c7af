"""What the worker does for alerts by the clock: begin what was scheduled, write large fan-outs, and tidy what is over.

The worker believes no state alone: before it begins or continues anything it opens the snapshot and checks the
approval. Of outputs it may read and write a few columns only, so these are single statements.
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
from ugly_mugs.database.engine import db, reading
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
    """Scheduled alerts that nothing holds any more begin to leave, each in a transaction of its own."""
    for alert_id in _found(_due(_now())):
        _begin(alert_id)


def continue_fan_outs() -> None:
    """Write the next slices of large fan-outs; each is committed, so that sending goes on meanwhile."""
    for alert_id in _found_by(lambda: delivery_queries.unfinished(MessageKind.ALERT)):
        while _continue(alert_id):
            pass


def finish() -> None:
    """Alerts of which nothing waits any more are live; what has come to its end ends; the ledger follows."""
    now = _now()
    for alert_id in _found(sa.select(Alert.id).where(Alert.state == _S.PUBLISHING)):
        _finish(alert_id, now)
    for alert_id in _found(sa.select(Alert.id).where(Alert.state.in_(_MAY_EXPIRE), Alert.expires_at <= now)):
        _expire(alert_id, now)
    _set_aside(now)


# Beginning


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
    released = db.session.execute(
        sa.update(Output)
        .where(
            Output.kind == ALERT_OUTPUT,
            Output.subject_id == alert_id,
            Output.state.in_(sorted(OUTPUT_MOVES.sources(OutputState.RELEASED))),
            sa.not_(Output.held),
        )
        .values(state=OutputState.RELEASED)
        .execution_options(synchronize_session=False)
    )
    alert = queries.locked_or_none(alert_id)
    still_due = db.session.scalar(sa.select(sa.exists().where(Alert.id == alert_id, queries.released())))
    if alert is None or alert.state is not _S.SCHEDULED or not ledger.rows_of(released) or not still_due:
        # Somebody was quicker, or stopped it meanwhile.
        db.session.rollback()
        return
    snapshot = _opened(alert)
    if snapshot is not None:
        # Only now, because until this one leaves the former one is all that members have.
        stopping.replace_former(alert)
        ALERT_MOVES.move(alert, _S.PUBLISHING)
        fanout.repeat(snapshot.sending(), now=now, hours=runtime().settings.quiet_hours)
        ledger.let_go(kind=MessageKind.ALERT, subject_id=alert_id)
    db.session.commit()


def _continue(alert_id: UUID) -> bool:
    """One slice; False when there is nothing more to write for now."""
    # The alert first, then its cursor: whoever begins an alert locks them in that order.
    alert = queries.locked_or_none(alert_id)
    asked = sa.select(FanOut).where(
        FanOut.kind == MessageKind.ALERT, FanOut.subject_id == alert_id, sa.not_(FanOut.done)
    )
    cursor = db.session.scalars(
        asked.with_for_update(), execution_options={"populate_existing": True}
    ).one_or_none()
    if cursor is None or alert is None:
        db.session.rollback()
        return False
    # A stopped or ended alert gets no more rows; one that only waits for its day does.
    if alert.state not in IN_EFFECT | {_S.SCHEDULED}:
        cursor.done = alert.state not in _WAITING
        db.session.commit()
        return False
    snapshot = _opened(alert)
    if snapshot is not None:
        fanout.advance(cursor, snapshot.sending(), now=_now(), hours=runtime().settings.quiet_hours)
    more = snapshot is not None and not cursor.done
    db.session.commit()
    return more


def _opened(alert: Alert) -> Snapshot | None:
    """The snapshot; None when it is not as approved: then the alert stops, which the caller commits."""
    try:
        return open_approved(alert, vault=runtime().vault)
    except NotAsApproved:
        log.error("an alert is not as it was approved")
        stopping.stop(alert, day=_now().date())
        return None


# Ending


def _finish(alert_id: UUID, now: datetime) -> None:
    with reading():
        busy = fanout.is_under_way(MessageKind.ALERT, alert_id) or delivery_queries.has_pending(
            MessageKind.ALERT, alert_id
        )
        db.session.rollback()
    if busy:
        return
    alert = queries.locked_or_none(alert_id)
    if alert is None or alert.state is not _S.PUBLISHING:
        db.session.rollback()
        return
    if alert.change is Change.CORRECTION and _corrected_somebody_more(alert, now):
        # Somebody was being sent the former version at the very moment this one was approved.
        db.session.commit()
        return
    ALERT_MOVES.move(alert, _S.LIVE)
    db.session.commit()


def _corrected_somebody_more(alert: Alert, now: datetime) -> bool:
    snapshot = _opened(alert)
    if snapshot is None:
        return True
    written = fanout.begin(snapshot.sending(), now=now, hours=runtime().settings.quiet_hours)
    return bool(written)


def _expire(alert_id: UUID, now: datetime) -> None:
    # The same order of locks as everywhere: output, alert.
    stopping.end_outputs([alert_id])
    alert = queries.locked_or_none(alert_id)
    if alert is None or alert.state not in _MAY_EXPIRE or alert.expires_at is None or alert.expires_at > now:
        db.session.rollback()
        return
    ALERT_MOVES.move(alert, _S.EXPIRED)
    db.session.commit()


# The ledger


class Followed(dict[UUID, AlertState]):
    """The state in which the ledger last followed each alert."""


def _set_aside(now: datetime) -> None:
    """Deliveries follow their alert: cancelled with it, set aside while it waits, queued again when it goes on.

    Each alert is looked at once for each state it comes into; what expires by its time, the ledger ends itself.
    """
    seen = runtime().state.of(Followed)
    asked = sa.select(Alert.id, Alert.state).where(
        Alert.state.in_(sorted(_WAITING | _OVER)), Alert.expires_at > now
    )
    with reading():
        found = db.session.execute(asked).all()
        held = db.session.scalars(
            sa.select(Delivery.subject_id)
            .join(Alert, Alert.id == Delivery.subject_id)
            .where(ledger.is_one_of([DeliveryState.HELD]), Alert.state.in_(sorted(IN_EFFECT)))
            .distinct()
        ).all()
        db.session.rollback()
    for alert_id in held:
        ledger.let_go(kind=MessageKind.ALERT, subject_id=alert_id)
        db.session.commit()
        seen.pop(alert_id, None)
    for alert_id, state in found:
        if seen.get(alert_id) is state:
            continue
        follow = ledger.cancel if state in _OVER else ledger.hold
        follow(kind=MessageKind.ALERT, subject_id=alert_id)
        db.session.commit()
        seen[alert_id] = state


# Finding


def _found(asked: sa.Select[UUID]) -> Sequence[UUID]:
    return _found_by(lambda: db.session.scalars(asked).all())


def _found_by(look: Callable[[], Sequence[UUID]]) -> Sequence[UUID]:
    with reading():
        found = look()
        db.session.rollback()
    return found


def _now() -> datetime:
    return runtime().clock.now()


JOBS = [
    Job("begin scheduled alerts", begin_due, every=timedelta(seconds=2)),
    Job("continue large fan-outs", continue_fan_outs, every=timedelta(seconds=1)),
    Job("finish alerts", finish, every=timedelta(seconds=5)),
]
