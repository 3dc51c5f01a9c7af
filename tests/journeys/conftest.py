"""The browser, and an installation that runs, for every journey."""

from collections.abc import Generator, Iterator

import pytest
from playwright.sync_api import Browser

from tests.journeys.browser import Windows
from tests.make.stack import Stack, installed, stack

__all__ = ["stack"]


@pytest.fixture
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """An installation that runs and that nobody has touched: the tour of the pages is its first visitor."""
    with installed("sqlite", tmp_path_factory.mktemp("house")) as stack:
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
