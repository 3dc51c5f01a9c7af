"""Queries about alerts."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from alerts.publishing.models import (
    ALERT_OUTPUT,
    IN_EFFECT,
    UNAPPROVED,
    Alert,
    AlertFamily,
    AlertState,
)
from reporting.record.models import Output, OutputState
from ugly_mugs.database.engine import db
from ugly_mugs.database.statements import exists
from ugly_mugs.errors import or_not_there

_FRESH = {"populate_existing": True}
_NOT_SENDING_YET = frozenset(
    {AlertState.DRAFT, AlertState.SUBMITTED, AlertState.APPROVED, AlertState.SCHEDULED}
)


def alert(alert_id: UUID) -> Alert:
    """One version, or NotThere."""
    return or_not_there(db.session.get(Alert, alert_id))


def locked(alert_id: UUID) -> Alert:
    """One version, read again and locked until the transaction ends, or NotThere."""
    return or_not_there(locked_or_none(alert_id))


def locked_or_none(alert_id: UUID) -> Alert | None:
    query = sa.select(Alert).where(Alert.id == alert_id).with_for_update()
    return db.session.scalars(query, execution_options=_FRESH).one_or_none()


def locked_of_report(report_id: UUID) -> Sequence[Alert]:
    """Every version of every alert made from this report, locked."""
    query = (
        sa.select(Alert)
        .join(AlertFamily)
        .where(AlertFamily.report_id == report_id)
        .order_by(Alert.id)
        .with_for_update(of=Alert)
    )
    return db.session.scalars(query, execution_options=_FRESH).all()


def lock_family(alert_id: UUID) -> None:
    """Lock every version of this version's family: first their outputs, then the alerts.

    Every transaction that moves more than one version begins with this, so that two of them cannot deadlock.
    """
    family = sa.select(Alert.family_id).where(Alert.id == alert_id).scalar_subquery()
    versions = sa.select(Alert.id).where(Alert.family_id == family)
    output_ids = sa.select(Output.id).where(Output.kind == ALERT_OUTPUT, Output.subject_id.in_(versions))
    db.session.execute(output_ids.order_by(Output.id).with_for_update())
    db.session.execute(versions.order_by(Alert.id).with_for_update())


def former_versions(alert: Alert) -> Sequence[Alert]:
    """The versions before this one, locked."""
    query = (
        sa.select(Alert)
        .where(Alert.family_id == alert.family_id, Alert.version < alert.version)
        .order_by(Alert.id)
        .with_for_update()
    )
    return db.session.scalars(query, execution_options=_FRESH).all()


def first_draft_of(report_id: UUID) -> Alert | None:
    """The first version that was drafted from this report and is not decided yet, if there is one."""
    query = (
        sa.select(Alert)
        .join(AlertFamily)
        .where(AlertFamily.report_id == report_id, Alert.state.in_(sorted(UNAPPROVED)), Alert.version == 1)
        .order_by(Alert.id)
        .limit(1)
    )
    return db.session.scalars(query).one_or_none()


def newer_version_under_way(alert: Alert) -> bool:
    """Whether a later version of the family is being written, waits for approval or is scheduled."""
    return exists(
        Alert.family_id == alert.family_id,
        Alert.version > alert.version,
        Alert.state.in_(sorted(_NOT_SENDING_YET)),
    )


def all_alerts() -> Sequence[Alert]:
    """Every version, the newest first."""
    query = (
        sa.select(Alert)
        .join(AlertFamily)
        .order_by(Alert.created_on.desc(), AlertFamily.reference, Alert.version)
    )
    return db.session.scalars(query.options(sa.orm.contains_eager(Alert.family))).all()


def output_of(alert_id: UUID) -> Output | None:
    """The output of this version, not locked: only to be read."""
    query = sa.select(Output).where(Output.kind == ALERT_OUTPUT, Output.subject_id == alert_id)
    return db.session.scalars(query).one_or_none()


def released() -> sa.ColumnElement[bool]:
    """SQL condition: the version's output is released, not held, and its consent version is the approved one."""
    # EXISTS (SELECT *) needs the right to read every column of outputs, which the worker's role does not have.
    return sa.exists(Output.id).where(
        Output.kind == ALERT_OUTPUT,
        Output.subject_id == Alert.id,
        Output.state == OutputState.RELEASED,
        sa.not_(Output.held),
        Output.consent_version == Alert.consent_version,
    )


def current_alerts(now: datetime) -> Sequence[Alert]:
    """The alerts that members may read now, the newest first."""
    query = (
        sa.select(Alert)
        .where(Alert.state.in_(sorted(IN_EFFECT)), Alert.expires_at > now, released())
        .order_by(Alert.approved_at.desc(), Alert.id)
    )
    return db.session.scalars(query).all()


def current_alert(reference: str, now: datetime) -> Alert | None:
    return next((alert for alert in current_alerts(now) if alert.family.reference == reference), None)


def was_sent(reference: str) -> bool:
    """Whether a version with this reference was ever approved."""
    return exists(
        Alert.family_id == AlertFamily.id, AlertFamily.reference == reference, Alert.approved_at.is_not(None)
    )
