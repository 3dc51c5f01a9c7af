"""The worker's daily counts of reports, which name no report and no person."""

import sqlalchemy as sa
from flask.testing import FlaskClient

from tests.make.clock import MovableClock
from tests.make.reporter import file, file_and_open, post
from ugly_mugs.audit import jobs
from ugly_mugs.audit.models import AuditEntry, AuditKind
from ugly_mugs.database.engine import db


def test_a_day_is_counted_once_when_it_is_over(client: FlaskClient, clock: MovableClock) -> None:
    file(client)
    file(client)
    file_and_open(client)
    post(client, "/receipt/add", **{"happened.account": "More."})
    file_and_open(client)
    post(client, "/receipt/withdraw")

    jobs.count_yesterday()
    assert db.session.scalars(sa.select(AuditEntry)).all() == []
    clock.forward(days=1)
    jobs.count_yesterday()
    jobs.count_yesterday()

    entries = db.session.scalars(sa.select(AuditEntry)).all()
    assert {entry.kind: entry.count for entry in entries} == {
        AuditKind.REPORTS_FILED: 4,
        AuditKind.REPORTS_ADDED_TO: 1,
        AuditKind.REPORTS_WITHDRAWN: 1,
    }
    assert {(entry.actor_id, entry.subject_id) for entry in entries} == {(None, None)}
