"""The template global `site`: its name, desk hours and exit link, and the URLs of its static files."""

import hashlib
from functools import cache
from pathlib import Path

from flask import Flask, url_for

from ugly_mugs.settings import Settings

STATIC = Path(__file__).parents[1] / "static"


class Site:
    """The only settings that templates can read."""

    def __init__(self, settings: Settings, *, demo: bool) -> None:
        self.name = settings.site_name
        self.desk_hours = settings.desk_hours
        self.exit_url = settings.exit_url
        self.demo = demo

    def asset(self, name: str) -> str:
        """The URL of a static file, with a hash of its contents, so that browsers may cache it."""
        return url_for("static", filename=name, v=_fingerprint(name))


@cache
def _fingerprint(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]


def init_app(app: Flask, settings: Settings, *, demo: bool) -> None:
    app.jinja_env.globals["site"] = Site(settings, demo=demo)
