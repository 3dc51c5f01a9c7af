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

# In seconds: how long a writer waits for its turn on SQLite, and how long emptying the log waits for those who read.
WRITE_PATIENCE, CHECKPOINT_PATIENCE = 30.0, 0.5

db = SQLAlchemy(metadata=Model.metadata)

_reading: ContextVar[bool] = ContextVar("reading", default=False)


@contextmanager
def reading() -> Iterator[None]:
    """Transactions begun inside are for reading: on SQLite they take no write lock."""
    token = _reading.set(True)
    try:
        yield
    finally:
        _reading.reset(token)


@contextmanager
def writing() -> Iterator[None]:
    """Ends the transaction under way, so that the next one may write from its first statement.

    SQLite cannot turn a reading transaction into a writing one when somebody else wrote meanwhile.
    """
    db.session.rollback()
    token = _reading.set(False)
    try:
        yield
    finally:
        db.session.rollback()
        _reading.reset(token)


def forget_deleted() -> None:
    """On SQLite, empties the write-ahead log, in which deleted rows would otherwise lie until it is written over.

    `secure_delete` overwrites them in the database file itself. Somebody who reads at this moment keeps the log as
    it is; the worker comes again. PostgreSQL clears dead rows by itself, as soon as `migrations/vacuum.py` says.
    """
    if not is_sqlite():
        return
    connection = db.engine.raw_connection()
    try:
        # While it waits for readers nobody may write, so it must not wait long.
        _run_pragma(connection, f"busy_timeout={int(CHECKPOINT_PATIENCE * 1000)}")
        _run_pragma(connection, "wal_checkpoint(TRUNCATE)")
    finally:
        _run_pragma(connection, f"busy_timeout={int(WRITE_PATIENCE * 1000)}")
        connection.close()


def _run_pragma(connection: PoolProxiedConnection, pragma: str) -> None:
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def is_sqlite() -> bool:
    return db.engine.dialect.name == "sqlite"


def engine_options(url: str) -> dict[str, Any]:
    """Options of the engine: statement values never reach a message or a log."""
    options: dict[str, Any] = {"hide_parameters": True}
    if url.startswith("sqlite"):
        options["connect_args"] = {"timeout": WRITE_PATIENCE, "check_same_thread": False}
        options["pool_size"] = 32
        options["max_overflow"] = 32
    else:
        options["pool_pre_ping"] = True
        options["pool_size"] = 16
        options["max_overflow"] = 32
    return options


def prepare_engine(engine: Engine) -> None:
    """Makes SQLite durable (`synchronous=FULL`), forgetful (`secure_delete`) and explicit about writing."""
    if engine.dialect.name != "sqlite":
        return

    @sa.event.listens_for(engine, "connect")
    def _connect(connection: Any, record: Any) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")
        # Whoever commits the page that fills the log moves it all into the database while others wait: a log of
        # 32 MB makes that rare, and writes a page of an index once for many reports.
        connection.execute("PRAGMA wal_autocheckpoint=8000")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN" if _reading.get() else "BEGIN IMMEDIATE")
