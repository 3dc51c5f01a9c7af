"""Access control: a decorator on every route states who may enter, and one hook before every request enforces it.

The hook also opens the session of the page's area and refuses forms posted from other sites. It keeps the areas
apart: a member's cookie is never read on the pages for filing a report or coming back with a receipt.
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
from ugly_mugs.accounts.permissions import (
    PERMISSIONS as PERMISSIONS,
    Permission as Permission,
    permissions_of,
)
from ugly_mugs.database.engine import brief_reading, db, writing
from ugly_mugs.errors import NotAllowed, TryAgain
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import PrivateKey, symmetric
from ugly_mugs.vault.encoding import from_text, to_text
from ugly_mugs.vault.hybrid import SEED

View = TypeVar("View", bound=Callable[..., Any])
Person = TypeVar("Person")

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
OURS = frozenset({"same-origin", "none"})
REPORTERS_PAGES = ("/report", "/receipt")
# The query of a page that refreshes itself, which the visitor switched on.
AUTO_REFRESH = {"live": "on"}


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
    """Reporters who came back with a receipt."""
    return _marked(view, Entry(Area.REPORTER))


def member(view: View) -> View:
    """Members who signed in with a code."""
    return _marked(view, Entry(Area.MEMBER))


def staff(*any_of: Permission) -> Callable[[View], View]:
    """Staff who have at least one of these permissions; without any named, all staff."""

    def mark(view: View) -> View:
        return _marked(view, Entry(Area.STAFF, frozenset(any_of)))

    return mark


def machine(view: View) -> View:
    """Programs and one-click links: no session, cookie or form check; the view makes its own check."""
    return _marked(view, Entry(Area.MACHINE))


def _marked(view: View, entry: Entry) -> View:
    view.who_may_enter = entry  # type: ignore[attr-defined]  # a mark on a function
    return view


@dataclass(frozen=True)
class SignedInStaff:
    """The member of staff who sent this request, with their key, which only their cookie opens."""

    id: uuid.UUID
    name: str
    roles: frozenset[Role]
    seed: bytes = field(repr=False)

    @cached_property
    def key(self) -> PrivateKey:
        return PrivateKey(self.seed)

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
    """The reporter who typed a receipt in this browser: the report's id, and the key of its contents."""

    report_id: uuid.UUID
    content_key: bytes = field(repr=False)


def reporter_session_contents(report_id: uuid.UUID, content_key: bytes) -> dict[str, str]:
    return {"report_id": report_id.hex, "content_key": to_text(content_key)}


@dataclass
class Visit:
    """What the hook learned about this request."""

    session: sessions.OpenSession | None = None
    staff: SignedInStaff | None = None
    member: SignedInMember | None = None
    reporter: SignedInReporter | None = None
    session_over: bool = False
    opened: dict[SessionKind, sessions.OpenSession | None] = field(default_factory=dict)
    dropped: set[SessionKind] = field(default_factory=set)


def current_staff() -> SignedInStaff:
    """The member of staff who sent this request; only under `@staff`."""
    return _required(_visit().staff)


def current_member() -> SignedInMember:
    """The member who sent this request; only under `@member`."""
    return _required(_visit().member)


def current_reporter() -> SignedInReporter:
    """The reporter who sent this request; only under `@reporter`."""
    return _required(_visit().reporter)


def browser_session(kind: SessionKind) -> sessions.OpenSession | None:
    """This browser's session, for pages that anybody may enter, such as signing in.

    `owner_id` is None until the sign-in is complete.
    """
    visit = _visit()
    if kind is SessionKind.MEMBER and request.path.startswith(REPORTERS_PAGES):
        raise RuntimeError("a member's cookie is never read where reports are filed")
    if visit.session is not None and visit.session.kind is kind:
        return visit.session
    if kind not in visit.opened:
        with _read_only():
            visit.opened[kind] = sessions.find(
                vault=runtime().vault, kind=kind, cookie=_cookie(kind), now=runtime().clock.now()
            )
    return visit.opened[kind]


def is_auto_refresh() -> bool:
    """Whether the page may have refreshed itself. Nobody need be present, so it does not prolong the session."""
    refreshes = all(request.args.get(name) == value for name, value in AUTO_REFRESH.items())
    return request.method in SAFE and refreshes


def forget(kind: SessionKind) -> None:
    """End this browser's session of this kind, and have the browser delete the cookie.

    Commits on its own: signing out must work even when the rest of the request fails.
    """
    cookie = _cookie(kind)
    _visit().dropped.add(kind)
    if cookie:
        with writing():
            sessions.end_by_cookie(vault=runtime().vault, kind=kind, cookie=cookie)
            db.session.commit()


def csrf_field() -> Markup:
    """The hidden field that proves that a form came from a page of this session; empty outside signed-in areas."""
    session = _visit().session
    if session is None:
        return Markup("")
    return Markup('<input type="hidden" name="csrf" value="{}">').format(runtime().vault.csrf(session.token))


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
    """Disables Flask's own session, which would store its contents in a cookie."""

    def open_session(self, app: Flask, request: Any) -> SessionMixin | None:
        return None

    def make_null_session(self, app: Flask) -> Any:
        return None

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        return None


def _enter() -> ResponseReturnValue | None:
    # New for each request, even where several share one application context, as in tests.
    g.visit = Visit()
    if request.endpoint is None:
        return None
    entry = _entry()
    if entry.area is Area.MACHINE:
        return None
    if request.method not in SAFE and request.headers.get("Sec-Fetch-Site", "none") not in OURS:
        abort(HTTPStatus.FORBIDDEN)
    if entry.area is Area.ANYONE:
        return None
    session = _open_session(entry.area)
    if session is None:
        return _redirect_to_sign_in(entry.area)
    _visit().session = session
    typed = request.form.get("csrf", "") if request.method not in SAFE else None
    if typed is not None and not runtime().vault.check_csrf(session.token, typed):
        raise TryAgain(_("This page came from another sign-in. Please send it once more."))
    if entry.any_of and not any(current_staff().may(permission) for permission in entry.any_of):
        raise NotAllowed(_("This page is for people with another task."))
    return None


def _entry() -> Entry:
    """The entry rule of the view about to run; a view without one answers 500."""
    entry = getattr(current_app.view_functions.get(request.endpoint or ""), "who_may_enter", None)
    if not isinstance(entry, Entry):
        abort(HTTPStatus.INTERNAL_SERVER_ERROR)
    return entry


def _open_session(area: Area) -> sessions.OpenSession | None:
    """The valid session of this area's cookie, or None; marks it as used, except for an automatic refresh."""
    kind, vault, now = KINDS[area], runtime().vault, runtime().clock.now()
    with _read_only():
        session = sessions.find(vault=vault, kind=kind, cookie=_cookie(kind), now=now)
        _visit().session_over = session is None and _cookie(kind) is not None
        if session is None or not _identify(session):
            return None
    if sessions.needs_touch(session, now) and not is_auto_refresh():
        # Committed here: the session was used, even when the rest of the request fails.
        with writing():
            sessions.touch(session, vault=vault, now=now)
            db.session.commit()
    return session


def _identify(session: sessions.OpenSession) -> bool:
    """Whether the session lets its owner in, who is noted in the visit. Staff and roles are read at each request."""
    if session.kind is SessionKind.REPORTER:
        key = from_text(session.contents.get("content_key", ""), symmetric.KEY)
        if key is None:
            return False
        _visit().reporter = SignedInReporter(uuid.UUID(hex=session.contents["report_id"]), key)
        return True
    if session.kind is SessionKind.MEMBER:
        if session.owner_id is None:
            return False
        _visit().member = SignedInMember(session.owner_id)
        return True
    person = db.session.get(Staff, session.owner_id) if session.owner_id else None
    seed = from_text(session.contents.get("seed", ""), SEED)
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
    visit: Visit = g.visit
    return visit


def _required(person: Person | None) -> Person:
    if person is None:
        raise RuntimeError("this page belongs to another area")
    return person


def _redirect_to_sign_in(area: Area) -> ResponseReturnValue:
    """Redirect to the sign-in page of this area; a form sent after the session ended is shown again, to be resent."""
    sign_in_page = runtime().wiring.sign_in_pages[area]
    # A session without an owner yet (waiting for a code, or joining) is kept.
    if not _visit().session_over:
        return redirect(url_for(sign_in_page), HTTPStatus.SEE_OTHER)
    forget(KINDS[area])
    if request.method not in SAFE:
        raise TryAgain(
            _(
                "You are not signed in any more, because nothing happened for a while. Open this site in another "
                "tab and sign in again there. Then come back to this page and send it again."
            )
        )
    return redirect(url_for(sign_in_page, again="yes"), HTTPStatus.SEE_OTHER)


def _cookie(kind: SessionKind) -> str | None:
    return request.cookies.get(sessions.cookie_name(kind.value))


def signed_in() -> SignedInStaff | None:
    return _visit().staff


@contextmanager
def _read_only() -> Iterator[None]:
    """Read without SQLite's write lock, and leave no transaction open."""
    if db.session().in_transaction():
        yield
        return
    with brief_reading():
        yield


def _drop_cookies(response: Response) -> Response:
    set_cookies = " ".join(response.headers.getlist("Set-Cookie"))
    for kind in _visit().dropped:
        # The response may set the cookie of a new session, which must not be deleted.
        if f"{sessions.cookie_name(kind.value)}=" not in set_cookies:
            sessions.delete_cookie(response, kind)
    return response
