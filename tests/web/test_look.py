"""How pages look in a real browser: fit, readable, accessible, small, and quick to leave."""

import gzip
import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from werkzeug.serving import make_server

from tests.journeys.browser import NARROW
from tests.journeys.looking import Looker
from tests.web.drawing import ERRORS, PAGES, STATIC, small_app


class TestSize:
    def test_everything_a_page_needs_is_small(self) -> None:
        assets = sum(
            len(gzip.compress((STATIC / name).read_bytes())) for name in ("style.css", "exit.js", "icon.svg")
        )
        page = len(gzip.compress(small_app().test_client().get("/words").data))

        assert (STATIC / "style.css").stat().st_size <= 12 * 1024
        assert (STATIC / "exit.js").stat().st_size <= 1024
        assert assets + page <= 10 * 1024


class TestContrast:
    """WCAG 2.2 AA: 4.5 to 1 for text, 3 to 1 for the edges of inputs and for focus."""

    SHEET = (STATIC / "style.css").read_text(encoding="utf-8")
    TEXT = {
        "ink": "back sheet plain-back mark warn-back good-back bad-back",
        "soft": "back sheet plain-back",
        "link": "back sheet plain-back good-back warn-back bad-back",
        "on-action": "action action-over",
        "bad": "back sheet bad-back plain-back",
        "good": "good-back",
        "warn": "warn-back",
    }
    EDGES = {"edge": "back sheet", "focus": "back sheet", "bad": "sheet"}

    @pytest.mark.parametrize("dark", [False, True])
    def test_every_pair_of_colours_can_be_read(self, dark: bool) -> None:
        light_part, dark_part = self.SHEET.split("@media (prefers-color-scheme: dark)", 1)
        colours = dict(re.findall(r"--([\w-]+): (#\w+)", dark_part.split("}", 1)[0] if dark else light_part))

        poor = [
            (one, other)
            for pairs, least in ((self.TEXT, 4.5), (self.EDGES, 3.0))
            for one, others in pairs.items()
            for other in others.split()
            if contrast(colours[one], colours[other]) < least
        ]

        assert poor == []


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    """The address of a real server of these pages, whose way out leads to a page of its own."""
    elsewhere = make_server("127.0.0.1", 0, _elsewhere)
    app = small_app(EXIT_URL=f"http://127.0.0.1:{elsewhere.port}/weather")
    server = make_server("127.0.0.1", 0, app, threaded=True)
    for each in (server, elsewhere):
        threading.Thread(target=each.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.port}"
    for each in (server, elsewhere):
        each.shutdown()


def _elsewhere(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/html")])
    return [b"<title>Weather</title>"]


class TestInABrowser:
    @pytest.mark.parametrize(
        ("width", "wrong"), [(NARROW, tuple(f"/wrong/{each}" for each in ERRORS)), (1200, ())]
    )
    def test_pages_are_accessible_in_both_themes_and_fit(
        self, served: str, browser: Browser, width: int, wrong: tuple[str, ...]
    ) -> None:
        context = browser.new_context(viewport={"width": width, "height": 700}, bypass_csp=True)
        page, look = context.new_page(), Looker()

        for path in (*PAGES, "/words", "/parts", *wrong):
            page.goto(served + path)
            look(page, path)
        page.goto(served + "/words")
        page.get_by_role("button", name="Send").click()
        look(page, "the questions with what is wrong")
        page.get_by_label("What happened?").fill("A long text.\n" * 9)
        # As when the database is gone: what was typed stands on the page of the error.
        page.evaluate("document.forms[0].action = '/wrong/503'")
        page.get_by_role("button", name="Send").click()
        assert page.get_by_label("Your text").input_value() == "A long text.\n" * 9
        look(page, "an error with what was typed")
        context.close()

        assert look.problems == []

    def test_no_page_asks_anything_of_another_host_or_breaks_the_policy(
        self, served: str, browser: Browser
    ) -> None:
        page = browser.new_page()
        asked: list[str] = []
        complaints: list[str] = []
        page.on("request", lambda sent: asked.append(sent.url))
        page.on("console", lambda said: complaints.append(said.text))

        for path in (*PAGES, "/words", "/parts"):
            page.goto(served + path)
        page.close()

        assert asked
        assert [url for url in asked if not url.startswith(served)] == []
        assert complaints == []

    def test_without_scripts_the_way_out_works_and_a_summary_link_reaches_its_field(
        self, served: str, browser: Browser
    ) -> None:
        context = browser.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto(served + "/words")

        page.get_by_role("button", name="Send").click()
        page.get_by_role("link", name="Which town?").click()
        assert page.url.endswith("#town")
        page.get_by_role("link", name="Leave this site").click()

        page.wait_for_url("**/weather")
        assert page.title() == "Weather"
        context.close()

    def test_with_scripts_the_page_one_left_is_not_in_the_history(
        self, served: str, browser: Browser
    ) -> None:
        page = started(browser, served)

        page.get_by_role("link", name="Leave this site").click()
        page.wait_for_url("**/weather")
        page.go_back()

        assert page.url == "about:blank"
        page.close()

    def test_escape_three_times_leaves_too(self, served: str, browser: Browser) -> None:
        page = started(browser, served)

        for _ in range(3):
            page.keyboard.press("Escape")

        page.wait_for_url("**/weather")
        page.close()


def started(browser: Browser, served: str) -> Page:
    page = browser.new_page()
    page.goto("about:blank")
    page.goto(served + "/help")
    return page
