"""What the worker does for the database by the clock."""

from datetime import timedelta

from ugly_mugs.db import forget_deleted
from ugly_mugs.jobs import Job

JOBS = [Job("forget deleted rows", forget_deleted, every=timedelta(hours=1))]
