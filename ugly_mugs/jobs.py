"""What the worker does again and again: named jobs, and a clock that starts them.

The clock (APScheduler, in memory) only says when. Every job is idempotent and finds its own work in the database,
so that it does not matter how many workers run it, or that one of them was stopped in the middle.
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

# Each job may wait for a database or a provider, and none may keep the others from their turn.
SPARE_THREADS = 2
# How often, in seconds, the clock looks whether it is to stop.
HEED = 0.1


@dataclass(frozen=True)
class Job:
    """Something to be done every so often, inside an application context; it commits what it writes."""

    name: str
    run: Callable[[], None]
    every: timedelta


def run_once(app: Flask, job: Job) -> bool:
    """Run one job now; what goes wrong is logged without its contents and leaves the next turn to try again."""
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
    """Run every job whenever it is due, until `stop` is set; returns when the last one under way has ended."""
    # APScheduler warns whenever a job is still running when its next turn comes; here that is how it should be.
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
        # Not `stop.wait()`: a signal handler that sets an event while its own thread is about to wait for it
        # would wait for itself.
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
        # The connection is gone, and with it the transaction.
        db.session.close()
