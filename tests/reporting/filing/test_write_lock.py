"""The lock of SQLite's writers: one holder at a time."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

from flask import Flask

from reporting.filing.write_lock import write_lock
from ugly_mugs.database.engine import is_sqlite


def test_the_next_one_gets_it_when_the_block_ends(app: Flask) -> None:
    if not is_sqlite():
        with write_lock(), write_lock():
            return
    held, order = Event(), list[str]()

    def second() -> None:
        with app.app_context(), write_lock():
            order.append("second")
            held.set()

    with ThreadPoolExecutor(1) as threads:
        with write_lock():
            running = threads.submit(second)
            assert not held.wait(0.3)
            order.append("first")
        running.result(10)

    assert order == ["first", "second"]
