"""What the worker does for the installation by the clock: shows that it runs, and clears deleted rows from the log."""

from datetime import timedelta

import sqlalchemy as sa

from ugly_mugs.database.engine import db, forget_deleted
from ugly_mugs.database.models import Heartbeat, Process
from ugly_mugs.jobs import Job
from ugly_mugs.outbox.ledger import rows_of
from ugly_mugs.runtime import runtime


def beat() -> None:
    """Show that a worker is there; whichever of several does it."""
    now = runtime().clock.now()
    seen = sa.update(Heartbeat).where(Heartbeat.process == Process.WORKER).values(seen_at=now)
    if not rows_of(db.session.execute(seen)):
        db.session.add(Heartbeat(process=Process.WORKER, seen_at=now))
    db.session.commit()


JOBS = [
    Job("heartbeat", beat, every=timedelta(seconds=5)),
    Job("forget deleted rows", forget_deleted, every=timedelta(hours=1)),
]
