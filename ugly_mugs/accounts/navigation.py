"""The navigation of each area, drawn from what the rooms of pages named in the wiring."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from flask import Flask, request, url_for
from flask_babel import lazy_gettext as _

from ugly_mugs.accounts.guard import signed_in
from ugly_mugs.accounts.permissions import Permission
from ugly_mugs.runtime import runtime
from ugly_mugs.wiring import NavigationEntry

# What the desk shows to somebody who is not signed in.
SIGN_IN = NavigationEntry("desk", 0, _("Sign in"), "accounts.sign_in_page")


@dataclass(frozen=True)
class Link:
    """One entry on one page."""

    href: str
    label: Any
    is_current: bool


def navigation(area: str) -> list[Link]:
    """The links of this area that the visitor may follow, in their order."""
    person = signed_in()
    if area != "desk":
        entries = _entries(area)
    elif person is None:
        entries = [SIGN_IN]
    else:
        entries = _entries(area, person.permissions)
    return [_link(entry) for entry in entries]


def first_page(area: str, allowed: Collection[Permission] = ()) -> str:
    """Where people of this area begin; at the desk, those with these permissions."""
    return url_for(next(entry.endpoint for entry in _entries(area, allowed) if entry.starts))


def _entries(area: str, allowed: Collection[str] = ()) -> list[NavigationEntry]:
    """Those of one area, without the ones that need a permission which is not among the allowed."""
    mine = [entry for entry in runtime().wiring.navigation if entry.area == area]
    mine.sort(key=lambda entry: entry.order)
    return [entry for entry in mine if not entry.any_of or entry.any_of & set(allowed)]


def _link(entry: NavigationEntry) -> Link:
    """Outside the desk every page of the entry's room counts as the place where the visitor is."""
    href = url_for(entry.endpoint)
    same_room = entry.area != "desk" and request.blueprint == entry.endpoint.partition(".")[0]
    return Link(href, entry.label, is_current=same_room or request.path == href)


def init_app(app: Flask) -> None:
    app.jinja_env.globals["navigation"] = navigation
