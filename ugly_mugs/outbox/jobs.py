"""What the worker does for the outbox by the clock."""

from datetime import timedelta

from ugly_mugs.database.engine import db
from ugly_mugs.jobs import Job
from ugly_mugs.outbox import attempts, ledger
from ugly_mugs.outbox.inbound import handovers
from ugly_mugs.outbox.reconcile import reconcile
from ugly_mugs.outbox.registry import registry
from ugly_mugs.outbox.worker import the_worker
from ugly_mugs.runtime import runtime


def apply_requests() -> None:
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


def mind_the_ledger() -> None:
    """Leases that ran out, what waited too long, and words that have had their time."""
    settings, now = runtime().settings, runtime().clock.now()
    attempts.end_leases(now=now, unknown_wait=timedelta(seconds=settings.unknown_wait))
    ledger.expire(now)
    ledger.forget_own_words(now)
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
    the_worker().forgetting.turn()


def sweep_requests() -> None:
    handovers.sweep(runtime().clock.now())


JOBS = [
    Job("apply requests", apply_requests, every=timedelta(milliseconds=250)),
    Job("send texts", send_texts, every=timedelta(milliseconds=250)),
    Job("send mails", send_mails, every=timedelta(milliseconds=250)),
    Job("mind the ledger", mind_the_ledger, every=timedelta(seconds=2)),
    Job("look for unknown texts", look_for_unknown, every=timedelta(seconds=2)),
    Job("forget texts", forget_texts, every=timedelta(seconds=1)),
    Job("sweep requests", sweep_requests, every=timedelta(hours=1)),
]
