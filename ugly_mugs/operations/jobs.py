"""The worker's periodic jobs for the installation: its heartbeat, and emptying SQLite's write-ahead log."""

from datetime import timedelta

import sqlalchemy as sa

from ugly_mugs.database.engine import db, forget_deleted
from ugly_mugs.database.models import Heartbeat, Process
from ugly_mugs.database.statements import change_rows
from ugly_mugs.jobs import Job
from ugly_mugs.runtime import runtime


def record_heartbeat() -> None:
    """Record that a worker is alive; several workers share one row."""
    now = runtime().clock.now()
    statement = sa.update(Heartbeat).where(Heartbeat.process == Process.WORKER).values(seen_at=now)
    if not change_rows(statement):
        db.session.add(Heartbeat(process=Process.WORKER, seen_at=now))
    db.session.commit()


JOBS = [
    Job("heartbeat", record_heartbeat, every=timedelta(seconds=5)),
    Job("forget deleted rows", forget_deleted, every=timedelta(hours=1)),
]
