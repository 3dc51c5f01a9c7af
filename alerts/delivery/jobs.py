"""The worker's periodic job for fan-outs."""

from datetime import timedelta

import sqlalchemy as sa

from ugly_mugs.database.engine import db
from ugly_mugs.database.statements import change_rows
from ugly_mugs.jobs import Job
from ugly_mugs.outbox.models import FanOut


def forget_finished() -> None:
    change_rows(sa.delete(FanOut).where(FanOut.done))
    db.session.commit()


JOBS = [Job("forget finished fan-outs", forget_finished, every=timedelta(hours=1))]
