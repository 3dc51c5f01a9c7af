"""A database for each test: SQLite and PostgreSQL, with tables only or after the first start of an installation.

Tables and the first start are made once in a run, and copied. Each process runs a PostgreSQL server of its own, from
a copy of one that was prepared: tests of two processes then share nothing, and a copy starts eight times as fast as
a new server (0.35 s after 2.7 s).
"""

import functools
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from tests.make.clock import MovableClock
from tests.make.installation import Installation, application, install
from tests.make.once import SharedFolder
from tests.make.processes import postgresql
from ugly_mugs.database.engine import db
from ugly_mugs.settings import Settings, from_environment

KINDS = ("sqlite", "postgresql")
EMPTY, INSTALLED = "empty", "installed"


def settings_for(url: str, keys: Path, **changes: str) -> Settings:
    """Settings of a test installation; `changes` are settings by their short names."""
    environment = {
        "DATABASE_URL": url,
        "KEYS_DIR": str(keys),
        "PUBLIC_URL": "http://127.0.0.1:8000",
        "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "TWILIO_AUTH_TOKEN": "sandbox-token",
        "TWILIO_FROM": "+447700900000",
        "TWILIO_API_URL": "http://127.0.0.1:8001",
        "SMTP_URL": "smtp://127.0.0.1:8002",
        "MAIL_FROM": "notices@example.org",
        **changes,
    }
    return from_environment({f"UGLY_MUGS_{name}": value for name, value in environment.items()})


def make_tables(url: str, keys: Path) -> None:
    """Every table, in a database that has none."""
    with application(settings_for(url, keys)):
        db.create_all()


@contextmanager
def own_database(server: str) -> Iterator[str]:
    """The address of an empty PostgreSQL database on this server, which is dropped at the end."""
    name = f"own_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    yield postgresql.renamed(server, name)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def count(table: type[Any], *conditions: sa.ColumnElement[bool]) -> int:
    """How many rows of the table fulfil the conditions now; no transaction stays open."""
    db.session.rollback()
    total = db.session.scalar(sa.select(sa.func.count()).select_from(table).where(*conditions)) or 0
    db.session.rollback()
    return total


def execute(statement: sa.Executable) -> None:
    """Run a statement and commit it."""
    db.session.execute(statement)
    db.session.commit()


def set_row(model: type[Any], row_id: uuid.UUID, **values: Any) -> None:
    """Change a row in the database, past the services."""
    execute(sa.update(model).where(model.id == row_id).values(**values))


@dataclass(frozen=True)
class Templates:
    """What is copied, in one folder: databases of SQLite or a stopped server, keys, and the words on paper."""

    folder: Path

    @property
    def server(self) -> Path:
        """Of PostgreSQL: its files, with both databases in it."""
        return self.folder / "postgresql"

    @property
    def keys(self) -> Path:
        return self.folder / "keys"

    def sqlite(self, name: str) -> Path:
        return self.folder / f"{name}.sqlite3"

    @property
    def installation(self) -> Installation:
        return Installation(recovery_words=self._words.read_text("utf-8"))

    def make_sqlite(self) -> None:
        self._make(lambda name: f"sqlite:///{self.sqlite(name)}")

    def make_postgresql(self) -> None:
        with postgresql.running(kept_at=self.server) as address:
            with psycopg.connect(address, autocommit=True) as connection:
                for name in (EMPTY, INSTALLED):
                    connection.execute(f"CREATE DATABASE {name}")
            self._make(functools.partial(postgresql.renamed, address))

    def _make(self, url_of: Callable[[str], str]) -> None:
        for name in (EMPTY, INSTALLED):
            make_tables(url_of(name), self.folder / "no-keys")
        installation = install(settings_for(url_of(INSTALLED), self.keys), MovableClock())
        self._words.write_text(installation.recovery_words, "utf-8")

    @property
    def _words(self) -> Path:
        return self.folder / "recovery-words"


@pytest.fixture(scope="session")
def sqlite_templates(shared_folder: SharedFolder) -> Templates:
    return Templates(shared_folder.once("sqlite", lambda folder: Templates(folder).make_sqlite()))


@pytest.fixture(scope="session")
def postgresql_templates(shared_folder: SharedFolder) -> Templates:
    return Templates(shared_folder.once("postgresql", lambda folder: Templates(folder).make_postgresql()))


@pytest.fixture
def templates(database_kind: str, request: pytest.FixtureRequest) -> Templates:
    found: Templates = request.getfixturevalue(f"{database_kind}_templates")
    return found


@pytest.fixture(scope="session")
def postgresql_server(postgresql_templates: Templates) -> Iterator[str]:
    """The address of a PostgreSQL server of this process's own, ending in the database's name `postgres`."""
    with postgresql.running(copy_of=postgresql_templates.server) as address:
        yield address


@pytest.fixture
def database_url(
    database_kind: str, templates: Templates, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[str]:
    """A database of this test's own: after the first start if the test has an installation, else with no rows."""
    name = INSTALLED if "installation" in request.fixturenames else EMPTY
    if database_kind == "sqlite":
        path = tmp_path / "database.sqlite3"
        shutil.copy(templates.sqlite(name), path)
        yield f"sqlite:///{path}"
        return
    reused: ReusedDatabase = request.getfixturevalue(f"{name}_database")
    yield reused.url
    reused.reset()


@pytest.fixture(scope="session")
def installed_database(postgresql_server: str) -> "ReusedDatabase":
    return ReusedDatabase(postgresql_server, INSTALLED)


@pytest.fixture(scope="session")
def empty_database(postgresql_server: str) -> "ReusedDatabase":
    return ReusedDatabase(postgresql_server, EMPTY)


class ReusedDatabase:
    """A PostgreSQL database that is put back after every test: making one for each takes ten times as long."""

    def __init__(self, server: str, template: str) -> None:
        self._server, self._template, self._name = server, template, f"test_{template}"
        self.url = postgresql.renamed(server, self._name)
        self._make()
        with psycopg.connect(self.url, autocommit=True) as connection:
            self._shape = connection.execute(_SHAPE).fetchone()
            self._tables = [row[0] for row in connection.execute(_TABLES)]
            self._rows = {table: _copied(connection, table) for table in self._tables}

    def reset(self) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            # What a test left open would be waited for.
            connection.execute(_END_OTHERS)
            if connection.execute(_SHAPE).fetchone() == self._shape:
                self._put_back(connection)
                return
        # A test that takes away a table gets its successor a new database.
        self._make()

    def _put_back(self, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
        with connection.transaction():
            connection.execute("SET LOCAL session_replication_role = replica")
            connection.execute(";".join(f'DELETE FROM "{table}"' for table in self._tables))
            for table, rows in self._rows.items():
                if rows:
                    with connection.cursor().copy(f'COPY "{table}" FROM STDIN') as copy:
                        copy.write(rows)

    def _make(self) -> None:
        with psycopg.connect(self._server, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{self._name}" WITH (FORCE)')
            connection.execute(f'CREATE DATABASE "{self._name}" TEMPLATE {self._template}')


_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
# Every table and index there is, and how many columns each has.
_SHAPE = "SELECT sum(oid::bigint), sum(relnatts) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
_END_OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


def _copied(connection: psycopg.Connection[tuple[Any, ...]], table: str) -> bytes:
    with connection.cursor().copy(f'COPY "{table}" TO STDOUT') as copy:
        return b"".join(bytes(piece) for piece in copy)


@pytest.fixture
def changed_settings() -> dict[str, str]:
    """What a test wants to be set differently; it overrides this fixture, or parametrises it."""
    return {}


@pytest.fixture
def settings(database_url: str, tmp_path: Path, changed_settings: dict[str, str]) -> Settings:
    return settings_for(database_url, tmp_path / "keys", **changed_settings)


@pytest.fixture
def installation(settings: Settings, templates: Templates) -> Installation:
    """Keys and the first epochs; the recovery words as they stand on paper."""
    shutil.copytree(templates.keys, settings.keys_dir)
    return templates.installation
