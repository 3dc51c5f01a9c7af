"""Several actions at the same moment, and commits that fail."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import TypeVar

import sqlalchemy as sa
from flask import Flask

from ugly_mugs.database.engine import db

T = TypeVar("T")


def at_once(actions: Sequence[Callable[[], T]], app: Flask | None = None) -> list[T]:
    """What each action gives, run in a thread of its own, within a context of `app` if one is given.

    All begin at the same moment. An error of one is raised here.
    """
    # The test's own transaction must not stand in their way.
    db.session.remove()
    gate = Barrier(len(actions))

    def run(action: Callable[[], T]) -> T:
        gate.wait(30)
        if app is None:
            return action()
        with app.app_context():
            try:
                return action()
            finally:
                db.session.remove()

    with ThreadPoolExecutor(len(actions)) as threads:
        return list(threads.map(run, actions))


@contextmanager
def failing_commits() -> Iterator[None]:
    """As when the connection closes with every commit."""

    def lose(_connection: sa.Connection) -> None:
        raise sa.exc.OperationalError("COMMIT", {}, Exception("connection closed"))

    sa.event.listen(db.engine, "commit", lose)
    yield
    sa.event.remove(db.engine, "commit", lose)
