"""The engine and how transactions begin, on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import sqlalchemy as sa
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import PoolProxiedConnection

from ugly_mugs.database.columns import Model

# SQLite, in seconds: how long a writer waits for the lock, and how long a checkpoint waits for readers.
WRITE_TIMEOUT, CHECKPOINT_TIMEOUT = 30.0, 0.5

db = SQLAlchemy(metadata=Model.metadata)

_reading: ContextVar[bool] = ContextVar("reading", default=False)


@contextmanager
def reading() -> Iterator[None]:
    """Transactions begun inside only read: on SQLite they take no write lock."""
    token = _reading.set(True)
    try:
        yield
    finally:
        _reading.reset(token)


@contextmanager
def brief_reading() -> Iterator[None]:
    """As `reading`, and no transaction stays open afterwards: a write must not start in one that only reads."""
    with reading():
        try:
            yield
        finally:
            db.session.rollback()


@contextmanager
def writing() -> Iterator[None]:
    """End the current transaction; those begun inside may write from their first statement. Roll back at the end.

    SQLite cannot upgrade a reading transaction if another connection has written since it began.
    """
    db.session.rollback()
    token = _reading.set(False)
    try:
        yield
    finally:
        db.session.rollback()
        _reading.reset(token)


def forget_deleted() -> None:
    """Empty SQLite's write-ahead log, in which deleted rows would otherwise stay until it is overwritten.

    `secure_delete` overwrites them in the database file itself. A reader at this moment prevents it; the worker
    repeats it hourly. PostgreSQL removes deleted rows by autovacuum (`migrations/vacuum.py`).
    """
    if not is_sqlite():
        return
    connection = db.engine.raw_connection()
    try:
        # A checkpoint that waits for readers blocks all writers.
        _run_pragma(connection, f"busy_timeout={int(CHECKPOINT_TIMEOUT * 1000)}")
        _run_pragma(connection, "wal_checkpoint(TRUNCATE)")
    finally:
        _run_pragma(connection, f"busy_timeout={int(WRITE_TIMEOUT * 1000)}")
        connection.close()


def _run_pragma(connection: PoolProxiedConnection, pragma: str) -> None:
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def is_sqlite() -> bool:
    return db.engine.dialect.name == "sqlite"


def engine_options(url: str) -> dict[str, Any]:
    """Engine options; `hide_parameters` keeps statement values out of error messages and logs."""
    options: dict[str, Any] = {"hide_parameters": True}
    if url.startswith("sqlite"):
        options["connect_args"] = {"timeout": WRITE_TIMEOUT, "check_same_thread": False}
        options["pool_size"] = 32
        options["max_overflow"] = 32
    else:
        options["pool_pre_ping"] = True
        options["pool_size"] = 16
        options["max_overflow"] = 32
    return options


def prepare_engine(engine: Engine) -> None:
    """Set up SQLite: durable commits, overwriting of deleted rows, and the write lock taken at BEGIN."""
    if engine.dialect.name != "sqlite":
        return

    @sa.event.listens_for(engine, "connect")
    def _connect(connection: Any, record: Any) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")
        # The commit that fills the log copies all of it into the database while others wait. At 8,000 pages (32 MB)
        # that is rare, and an index page changed by many reports is copied once.
        connection.execute("PRAGMA wal_autocheckpoint=8000")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN" if _reading.get() else "BEGIN IMMEDIATE")
