"""What looks at the pages is shown to find what it looks for: each fault is planted on a page that has no other."""

import pytest
from playwright.sync_api import Browser

from tests.journeys.browser import NARROW, Windows
from tests.journeys.looking import Looker

GOOD = """<!doctype html><html lang="en"><head><title>{title}</title><style>{style}</style></head>
<body><main><h1>Something</h1><p>Words</p>{more}<button>Send</button></main></body></html>"""

DARK = "@media (prefers-color-scheme: dark) { body { background: #000; color: #222 } }"


@pytest.mark.parametrize(
    ("plant", "found"),
    [
        ({}, None),
        ({"title": "Report about Marigold"}, "its title is"),
        ({"more": "<input type=text>"}, "label"),
        ({"style": "p { color: #ccc }"}, "light: color-contrast"),
        ({"style": DARK}, "dark: color-contrast"),
        ({"style": "p { width: 400px }"}, "scrolls sideways"),
        (
            {"more": '<a href="/" onfocus="this.blur(); document.body.inert = true">Away</a>'},
            "Tab does not reach",
        ),
    ],
)
def test_a_planted_fault_is_found(browser: Browser, plant: dict[str, str], found: str | None) -> None:
    windows = Windows(browser, "http://127.0.0.1:1")
    page = windows.open(scripts=True, width=NARROW).new_page()
    page.set_content(GOOD.format_map({"title": "Notices", "style": "", "more": ""} | plant))
    look = Looker()

    look(page, "a page")

    windows.close()
    assert [found for each in look.problems if found and found in each] == ([found] if found else [])
    assert bool(look.problems) == bool(found)


def test_a_word_of_a_reporter_in_an_address_is_found(browser: Browser) -> None:
    windows = Windows(browser, "http://127.0.0.1:1")
    page = windows.open(scripts=True, width=NARROW).new_page()
    page.route("**/*", lambda route: route.fulfill(body=GOOD.format(title="Notices", style="", more="")))
    page.goto("http://127.0.0.1:1/alerts?q=Lily%20Flat")
    look = Looker(["lily flat"])

    look(page, "a page")

    windows.close()
    assert look.problems == ["a page: 'lily flat' stands in its address"]


def test_a_request_to_another_host_is_found(browser: Browser) -> None:
    windows = Windows(browser, "http://127.0.0.1:1")
    page = windows.open(scripts=True).new_page()
    page.route("**/*", lambda route: route.abort())

    page.set_content('<img src="http://elsewhere.example/picture.png" alt="">')

    windows.close()
    assert windows.strangers == ["http://elsewhere.example/picture.png"]
