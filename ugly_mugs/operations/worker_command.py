"""`flask worker`: runs the jobs, which send messages, call providers and do slow work."""

import logging
import signal
import sys
from collections.abc import Sequence
from types import FrameType

import click
import sqlalchemy as sa
from flask import Flask, current_app
from flask.cli import with_appcontext
from sqlalchemy.exc import DBAPIError, TimeoutError as PoolTimeout

from ugly_mugs.database.engine import db, reading
from ugly_mugs.jobs import Job, run_clock, run_once
from ugly_mugs.operations.start_checks import UnfitStart, refuse_unfit_start
from ugly_mugs.outbox import claims
from ugly_mugs.outbox.gateways.smtp import LocalPartTooLong
from ugly_mugs.outbox.models import Handover, HandoverState
from ugly_mugs.outbox.registry import registry
from ugly_mugs.outbox.worker import Worker, missing_settings, the_worker
from ugly_mugs.quiet_hours import is_quiet
from ugly_mugs.runtime import runtime
from ugly_mugs.settings import PREFIX
from ugly_mugs.vault import KeyFileProblem

log = logging.getLogger(__name__)

# One round may create work for the next (a sign-in code for a request, an answer to a STOP); the limit ends a loop.
MOST_ROUNDS = 20


@click.command("worker")
@click.option("--once", is_flag=True, help="Do everything that is due, then end.")
@with_appcontext
def worker(once: bool) -> None:
    """Send what is due, and apply what came in."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # the application behind the proxy
    jobs = runtime().wiring.jobs
    ready = _ready(app)
    # Release this context's database connection, which would otherwise be held while the jobs run.
    db.session.remove()
    if once:
        failed = run_all(app, jobs)
        if failed:
            raise click.ClickException(f"Not everything could be done: {', '.join(sorted(failed))}.")
        click.echo("Everything that was due is done.")
        return
    _stop_on_signals(ready)
    click.echo("The worker is running. Ctrl-C stops it.")
    run_clock(app, jobs, ready.stop)
    click.echo("The worker has stopped; nothing is left half sent.")


def run_all(app: Flask, jobs: Sequence[Job]) -> set[str]:
    """Run all jobs repeatedly until nothing is due; returns the names of those that failed in the last round."""
    failed: set[str] = set()
    for _ in range(MOST_ROUNDS):
        failed = {job.name for job in jobs if not run_once(app, job)}
        if failed or not _is_anything_due(app):
            break
    return failed


def _is_anything_due(app: Flask) -> bool:
    with app.app_context():
        try:
            now = runtime().clock.now()
            with reading():
                waits = db.session.scalar(
                    sa.select(sa.exists().where(Handover.state == HandoverState.WAITING))
                )
            quiet = is_quiet(now, runtime().settings.quiet_hours)
            return bool(waits) or claims.is_anything_due(registry(), now=now, quiet=quiet)
        except (DBAPIError, PoolTimeout):
            return False
        finally:
            db.session.remove()


def _ready(app: Flask) -> Worker:
    """The worker, ready to run; ClickException that names every missing or wrong setting."""
    problems = missing_settings(runtime().settings)
    try:
        refuse_unfit_start(runtime().settings, web=False)
    except UnfitStart as unfit:
        problems += unfit.problems
    try:
        ready = the_worker(app)
    except KeyFileProblem as problem:
        raise click.ClickException("\n".join([*problems, str(problem)])) from None
    if problems:
        raise click.ClickException("\n".join(problems))
    try:
        _ = ready.texts, ready.mails, ready.handlers
    except LocalPartTooLong:
        raise click.ClickException(
            f"{PREFIX}MAIL_FROM is too long: what stands before the @ may have 15 letters at most."
        ) from None
    return ready


def _stop_on_signals(ready: Worker) -> None:
    """On SIGTERM and Ctrl-C: finish and record the work in progress, begin nothing new."""

    def stop(signum: int, frame: FrameType | None) -> None:
        if ready.stop.is_set():
            # A second signal ends at once; the leases of unfinished deliveries expire and are then reconciled.
            sys.exit(1)
        ready.stop.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
