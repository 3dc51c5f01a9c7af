"""The browser, and an installation that runs, for every journey."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.journeys.browser import Windows
from tests.make.processes.stack import Stack, installed


@pytest.fixture
def stack(database_kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Stack]:
    """An installation that runs, on each kind of database."""
    server = request.getfixturevalue("postgresql_server") if database_kind == "postgresql" else ""
    with running(database_kind, tmp_path, server) as stack:
        yield stack


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Stack]:
    """One that runs on SQLite only: pages are the same on both."""
    with running("sqlite", tmp_path) as stack:
        yield stack


@contextmanager
def running(kind: str, folder: Path, server: str = "") -> Iterator[Stack]:
    with installed(kind, folder / "stack", postgresql_server=server) as stack:
        stack.start()
        stack.wait_ready()
        yield stack


@pytest.fixture
def windows(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Windows]:
    """Windows on the running installation; at the end none of them has spoken to anybody else."""
    name = "house" if "house" in request.fixturenames else "stack"
    windows = Windows(browser, request.getfixturevalue(name).web)
    yield windows
    windows.close()
    assert windows.strangers == []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: "pytest.CallInfo[None]"
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where a journey fails, its report says what everybody had before them."""
    report = yield
    windows = getattr(item, "funcargs", {}).get("windows")
    if report.when == "call" and report.failed and isinstance(windows, Windows):
        report.sections.append(("what each window showed", windows.shown()))
    return report
