"""Who may enter which page: every route says so in a decorator, and one hook before every request holds it to that.

The same hook opens the session of the area the page belongs to, refuses forms posted from elsewhere, and keeps
the areas apart: a member's cookie is never read where reports are filed or looked after.
"""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from http import HTTPStatus
from typing import Any, TypeVar

from flask import Flask, Response, abort, current_app, g, redirect, request, url_for
from flask.sessions import SessionInterface, SessionMixin
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup

from ugly_mugs.accounts import queries, sessions
from ugly_mugs.accounts.models import Role, SessionKind, Staff, StaffState
from ugly_mugs.accounts.permissions import PERMISSIONS, Permission, permissions_of
from ugly_mugs.database.engine import db, reading, writing
from ugly_mugs.errors import NotAllowed, TryAgain
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import PrivateKey, symmetric
from ugly_mugs.vault.encoding import from_text, to_text
from ugly_mugs.vault.hybrid import SEED

__all__ = [
    "LOOKS_BY_ITSELF",
    "PERMISSIONS",
    "Area",
    "Entry",
    "Permission",
    "SignedInMember",
    "SignedInReporter",
    "SignedInStaff",
    "anyone",
    "browser_session",
    "current_member",
    "current_reporter",
    "current_staff",
    "for_reporter",
    "forget",
    "forget_reporter",
    "init_app",
    "looks_by_itself",
    "machine",
    "member",
    "reporter",
    "signed_in",
    "staff",
]

View = TypeVar("View", bound=Callable[..., Any])
Person = TypeVar("Person")

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
OURS = frozenset({"same-origin", "none"})
REPORTERS_PAGES = ("/report", "/receipt")
# In the address of a page that looks again by itself, because somebody asked for it.
LOOKS_BY_ITSELF = {"live": "on"}


class Area(StrEnum):
    """Whose session a page needs."""

    ANYONE = "anyone"
    REPORTER = "reporter"
    MEMBER = "member"
    STAFF = "staff"
    MACHINE = "machine"


@dataclass(frozen=True)
class Entry:
    """Who may enter one route: an area and, at the desk, permissions of which any one is enough."""

    area: Area
    any_of: frozenset[Permission] = frozenset()


KINDS = {
    Area.REPORTER: SessionKind.REPORTER,
    Area.MEMBER: SessionKind.MEMBER,
    Area.STAFF: SessionKind.STAFF,
}


def anyone(view: View) -> View:
    """Everybody may enter, and no session is opened."""
    return _marked(view, Entry(Area.ANYONE))


def reporter(view: View) -> View:
    """Whoever came back with a receipt."""
    return _marked(view, Entry(Area.REPORTER))


def member(view: View) -> View:
    """Whoever signed in with a code."""
    return _marked(view, Entry(Area.MEMBER))


def staff(*any_of: Permission) -> Callable[[View], View]:
    """Staff who have at least one of these permissions; without any named, all staff."""

    def mark(view: View) -> View:
        return _marked(view, Entry(Area.STAFF, frozenset(any_of)))

    return mark


def machine(view: View) -> View:
    """Programs and one-click links: no session, no cookie, no form check; the view has a check of its own."""
    return _marked(view, Entry(Area.MACHINE))


def _marked(view: View, entry: Entry) -> View:
    view.who_may_enter = entry  # type: ignore[attr-defined]  # a mark on a function
    return view


@dataclass(frozen=True)
class SignedInStaff:
    """The member of staff behind this request, with the key only their cookie opens."""

    id: uuid.UUID
    name: str
    roles: frozenset[Role]
    seed: bytes = field(repr=False)

    @cached_property
    def key(self) -> PrivateKey:
        return PrivateKey.from_seed(self.seed)

    @property
    def permissions(self) -> frozenset[Permission]:
        return permissions_of(self.roles)

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions


@dataclass(frozen=True)
class SignedInMember:
    member_id: uuid.UUID


@dataclass(frozen=True)
class SignedInReporter:
    """Whoever typed a receipt in this browser: the report, and the key of its contents."""

    report_id: uuid.UUID
    content_key: bytes = field(repr=False)


def for_reporter(report_id: uuid.UUID, content_key: bytes) -> dict[str, str]:
    """What a reporter's session holds."""
    return {"report_id": report_id.hex, "content_key": to_text(content_key)}


@dataclass
class Visit:
    """What the hook found out about this request."""

    session: sessions.Found | None = None
    staff: SignedInStaff | None = None
    member: SignedInMember | None = None
    reporter: SignedInReporter | None = None
    session_over: bool = False
    opened: dict[SessionKind, sessions.Found | None] = field(default_factory=dict)
    dropped: set[SessionKind] = field(default_factory=set)


def current_staff() -> SignedInStaff:
    """The member of staff who sent this request; only under `@staff`."""
    return _known(_visit().staff)


def current_member() -> SignedInMember:
    """The member who sent this request; only under `@member`."""
    return _known(_visit().member)


def current_reporter() -> SignedInReporter:
    """The reporter who sent this request; only under `@reporter`."""
    return _known(_visit().reporter)


def browser_session(kind: SessionKind) -> sessions.Found | None:
    """The living session of this browser, for pages that anybody may enter, such as signing in.

    A session may be one of nobody yet: look at its `owner_id`.
    """
    visit = _visit()
    if kind is SessionKind.MEMBER and request.path.startswith(REPORTERS_PAGES):
        raise RuntimeError("a member's cookie is never read where reports are filed")
    if visit.session is not None and visit.session.kind is kind:
        return visit.session
    if kind not in visit.opened:
        with _looking():
            visit.opened[kind] = sessions.find(
                vault=runtime().vault, kind=kind, cookie=_cookie(kind), now=runtime().clock.now()
            )
    return visit.opened[kind]


def looks_by_itself() -> bool:
    """Whether the browser may have asked by itself: nobody need sit there, so such a request prolongs no session."""
    asked = all(request.args.get(name) == value for name, value in LOOKS_BY_ITSELF.items())
    return request.method in SAFE and asked


def forget(kind: SessionKind) -> None:
    """End this browser's session of that kind for good, and have the browser drop its cookie.

    It commits on its own, because leaving must work whatever else goes wrong.
    """
    cookie = _cookie(kind)
    _visit().dropped.add(kind)
    if cookie:
        with writing():
            sessions.end_named(vault=runtime().vault, kind=kind, cookie=cookie)
            db.session.commit()


def forget_reporter() -> None:
    """End this browser's session with a report: on leaving, and after a withdrawal."""
    forget(SessionKind.REPORTER)


def csrf_field() -> Markup:
    """The hidden field that proves a form came from a page of this very session; empty outside signed-in areas."""
    found = _visit().session
    if found is None:
        return Markup("")
    return Markup('<input type="hidden" name="csrf" value="{}">').format(runtime().vault.csrf(found.token))


def init_app(app: Flask) -> None:
    app.session_interface = NoClientSide()
    if "static" in app.view_functions:
        anyone(app.view_functions["static"])
    app.before_request(_enter)
    app.after_request(_drop_cookies)
    app.jinja_env.globals["csrf_field"] = csrf_field
    app.jinja_env.globals["signed_in"] = signed_in
    app.jinja_env.globals["Permission"] = Permission


class NoClientSide(SessionInterface):
    """Flask's own session would put what it holds into a cookie, so there is none."""

    def open_session(self, app: Flask, request: Any) -> SessionMixin | None:
        return None

    def make_null_session(self, app: Flask) -> Any:
        return None

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        return None


def _enter() -> ResponseReturnValue | None:
    # Begun anew for each request, even where several share one application context, as in tests.
    g.visit = Visit()
    if request.endpoint is None:
        return None
    entry = _entry_here()
    if entry.area is Area.MACHINE:
        return None
    if request.method not in SAFE and request.headers.get("Sec-Fetch-Site", "none") not in OURS:
        abort(HTTPStatus.FORBIDDEN)
    if entry.area is Area.ANYONE:
        return None
    found = _open_session(entry.area)
    if found is None:
        return _turn_away(entry.area)
    _visit().session = found
    typed = request.form.get("csrf", "") if request.method not in SAFE else None
    if typed is not None and not runtime().vault.check_csrf(found.token, typed):
        raise TryAgain(_("This page came from another sign-in. Please send it once more."))
    if entry.any_of and not any(current_staff().may(permission) for permission in entry.any_of):
        raise NotAllowed(_("This page is for people with another task."))
    return None


def _entry_here() -> Entry:
    """The mark of the view about to run. A view without one is a fault of ours, and closed."""
    entry = getattr(current_app.view_functions.get(request.endpoint or ""), "who_may_enter", None)
    if not isinstance(entry, Entry):
        abort(HTTPStatus.INTERNAL_SERVER_ERROR)
    return entry


def _open_session(area: Area) -> sessions.Found | None:
    """The session of this area's cookie if it lives and is somebody's; marks it as used, if somebody did use it."""
    kind, vault, now = KINDS[area], runtime().vault, runtime().clock.now()
    with _looking():
        found = sessions.find(vault=vault, kind=kind, cookie=_cookie(kind), now=now)
        _visit().session_over = found is None and _cookie(kind) is not None
        if found is None or not _is_somebodys(found):
            return None
    if sessions.is_due(found, now) and not looks_by_itself():
        # One of the places that commit: a session is used whatever becomes of the request.
        with writing():
            sessions.touch(found, vault=vault, now=now)
            db.session.commit()
    return found


def _is_somebodys(found: sessions.Found) -> bool:
    """Whether the session lets its owner in; a person of the desk is looked up each time, with their roles."""
    if found.kind is SessionKind.REPORTER:
        key = from_text(found.contents.get("content_key", ""), symmetric.KEY)
        if key is None:
            return False
        _visit().reporter = SignedInReporter(uuid.UUID(hex=found.contents["report_id"]), key)
        return True
    if found.kind is SessionKind.MEMBER:
        if found.owner_id is None:
            return False
        _visit().member = SignedInMember(found.owner_id)
        return True
    person = db.session.get(Staff, found.owner_id) if found.owner_id else None
    seed = from_text(found.contents.get("seed", ""), SEED)
    if person is None or person.state is not StaffState.ACTIVE or seed is None:
        return False
    _visit().staff = SignedInStaff(
        id=person.id,
        name=queries.name_of(person, vault=runtime().vault),
        roles=frozenset(held.role for held in person.roles),
        seed=seed,
    )
    return True


def _visit() -> Visit:
    if "visit" not in g:
        g.visit = Visit()
    found: Visit = g.visit
    return found


def _known(person: Person | None) -> Person:
    if person is None:
        raise RuntimeError("this page belongs to another area")
    return person


def _turn_away(area: Area) -> ResponseReturnValue:
    """To the door of this area. What somebody typed while their session ended is shown to them again."""
    door = runtime().wiring.doors[area]
    # A session on its way, of somebody who waits for a code or is just joining, is left alone.
    if not _visit().session_over:
        return redirect(url_for(door), HTTPStatus.SEE_OTHER)
    forget(KINDS[area])
    if request.method not in SAFE:
        raise TryAgain(
            _(
                "You are not signed in any more, because nothing happened for a while. Open this site in another "
                "tab and sign in again there. Then come back to this page and send it again."
            )
        )
    return redirect(url_for(door, again="yes"), HTTPStatus.SEE_OTHER)


def _cookie(kind: SessionKind) -> str | None:
    return request.cookies.get(sessions.cookie_name(kind.value))


def signed_in() -> SignedInStaff | None:
    """Who of the staff looks at this page, if anybody."""
    return _visit().staff


@contextmanager
def _looking() -> Iterator[None]:
    """Looks something up without holding SQLite's write lock, and leaves no transaction behind."""
    if db.session().in_transaction():
        yield
        return
    with reading():
        try:
            yield
        finally:
            db.session.rollback()


def _drop_cookies(response: Response) -> Response:
    given = " ".join(response.headers.getlist("Set-Cookie"))
    for kind in _visit().dropped:
        # A page that ends one session and begins another has already given the new cookie.
        if f"{sessions.cookie_name(kind.value)}=" not in given:
            sessions.drop(response, kind)
    return response
