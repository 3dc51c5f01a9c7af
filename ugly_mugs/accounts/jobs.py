"""The worker's periodic jobs for accounts."""

from datetime import timedelta

from ugly_mugs.accounts import sessions
from ugly_mugs.database.engine import db
from ugly_mugs.jobs import Job
from ugly_mugs.runtime import runtime


def sweep() -> None:
    sessions.sweep(runtime().clock.now())
    db.session.commit()


JOBS = [Job("sweep sessions", sweep, every=timedelta(minutes=10))]
