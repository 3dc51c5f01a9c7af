"""Every page of the service on a small screen: usable by everybody, in both themes, and silent about its visitors."""

from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask

from tests.journeys.browser import Windows
from tests.journeys.looking import Looker
from tests.journeys.tour import SECRETS, Tour
from tests.make.databases import settings_for
from tests.make.processes.stack import Stack
from ugly_mugs.accounts.guard import Area
from ugly_mugs.app import create_app

# No page: a redirect to the outside, and a file for machines.
NO_PAGES = {"pages.leave", "pages.robots", "static"}


def test_every_page_can_be_used_by_everybody_and_gives_nobody_away(house: Stack, windows: Windows) -> None:
    look = Looker(SECRETS)

    Tour(house, windows, look).walk()

    assert look.problems == []
    assert windows.strangers == []
    assert _pages() - _seen(look.addresses) == set()


def _pages() -> set[str]:
    """Every endpoint that answers a GET with a page for people."""
    app = _app()
    gets = {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())} - NO_PAGES
    entries = {name: getattr(app.view_functions[name], "who_may_enter", None) for name in gets}
    return {name for name, entry in entries.items() if entry is None or entry.area is not Area.MACHINE}


def _seen(addresses: Iterable[str]) -> set[str]:
    routes = _app().url_map.bind("")
    seen = set()
    for address in addresses:
        path = urlsplit(address).path
        if routes.test(path, method="GET"):
            seen.add(routes.match(path, method="GET")[0])
    return seen


def _app() -> Flask:
    """For its routes alone; it opens no database."""
    return create_app(settings_for("sqlite:////nowhere/none.sqlite3", Path("/nowhere")))
