"""Sessions in the database: the cookie holds a random id and a secret; the row holds the id's hash and sealed contents.

The secret opens the contents. Exact times are inside the sealed part; the row shows only the day. The owner's id
is in both and must agree: the clear one lets all sessions of an owner be ended, the sealed one is authenticated.
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
from ugly_mugs.database.statements import change_rows
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import ServiceVault, symmetric
from ugly_mugs.vault.encoding import from_text, to_text
from ugly_mugs.vault.errors import CannotOpen
from ugly_mugs.vault.padding import SESSION

_ID, _SECRET = 16, 32

TOUCH_EVERY = timedelta(minutes=1)
"""A used session's row is rewritten at most this often, to save disk writes."""

DEVICE_LASTS = timedelta(days=180)


@dataclass(frozen=True)
class Limits:
    """How long a session lasts without use, and in total (None: no total limit)."""

    idle: timedelta
    most: timedelta | None


LIMITS: Mapping[SessionKind, Limits] = {
    SessionKind.REPORTER: Limits(idle=timedelta(minutes=20), most=None),
    SessionKind.MEMBER: Limits(idle=timedelta(hours=1), most=timedelta(hours=12)),
    SessionKind.STAFF: Limits(idle=timedelta(minutes=15), most=timedelta(hours=8)),
}


@dataclass(frozen=True, repr=False)
class Cookie:
    """A cookie for the browser; the session's secret is stored nowhere else."""

    name: str
    value: str

    def put(self, response: Response) -> Response:
        """Set a cookie that ends with the browser: HttpOnly, SameSite=Lax, and Secure on https."""
        _put(response, self.name, self.value)
        return response


@dataclass(frozen=True)
class OpenSession:
    """A session that has not expired, opened with the secret from its cookie."""

    id: uuid.UUID
    kind: SessionKind
    owner_id: uuid.UUID | None
    token: bytes = field(repr=False)
    secret: bytes = field(repr=False)
    contents: Mapping[str, Any] = field(repr=False)
    began: datetime
    last_used_at: datetime


class SealedPart(NamedTuple):
    owner_id: uuid.UUID | None
    began: datetime
    last_used_at: datetime
    contents: Mapping[str, Any]


def _plain(sealed_part: SealedPart) -> Plain:
    return {
        "owner": sealed_part.owner_id.hex if sealed_part.owner_id is not None else None,
        "began": sealed_part.began.timestamp(),
        "seen": sealed_part.last_used_at.timestamp(),
        "contents": dict(sealed_part.contents),
    }


def _from_plain(plain: Plain) -> SealedPart:
    return SealedPart(
        owner_id=uuid.UUID(hex=plain["owner"]) if plain["owner"] is not None else None,
        began=datetime.fromtimestamp(plain["began"], UTC),
        last_used_at=datetime.fromtimestamp(plain["seen"], UTC),
        contents=plain["contents"],
    )


SESSIONS: Final = SealedJson("sessions", "contents", sizes=SESSION, dump=_plain, load={1: _from_plain})


def cookie_name(name: str) -> str:
    """The name as sent. Browsers accept `__Host-` cookies only over https and only for the host that sets them."""
    return f"__Host-{name}" if runtime().settings.is_https else name


def start(
    *,
    vault: ServiceVault,
    kind: SessionKind,
    owner_id: uuid.UUID | None,
    contents: Mapping[str, Any],
    now: datetime,
    replaces: OpenSession | None = None,
) -> Cookie:
    """Start a session with a fresh id and secret, and end the one that this browser had."""
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
    row.contents = _seal(vault, row.id, secret, SealedPart(owner_id, now, now, contents))
    db.session.add(row)
    db.session.flush()
    return Cookie(cookie_name(kind.value), to_text(session_id + secret))


def find(*, vault: ServiceVault, kind: SessionKind, cookie: str | None, now: datetime) -> OpenSession | None:
    """The session of this cookie; None when there is none, or it has expired."""
    raw = from_text(cookie or "", _ID + _SECRET)
    if raw is None:
        return None
    token, secret = vault.session_hash(raw[:_ID]), raw[_ID:]
    row = db.session.scalars(sa.select(Session).where(Session.token == token, Session.kind == kind)).first()
    if row is None:
        return None
    try:
        opener = partial(symmetric.open_sealed, vault.session_key(secret))
        sealed_part = SESSIONS.open(row.contents, row=row.id, opener=opener)
    except CannotOpen:
        return None
    # The clear owner_id is not authenticated: somebody with write access to the database could change it.
    if sealed_part.owner_id != row.owner_id:
        return None
    limits = LIMITS[kind]
    if now - sealed_part.last_used_at > limits.idle or (
        limits.most is not None and now - sealed_part.began > limits.most
    ):
        return None
    return OpenSession(
        id=row.id,
        kind=kind,
        owner_id=row.owner_id,
        token=token,
        secret=secret,
        contents=sealed_part.contents,
        began=sealed_part.began,
        last_used_at=sealed_part.last_used_at,
    )


def needs_touch(session: OpenSession, now: datetime) -> bool:
    """Whether the time of last use must be written again."""
    return now - session.last_used_at >= TOUCH_EVERY


def replace_contents(
    session: OpenSession, contents: Mapping[str, Any], *, vault: ServiceVault, now: datetime
) -> None:
    """Replace the session's contents, and mark it as used now."""
    sealed = _seal(
        vault, session.id, session.secret, SealedPart(session.owner_id, session.began, now, contents)
    )
    change_rows(sa.update(Session).where(Session.id == session.id).values(contents=sealed, day=now.date()))


def touch(session: OpenSession, *, vault: ServiceVault, now: datetime) -> None:
    """Mark the session as used now."""
    replace_contents(session, session.contents, vault=vault, now=now)


def end(session: OpenSession) -> None:
    """End this session; its cookie is worthless afterwards."""
    _delete(Session.id == session.id)


def end_by_cookie(*, vault: ServiceVault, kind: SessionKind, cookie: str | None) -> None:
    """End the session of this cookie, even when it has expired."""
    raw = from_text(cookie or "", _ID + _SECRET)
    if raw is not None:
        _delete(Session.token == vault.session_hash(raw[:_ID]), Session.kind == kind)


def end_all(owner_id: uuid.UUID) -> None:
    _delete(Session.owner_id == owner_id)


def sweep(now: datetime) -> None:
    """Delete sessions that have expired by their day, and devices unused for `DEVICE_LASTS`."""
    for kind, limits in LIMITS.items():
        _delete(Session.kind == kind, Session.day < (now - limits.idle - TOUCH_EVERY).date())
    db.session.execute(sa.delete(KnownDevice).where(KnownDevice.day < (now - DEVICE_LASTS).date()))


def put_device(response: Response, value: str) -> None:
    """Set the known-device cookie. It outlives the browser session: all it gives is a separate sign-in budget."""
    _put(response, cookie_name("device"), value, max_age=int(DEVICE_LASTS.total_seconds()))


def delete_cookie(response: Response, kind: SessionKind) -> None:
    response.delete_cookie(cookie_name(kind.value), **_attributes())


def _put(response: Response, name: str, value: str, *, max_age: int | None = None) -> None:
    response.set_cookie(name, value, max_age=max_age, **_attributes())


def _attributes() -> dict[str, Any]:
    return {"path": "/", "secure": runtime().settings.is_https, "httponly": True, "samesite": "Lax"}


def _seal(vault: ServiceVault, row_id: uuid.UUID, secret: bytes, sealed_part: SealedPart) -> bytes:
    return SESSIONS.seal(sealed_part, row=row_id, sealer=partial(symmetric.seal, vault.session_key(secret)))


def _delete(*conditions: sa.ColumnElement[bool]) -> None:
    change_rows(sa.delete(Session).where(*conditions))
