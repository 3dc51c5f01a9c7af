"""The navigation of each area, built from the entries in the wiring."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from flask import Flask, request, url_for
from flask_babel import lazy_gettext as _

from ugly_mugs.accounts.guard import signed_in
from ugly_mugs.accounts.permissions import Permission
from ugly_mugs.runtime import runtime
from ugly_mugs.wiring import NavigationEntry

# The desk's only entry for somebody who is not signed in.
SIGN_IN = NavigationEntry("desk", 0, _("Sign in"), "accounts.sign_in_page")


@dataclass(frozen=True)
class Link:
    href: str
    label: Any
    is_current: bool


def navigation(area: str) -> list[Link]:
    """The links of this area that the visitor may follow, in order."""
    person = signed_in()
    if area != "desk":
        entries = _entries(area)
    elif person is None:
        entries = [SIGN_IN]
    else:
        entries = _entries(area, person.permissions)
    return [_link(entry) for entry in entries]


def first_page(area: str, allowed: Collection[Permission] = ()) -> str:
    """The start page of this area; at the desk, for somebody with these permissions."""
    return url_for(next(entry.endpoint for entry in _entries(area, allowed) if entry.starts))


def _entries(area: str, allowed: Collection[str] = ()) -> list[NavigationEntry]:
    """The entries of one area, without those that need a permission outside `allowed`."""
    entries = [entry for entry in runtime().wiring.navigation if entry.area == area]
    entries.sort(key=lambda entry: entry.order)
    return [entry for entry in entries if not entry.any_of or entry.any_of & set(allowed)]


def _link(entry: NavigationEntry) -> Link:
    """The entry as a link. Outside the desk, any page of the entry's blueprint counts as the current one."""
    href = url_for(entry.endpoint)
    same_room = entry.area != "desk" and request.blueprint == entry.endpoint.partition(".")[0]
    return Link(href, entry.label, is_current=same_room or request.path == href)


def init_app(app: Flask) -> None:
    app.jinja_env.globals["navigation"] = navigation
