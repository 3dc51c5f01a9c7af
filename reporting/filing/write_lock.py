"""Waits for one's turn to write among the processes of this machine, where the database is a file.

SQLite lets whoever waits for its lock sleep for longer and longer between two looks, while the lock may have been
free all the time. The kernel wakes the next one at once. Whoever does not ask for a turn is only slower, never wrong.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from ugly_mugs.database.engine import db, is_sqlite


@contextmanager
def turn() -> Iterator[None]:
    """Hold the turn while the block runs; it ends with the process too, whatever becomes of that."""
    if not is_sqlite():
        yield
        return
    # An empty file beside the database, as SQLite itself keeps its own.
    handle = os.open(f"{db.engine.url.database}-turn", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
