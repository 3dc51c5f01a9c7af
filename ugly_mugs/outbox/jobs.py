"""The outbox's jobs."""

from datetime import timedelta

from ugly_mugs.database.engine import db
from ugly_mugs.jobs import Job
from ugly_mugs.outbox import attempts, ledger
from ugly_mugs.outbox.inbound import handovers
from ugly_mugs.outbox.reconcile import reconcile
from ugly_mugs.outbox.registry import registry
from ugly_mugs.outbox.worker import the_worker
from ugly_mugs.runtime import runtime


def apply_handovers() -> None:
    worker = the_worker()
    handovers.apply_waiting(
        vault=runtime().worker_vault,
        handlers=worker.handlers,
        now=runtime().clock.now(),
        resting=worker.resting,
    )


def send_texts() -> None:
    the_worker().texts.drain()


def send_mails() -> None:
    the_worker().mails.drain()


def tidy_ledger() -> None:
    """End leases that ran out, expire what waited too long, delete bodies that are no longer valid."""
    settings, now = runtime().settings, runtime().clock.now()
    attempts.end_leases(now=now, unknown_wait=timedelta(seconds=settings.unknown_wait))
    ledger.expire(now)
    ledger.delete_expired_bodies(now)
    db.session.commit()


def look_for_unknown() -> None:
    settings, worker = runtime().settings, the_worker()
    reconcile(
        registry=registry(),
        vault=runtime().worker_vault,
        listing=worker.text_gateway,
        clock=runtime().clock,
        unknown_wait=timedelta(seconds=settings.unknown_wait),
        unknown_give_up=timedelta(seconds=settings.unknown_give_up),
        stop=worker.stop,
    )


def forget_texts() -> None:
    the_worker().forgetting.run()


def sweep_handovers() -> None:
    handovers.sweep(runtime().clock.now())


JOBS = [
    Job("apply handovers", apply_handovers, every=timedelta(milliseconds=250)),
    Job("send texts", send_texts, every=timedelta(milliseconds=250)),
    Job("send mails", send_mails, every=timedelta(milliseconds=250)),
    Job("tidy the ledger", tidy_ledger, every=timedelta(seconds=2)),
    Job("look for unknown texts", look_for_unknown, every=timedelta(seconds=2)),
    Job("forget texts", forget_texts, every=timedelta(seconds=1)),
    Job("sweep handovers", sweep_handovers, every=timedelta(hours=1)),
]
