"""Sessions of the three areas, begun without signing in."""

import uuid
from collections.abc import Mapping

from flask.testing import FlaskClient

from ugly_mugs.accounts import guard, sessions
from ugly_mugs.accounts.models import SessionKind
from ugly_mugs.database.engine import db
from ugly_mugs.runtime import runtime


def begin_session(
    kind: SessionKind, owner_id: uuid.UUID | None = None, contents: Mapping[str, str] | None = None
) -> sessions.Cookie:
    cookie = sessions.start(
        vault=runtime().vault,
        kind=kind,
        owner_id=owner_id,
        contents=dict(contents or {}),
        now=runtime().clock.now(),
    )
    db.session.commit()
    return cookie


def begin_reporter_session(client: FlaskClient) -> uuid.UUID:
    """Give this browser a session with a report; gives the report's id."""
    report_id = uuid.uuid4()
    contents = guard.reporter_session_contents(report_id, bytes(32))
    keep(client, begin_session(SessionKind.REPORTER, contents=contents))
    return report_id


def begin_member_session(client: FlaskClient, member_id: uuid.UUID | None = None) -> uuid.UUID:
    """Give this browser a session of this member, or of a new one; gives the member's id."""
    member_id = member_id or uuid.uuid4()
    keep(client, begin_session(SessionKind.MEMBER, member_id))
    return member_id


def keep(client: FlaskClient, cookie: sessions.Cookie) -> None:
    client.set_cookie(cookie.name, cookie.value)
