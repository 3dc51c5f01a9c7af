"""The worker's periodic jobs, and the scheduler that runs them.

The scheduler (APScheduler, in memory) only decides when. Every job is idempotent and finds its work in the database,
so any number of workers may run it, and any of them may be stopped in the middle.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from flask import Flask
from sqlalchemy.exc import DBAPIError, TimeoutError as PoolTimeout

from ugly_mugs.database.engine import db
from ugly_mugs.faults import raised_at

log = logging.getLogger(__name__)

# Threads beyond one for each job. A job may wait for the database or a provider without delaying the others.
SPARE_THREADS = 2
# Interval in seconds at which `stop` is polled.
HEED = 0.1


@dataclass(frozen=True)
class Job:
    """A periodic task: runs inside an application context and commits what it writes."""

    name: str
    run: Callable[[], None]
    every: timedelta


def run_once(app: Flask, job: Job) -> bool:
    """Run one job now; False if it failed. Errors are logged without their message; the next run tries again."""
    with app.app_context():
        try:
            job.run()
        except (DBAPIError, PoolTimeout) as trouble:
            _forget_transaction()
            original = getattr(trouble, "orig", None)
            log.warning(
                "the database does not answer; trying again",
                extra={"job": job.name, "error": type(original or trouble).__name__},
            )
            return False
        except Exception as fault:
            _forget_transaction()
            log.error(
                "a job failed",
                extra={"job": job.name, "error": type(fault).__name__, "where": raised_at(fault)},
            )
            return False
        finally:
            db.session.remove()
    return True


def run_clock(app: Flask, jobs: Sequence[Job], stop: threading.Event) -> None:
    """Run every job at its interval until `stop` is set; returns when the jobs still running have ended."""
    # APScheduler warns whenever a job is still running at its next due time, which is normal here.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    scheduler = BackgroundScheduler(
        timezone=UTC,
        executors={"default": ThreadPoolExecutor(len(jobs) + SPARE_THREADS)},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
    )
    for job in jobs:
        scheduler.add_job(
            _turn,
            "interval",
            args=(app, job, stop),
            seconds=job.every.total_seconds(),
            next_run_time=datetime.now(UTC),
            name=job.name,
        )
    scheduler.start()
    try:
        # Polling instead of `stop.wait()`: a signal handler that calls `stop.set()` in the thread that is inside
        # `wait()` can deadlock on the event's lock.
        while not stop.is_set():
            time.sleep(HEED)
    finally:
        stop.set()
        scheduler.shutdown(wait=True)


def _turn(app: Flask, job: Job, stop: threading.Event) -> None:
    if not stop.is_set():
        run_once(app, job)


def _forget_transaction() -> None:
    try:
        db.session.rollback()
    except (DBAPIError, PoolTimeout):
        # The connection is lost, and the transaction with it.
        db.session.close()
