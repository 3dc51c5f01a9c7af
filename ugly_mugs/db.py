"""The database: one declarative base, how each column's contents are declared, and how transactions begin.

Every column says what it holds (`docs/threat-model.md` lists them, the thief tests hold the database to it):

* `sealed(...)`: ciphertext; the argument names the key that opens it;
* `keyed(...)`: a fingerprint made with a secret key;
* `clear(...)`: readable by whoever has the database; the argument says what it is.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

import sqlalchemy as sa
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, MappedColumn, mapped_column
from sqlalchemy.pool import PoolProxiedConnection
from sqlalchemy.sql.functions import GenericFunction

# In seconds: how long a writer waits for its turn on SQLite, and how long emptying the log waits for those who read.
WRITE_PATIENCE, CHECKPOINT_PATIENCE = 30.0, 0.5

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


E = TypeVar("E", bound=StrEnum)


class Model(DeclarativeBase):
    """Base of every table."""

    metadata = sa.MetaData(naming_convention=NAMING)


db = SQLAlchemy(metadata=Model.metadata)


class Clear(StrEnum):
    """The kinds of value that may stand readable in the database."""

    ID = "random id"
    STATE = "enum member"
    FLAG = "boolean"
    DAY = "date"
    COUNT = "count"
    VERSION = "version"
    PUBLIC_KEY = "public key"
    NAMED = "named in the threat model"


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """An aware UTC moment; SQLite keeps it naive, PostgreSQL as timestamptz."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Named(sa.types.TypeDecorator[E]):
    """An enum kept by its value in a short text column."""

    impl = sa.String(32)
    cache_ok = True

    def __init__(self, members: type[E]) -> None:
        super().__init__()
        self.members = members

    def process_bind_param(self, value: E | None, dialect: sa.Dialect) -> str | None:
        return None if value is None else self.members(value).value

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> E | None:
        return None if value is None else self.members(value)


def sealed(under: str, **options: Any) -> MappedColumn[Any]:
    """Ciphertext; `under` names the key that opens it."""
    return mapped_column(sa.LargeBinary, info={"holds": "sealed", "under": under}, **options)


def keyed(under: str, **options: Any) -> MappedColumn[Any]:
    """A keyed fingerprint (HMAC or VOPRF tag); `under` names the key."""
    return mapped_column(sa.LargeBinary, info={"holds": "keyed", "under": under}, **options)


def clear(what: Clear, *args: Any, **options: Any) -> MappedColumn[Any]:
    """A value whoever has the database can read; `what` says why that is allowed."""
    return mapped_column(*args, info={"holds": "clear", "what": what}, **options)


def state_of(members: type[StrEnum], **options: Any) -> MappedColumn[Any]:
    """An enum member, in clear."""
    info = {"holds": "clear", "what": Clear.STATE, "members": members}
    return mapped_column(Named(members), info=info, **options)


def primary_key() -> MappedColumn[Any]:
    """A random id made in Python, because sealed values are bound to it before the row exists."""
    return clear(Clear.ID, sa.Uuid, primary_key=True, default=uuid.uuid4)


class random_id(GenericFunction[uuid.UUID]):  # noqa: N801  a SQL function's name
    """A random id made by the database, for rows written by one INSERT … SELECT."""

    type = sa.Uuid()
    inherit_cache = True


@compiles(random_id, "postgresql")
def _random_id_postgresql(element: random_id, compiler: Any, **kw: Any) -> str:
    return "gen_random_uuid()"


@compiles(random_id, "sqlite")
def _random_id_sqlite(element: random_id, compiler: Any, **kw: Any) -> str:
    return "lower(hex(randomblob(16)))"


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
