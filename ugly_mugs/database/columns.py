"""Column declarations that say what each column holds, and the base class of every table.

`docs/threat-model.md` lists every column; tests in `tests/rules` and `tests/thief` compare it with the database.

* `sealed(...)`: ciphertext; the argument names the key that opens it;
* `keyed(...)`: a fingerprint made with a secret key;
* `clear(...)`: readable by anybody who has the database; the argument says what kind of value it is.
"""

import uuid
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, MappedColumn, mapped_column
from sqlalchemy.sql.functions import GenericFunction

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

E = TypeVar("E", bound=StrEnum)


class Model(DeclarativeBase):
    metadata = sa.MetaData(naming_convention=NAMING)


class Clear(StrEnum):
    """The kinds of value that may be stored unencrypted."""

    ID = "random id"
    STATE = "enum member"
    KIND = "registered kind"
    FLAG = "boolean"
    DAY = "date"
    COUNT = "count"
    VERSION = "version"
    PUBLIC_KEY = "public key"
    NAMED = "named in the threat model"


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """An aware UTC datetime; SQLite stores it naive, PostgreSQL as timestamptz. ValueError for a naive one."""

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


class EnumText(sa.types.TypeDecorator[E]):
    """An enum member, stored as its value in a text column of 32 characters."""

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
    """A value that anybody who has the database can read; `what` says which kind of value it is."""
    return mapped_column(*args, info={"holds": "clear", "what": what}, **options)


def state_of(members: type[StrEnum], **options: Any) -> MappedColumn[Any]:
    info = {"holds": "clear", "what": Clear.STATE, "members": members}
    return mapped_column(EnumText(members), info=info, **options)


def partial_index(name: str, *columns: str, where: str) -> sa.Index:
    """An index of the rows that meet the SQL condition; only queries that repeat it can use the index."""
    return sa.Index(name, *columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def primary_key() -> MappedColumn[Any]:
    """A random id made in Python, because values are sealed for a row (`Where`) before it is inserted."""
    return clear(Clear.ID, sa.Uuid, primary_key=True, default=uuid.uuid4)


class random_id(GenericFunction[uuid.UUID]):  # noqa: N801  a SQL function's name
    """A random id made by the database, for rows written by `INSERT … SELECT`."""

    type = sa.Uuid()
    inherit_cache = True


@compiles(random_id, "postgresql")
def _random_id_postgresql(element: random_id, compiler: Any, **kw: Any) -> str:
    return "gen_random_uuid()"


@compiles(random_id, "sqlite")
def _random_id_sqlite(element: random_id, compiler: Any, **kw: Any) -> str:
    return "lower(hex(randomblob(16)))"
