"""Options of the test run, and the fixtures that most tests use: the application, its clock, and whoever uses it."""

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING

import hypothesis
import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser

from tests.make import sharing
from tests.make.clock import MovableClock
from tests.make.databases import KINDS
from tests.make.installation import Installation, application
from ugly_mugs.settings import Settings

if TYPE_CHECKING:
    from xdist.remote import Producer

pytest_plugins = [
    "tests.make.once",
    "tests.make.databases",
    "tests.make.quick",
    "tests.make.cast",
    "tests.make.reports",
    "tests.make.alerts",
    "tests.make.members",
    "tests.make.sandbox",
    "tests.web.drawing",
]

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
    parser.addoption(
        "--shuffle", type=int, metavar="SEED", help="run the tests in the random order of this seed"
    )


def pytest_report_header(config: pytest.Config) -> list[str]:
    seed = config.getoption("--shuffle")
    return [] if seed is None else [f"order: random, --shuffle {seed}"]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The same order in every process of a run, which xdist needs; `random` itself is left as it is."""
    seed = config.getoption("--shuffle")
    if seed is None:
        items.sort(key=lambda item: sharing.rank(item.nodeid))
    else:
        random.Random(seed).shuffle(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: "Producer") -> sharing.Sharing | None:
    return sharing.Sharing(config, log) if config.getvalue("dist") in ("load", "loadgroup") else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test that reaches a database runs on both kinds."""
    if "database_kind" in metafunc.fixturenames:
        kinds = metafunc.config.getoption("--database") or KINDS
        metafunc.parametrize("database_kind", kinds, scope="session")


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def app(settings: Settings, clock: MovableClock, installation: Installation) -> Iterator[Flask]:
    """The application as the web serves it, inside an application context, its clock standing still."""
    with application(settings, clock) as app:
        app.testing = True
        app.config["PROPAGATE_EXCEPTIONS"] = False
        yield app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for the whole process: playwright cannot be started a second time beside itself."""
    from tests.journeys.browser import chromium  # noqa: PLC0415  only those who look at pages need it

    with chromium() as browser:
        yield browser
