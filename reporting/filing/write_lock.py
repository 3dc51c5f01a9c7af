"""File lock that serialises the SQLite writers of this machine; optional, it only makes waiting fair and fast.

SQLite itself polls for its lock with growing pauses, so a writer may sleep long after the lock became free. The kernel
wakes the next holder of a file lock at once. A writer that does not take this lock is slower, never wrong.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from ugly_mugs.database.engine import db, is_sqlite


@contextmanager
def write_lock() -> Iterator[None]:
    """Hold the lock while the block runs; does nothing on PostgreSQL. The kernel frees it when the process ends."""
    if not is_sqlite():
        yield
        return
    # An empty file beside the database file.
    handle = os.open(f"{db.engine.url.database}-turn", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
