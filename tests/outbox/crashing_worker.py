"""A worker of the tests' own that kills itself (SIGKILL) at a named step; without one it is an ordinary worker.

Started as a process: `python -m tests.outbox.crashing_worker [STEP COUNT]`, with the settings in its environment.
The steps are set by wrapping what the worker calls; nothing in the shipped code knows of them.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any, NoReturn

import sqlalchemy as sa

from tests.outbox.posting import Heard, wire_for
from ugly_mugs.app import create_app
from ugly_mugs.database.engine import db
from ugly_mugs.jobs import run_clock
from ugly_mugs.operations.jobs import JOBS as HOUSE_JOBS
from ugly_mugs.outbox import attempts, claims
from ugly_mugs.outbox.jobs import JOBS
from ugly_mugs.outbox.worker import Worker, the_worker

_claiming = threading.local()


class Countdown:
    """Dies at the n-th time, saying where."""

    def __init__(self, step: str, count: int) -> None:
        self._step = step
        self._left = count
        self._lock = threading.Lock()

    def __call__(self) -> None:
        with self._lock:
            self._left -= 1
            if self._left == 0:
                _die(self._step)


def _die(step: str) -> NoReturn:
    os.write(1, f"killed {step}\n".encode())
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("nobody survives that")


def before_the_claim_is_committed(worker: Worker, tick: Callable[[], None]) -> None:
    real = claims.claim

    def claim(*arguments: Any, **named: Any) -> Any:
        _claiming.rows = 0
        try:
            return real(*arguments, **named)
        finally:
            del _claiming.rows

    claims.claim = claim

    @sa.event.listens_for(db.engine, "after_cursor_execute")
    def _executed(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if hasattr(_claiming, "rows") and "RETURNING" in statement:
            _claiming.rows = 1

    @sa.event.listens_for(db.engine, "commit")
    def _committing(connection: Any) -> None:
        if getattr(_claiming, "rows", 0):
            tick()


def after_the_claim_is_committed(worker: Worker, tick: Callable[[], None]) -> None:
    real = claims.claim

    def claim(*arguments: Any, **named: Any) -> Any:
        claimed = real(*arguments, **named)
        if claimed:
            tick()
        return claimed

    claims.claim = claim


def after_the_provider_accepted(worker: Worker, tick: Callable[[], None]) -> None:
    real = worker.text_gateway.send

    def send(message: Any) -> Any:
        accepted = real(message)
        tick()
        return accepted

    worker.text_gateway.send = send  # type: ignore[method-assign]  # what this file is for


def before_the_results_are_written(worker: Worker, tick: Callable[[], None]) -> None:
    real = attempts.record

    def record(batch: Any) -> None:
        tick()
        real(batch)

    attempts.record = record  # type: ignore[assignment]  # what this file is for


def while_it_looks_for_the_unknown(worker: Worker, tick: Callable[[], None]) -> None:
    real = worker.text_gateway.sent_to

    def sent_to(*arguments: Any, **named: Any) -> Any:
        tick()
        return real(*arguments, **named)

    worker.text_gateway.sent_to = sent_to  # type: ignore[method-assign]  # what this file is for


STEPS = {
    step.__name__: step
    for step in (
        before_the_claim_is_committed,
        after_the_claim_is_committed,
        after_the_provider_accepted,
        before_the_results_are_written,
        while_it_looks_for_the_unknown,
    )
}


def main() -> None:
    app = create_app()
    wire_for(app, Heard())
    with app.app_context():
        worker = the_worker()
        if len(sys.argv) > 1:
            step, count = sys.argv[1], int(sys.argv[2])
            STEPS[step](worker, Countdown(step, count))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.stop.set())
    run_clock(app, [*JOBS, *HOUSE_JOBS], worker.stop)


if __name__ == "__main__":
    main()
