"""Debian's Chromium, started so that it talks to nobody by itself, and one window for each person."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Request, expect, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
QUIETLY = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage"
).split()
NARROW, WIDE = 320, 1024
# A machine that tests other things at the same time may take long to draw a page.
PATIENCE = 30_000


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser. Where there is none, a failure in CI and a loud skip elsewhere."""
    if not CHROMIUM.exists():
        missing = f"{CHROMIUM} is not there: apt-get install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(f"NO JOURNEY WAS TAKEN. {missing}")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=QUIETLY)
        yield browser
        browser.close()


class Windows:
    """Browser windows that remember every request made to another host than the one they were opened for."""

    def __init__(self, browser: Browser, web: str) -> None:
        self.web = web
        self.strangers: list[str] = []
        self._browser = browser
        self._opened: list[BrowserContext] = []

    def open(
        self, *, scripts: bool = False, width: int = WIDE, theme: Literal["light", "dark"] = "light"
    ) -> BrowserContext:
        """A window with cookies of its own. With scripts on, a test may bring one of its own past our policy."""
        context = self._browser.new_context(
            base_url=self.web,
            java_script_enabled=scripts,
            bypass_csp=scripts,
            color_scheme=theme,
            viewport={"width": width, "height": 800},
            locale="en-GB",
            timezone_id="Europe/London",
        )
        context.set_default_timeout(PATIENCE)
        context.on("request", self._note)
        self._opened.append(context)
        return context

    def close(self) -> None:
        for context in self._opened:
            try:
                context.close()
            except Error:
                # A browser that has crashed has closed its windows already; the test says why it did.
                continue
        self._opened.clear()

    def shown(self) -> str:
        """The address and the words of every page that stands open."""
        pages = [page for context in self._opened for page in context.pages]
        return "\n\n".join(f"--- {page.url}\n{page.locator('body').inner_text()}" for page in pages)

    def _note(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme != "data" and f"{parts.scheme}://{parts.netloc}" != self.web:
            self.strangers.append(request.url)
