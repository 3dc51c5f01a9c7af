"""Sessions are rows: the cookie holds a random id and a secret, the row its hash and what that secret seals.

The times that end a session stand inside the sealed part; the row itself shows no more than its day. Whose it
is stands in both, and must agree: the row's lets all of somebody's sessions be ended, the sealed one is believed.
"""

import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from flask import Response

from ugly_mugs.accounts.models import KnownDevice, Session, SessionKind
from ugly_mugs.database.engine import db
from ugly_mugs.database.sealed_json import Plain, SealedJson
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import ServiceVault, symmetric
from ugly_mugs.vault.encoding import from_text, to_text
from ugly_mugs.vault.errors import CannotOpen
from ugly_mugs.vault.padding import SESSION

_ID, _SECRET = 16, 32

TOUCH_EVERY = timedelta(minutes=1)
"""A row is written again at most this often: more would only wear the disk."""

DEVICE_LASTS = timedelta(days=180)


@dataclass(frozen=True)
class Limits:
    """How long a session lives untouched, and how long at most (None: while it is used)."""

    idle: timedelta
    most: timedelta | None


LIMITS: Mapping[SessionKind, Limits] = {
    SessionKind.REPORTER: Limits(idle=timedelta(minutes=20), most=None),
    SessionKind.MEMBER: Limits(idle=timedelta(hours=1), most=timedelta(hours=12)),
    SessionKind.STAFF: Limits(idle=timedelta(minutes=15), most=timedelta(hours=8)),
}


@dataclass(frozen=True, repr=False)
class Cookie:
    """What the browser is given; the secret half exists nowhere else."""

    name: str
    value: str

    def put(self, response: Response) -> None:
        """A cookie of this browser session: it ends with the browser, and no script and no other site sees it."""
        _put(response, self.name, self.value)


@dataclass(frozen=True)
class Found:
    """A living session, opened with the secret of the cookie that named it."""

    id: uuid.UUID
    kind: SessionKind
    owner_id: uuid.UUID | None
    token: bytes = field(repr=False)
    secret: bytes = field(repr=False)
    contents: Mapping[str, Any] = field(repr=False)
    began: datetime
    seen: datetime


class Inside(NamedTuple):
    """What is sealed of a session."""

    owner_id: uuid.UUID | None
    began: datetime
    seen: datetime
    contents: Mapping[str, Any]


def _plain(inside: Inside) -> Plain:
    return {
        "owner": inside.owner_id.hex if inside.owner_id is not None else None,
        "began": inside.began.timestamp(),
        "seen": inside.seen.timestamp(),
        "contents": dict(inside.contents),
    }


def _from_plain(plain: Plain) -> Inside:
    return Inside(
        owner_id=uuid.UUID(hex=plain["owner"]) if plain["owner"] is not None else None,
        began=datetime.fromtimestamp(plain["began"], UTC),
        seen=datetime.fromtimestamp(plain["seen"], UTC),
        contents=plain["contents"],
    )


SESSIONS: Final = SealedJson("sessions", "contents", sizes=SESSION, dump=_plain, load={1: _from_plain})


def cookie_name(name: str) -> str:
    """The name as sent: `__Host-` forbids other hosts and plain http to set it."""
    return f"__Host-{name}" if runtime().settings.is_https else name


def start(
    *,
    vault: ServiceVault,
    kind: SessionKind,
    owner_id: uuid.UUID | None,
    contents: Mapping[str, Any],
    now: datetime,
    replaces: Found | None = None,
) -> Cookie:
    """A new session with a fresh id and secret; the one the browser had before ends."""
    if replaces is not None:
        end(replaces)
    session_id, secret = secrets.token_bytes(_ID), secrets.token_bytes(_SECRET)
    row = Session(
        id=uuid.uuid4(),
        kind=kind,
        token=vault.session_hash(session_id),
        owner_id=owner_id,
        day=now.date(),
    )
    row.contents = _seal(vault, row.id, secret, Inside(owner_id, now, now, contents))
    db.session.add(row)
    db.session.flush()
    return Cookie(cookie_name(kind.value), to_text(session_id + secret))


def find(*, vault: ServiceVault, kind: SessionKind, cookie: str | None, now: datetime) -> Found | None:
    """The living session this cookie names; None when there is none, or its time is over."""
    raw = from_text(cookie or "", _ID + _SECRET)
    if raw is None:
        return None
    token, secret = vault.session_hash(raw[:_ID]), raw[_ID:]
    row = db.session.scalars(sa.select(Session).where(Session.token == token, Session.kind == kind)).first()
    if row is None:
        return None
    try:
        opener = partial(symmetric.open_sealed, vault.session_key(secret))
        inside = SESSIONS.open(row.contents, row=row.id, opener=opener)
    except CannotOpen:
        return None
    # Whoever can write the database could make their own session somebody else's, if only the row said whose it is.
    if inside.owner_id != row.owner_id:
        return None
    limits = LIMITS[kind]
    if now - inside.seen > limits.idle or (limits.most is not None and now - inside.began > limits.most):
        return None
    return Found(
        id=row.id,
        kind=kind,
        owner_id=row.owner_id,
        token=token,
        secret=secret,
        contents=inside.contents,
        began=inside.began,
        seen=inside.seen,
    )


def is_due(found: Found, now: datetime) -> bool:
    """Whether the row's own time must be written again."""
    return now - found.seen >= TOUCH_EVERY


def keep(found: Found, contents: Mapping[str, Any], *, vault: ServiceVault, now: datetime) -> None:
    """Seal these contents into the session instead of what it held, and mark it as used now."""
    sealed = _seal(vault, found.id, found.secret, Inside(found.owner_id, found.began, now, contents))
    db.session.execute(
        sa.update(Session)
        .where(Session.id == found.id)
        .values(contents=sealed, day=now.date())
        .execution_options(synchronize_session=False)
    )


def touch(found: Found, *, vault: ServiceVault, now: datetime) -> None:
    """Mark the session as used now."""
    keep(found, found.contents, vault=vault, now=now)


def end(found: Found) -> None:
    """The session is over, whatever cookie is still about."""
    _delete(Session.id == found.id)


def end_named(*, vault: ServiceVault, kind: SessionKind, cookie: str | None) -> None:
    """End the session a cookie names, also one whose time is over."""
    raw = from_text(cookie or "", _ID + _SECRET)
    if raw is not None:
        _delete(Session.token == vault.session_hash(raw[:_ID]), Session.kind == kind)


def end_all(owner_id: uuid.UUID) -> None:
    """Every session of this member or member of staff is over."""
    _delete(Session.owner_id == owner_id)


def sweep(now: datetime) -> None:
    """Delete rows whose day proves that their time is over, and devices not seen for half a year."""
    for kind, limits in LIMITS.items():
        _delete(Session.kind == kind, Session.day < (now - limits.idle - TOUCH_EVERY).date())
    db.session.execute(sa.delete(KnownDevice).where(KnownDevice.day < (now - DEVICE_LASTS).date()))


def put_device(response: Response, value: str) -> None:
    """Unlike a session, the mark of a known device outlives the browser: it only opens a budget of its own."""
    _put(response, cookie_name("device"), value, max_age=int(DEVICE_LASTS.total_seconds()))


def drop(response: Response, kind: SessionKind) -> None:
    """Ask the browser to forget its cookie of this kind."""
    response.delete_cookie(
        cookie_name(kind.value),
        path="/",
        secure=runtime().settings.is_https,
        httponly=True,
        samesite="Lax",
    )


def _put(response: Response, name: str, value: str, *, max_age: int | None = None) -> None:
    response.set_cookie(
        name,
        value,
        max_age=max_age,
        path="/",
        secure=runtime().settings.is_https,
        httponly=True,
        samesite="Lax",
    )


def _seal(vault: ServiceVault, row_id: uuid.UUID, secret: bytes, inside: Inside) -> bytes:
    return SESSIONS.seal(inside, row=row_id, sealer=partial(symmetric.seal, vault.session_key(secret)))


def _delete(*conditions: sa.ColumnElement[bool]) -> None:
    db.session.execute(sa.delete(Session).where(*conditions).execution_options(synchronize_session=False))
