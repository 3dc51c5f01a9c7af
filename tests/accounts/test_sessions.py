"""Session rows: when they end, what they reveal, and the cookies."""

import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask, Response

from tests.make.cast import Colleague, Team
from tests.make.clock import MovableClock
from tests.make.databases import count, execute, settings_for
from tests.make.installation import Installation, application
from tests.make.sessions import begin_session
from ugly_mugs.accounts import jobs, sessions
from ugly_mugs.accounts.models import KnownDevice, Session, SessionKind
from ugly_mugs.database.engine import db
from ugly_mugs.runtime import runtime
from ugly_mugs.settings import Settings

CONTENTS = {"seed": "canary-of-a-session"}


def begin(kind: SessionKind = SessionKind.STAFF, owner_id: uuid.UUID | None = None) -> sessions.Cookie:
    return begin_session(kind, owner_id, CONTENTS)


def find(cookie: sessions.Cookie, kind: SessionKind = SessionKind.STAFF) -> sessions.OpenSession | None:
    session = sessions.find(vault=runtime().vault, kind=kind, cookie=cookie.value, now=runtime().clock.now())
    db.session.rollback()
    return session


def only_row() -> Session:
    return db.session.scalars(sa.select(Session)).one()


class TestASession:
    def test_is_found_by_its_cookie_with_what_it_held(self, app: Flask) -> None:
        session = find(begin())

        assert session is not None
        assert session.contents == CONTENTS

    def test_is_nothing_to_the_cookie_of_another_area(self, app: Flask) -> None:
        assert find(begin(SessionKind.MEMBER), SessionKind.STAFF) is None

    def test_is_not_opened_by_the_right_id_with_another_secret(self, app: Flask) -> None:
        first, second = begin(), begin()

        mixed = sessions.Cookie(first.name, first.value[:22] + second.value[22:])

        assert find(mixed) is None

    @pytest.mark.parametrize("value", ["", "x", "ü", "A" * 64, "A" * 65])
    def test_is_not_found_by_what_is_no_cookie_of_ours(self, app: Flask, value: str) -> None:
        begin()

        assert find(sessions.Cookie("staff", value)) is None

    @pytest.mark.parametrize("kind", [SessionKind.MEMBER, SessionKind.STAFF])
    @pytest.mark.parametrize("began_as", [None, uuid.UUID(int=1)])
    @pytest.mark.parametrize("becomes", [None, uuid.UUID(int=2)])
    def test_cannot_be_made_another_owners_in_the_database(
        self, app: Flask, kind: SessionKind, began_as: uuid.UUID | None, becomes: uuid.UUID | None
    ) -> None:
        cookie = begin(kind, began_as)
        before = find(cookie, kind)
        execute(sa.update(Session).values(owner_id=becomes))

        assert before is not None and before.owner_id == began_as
        assert (find(cookie, kind) is not None) == (began_as == becomes)

    def test_stays_its_owners_when_it_is_used(self, app: Flask) -> None:
        alice = uuid.uuid4()
        cookie = begin(owner_id=alice)
        session = find(cookie)
        assert session is not None

        sessions.touch(session, vault=runtime().vault, now=runtime().clock.now())
        db.session.commit()

        again = find(cookie)
        assert again is not None and again.owner_id == alice

    def test_shows_a_thief_neither_cookie_nor_contents(self, app: Flask) -> None:
        cookie = begin(SessionKind.REPORTER)

        row = only_row()
        columns = {column.key: getattr(row, column.key) for column in sa.inspect(Session).columns}

        assert set(columns) == {"id", "kind", "token", "owner_id", "contents", "day"}
        assert columns["owner_id"] is None
        assert columns["day"] == runtime().clock.now().date()
        assert b"canary" not in columns["contents"]
        assert cookie.value[:22].encode() not in columns["token"]

    def test_has_one_length_whatever_it_holds(self, app: Flask) -> None:
        begin_session(SessionKind.STAFF, contents={"seed": "x" * 400})
        begin()

        assert len({len(row.contents) for row in db.session.scalars(sa.select(Session))}) == 1


class TestTheEnd:
    @pytest.mark.parametrize(
        ("kind", "minutes"), [(SessionKind.REPORTER, 20), (SessionKind.STAFF, 15), (SessionKind.MEMBER, 60)]
    )
    def test_comes_after_idle_minutes(
        self, app: Flask, clock: MovableClock, kind: SessionKind, minutes: int
    ) -> None:
        cookie = begin(kind)

        clock.forward(minutes=minutes)
        still = find(cookie, kind)
        clock.forward(seconds=1)

        assert still is not None
        assert find(cookie, kind) is None

    def test_of_a_staff_session_comes_after_eight_hours_however_busy(
        self, app: Flask, clock: MovableClock
    ) -> None:
        cookie = begin()

        for _ in range(8 * 6):
            clock.forward(minutes=10)
            session = find(cookie)
            assert session is not None
            sessions.touch(session, vault=runtime().vault, now=clock.now())
            db.session.commit()
        clock.forward(seconds=1)

        assert find(cookie) is None

    def test_comes_to_all_sessions_of_one_owner(self, app: Flask) -> None:
        alice, bob = uuid.uuid4(), uuid.uuid4()
        hers, also_hers, his = begin(owner_id=alice), begin(owner_id=alice), begin(owner_id=bob)

        sessions.end_all(alice)
        db.session.commit()

        assert find(hers) is None
        assert find(also_hers) is None
        assert find(his) is not None

    def test_deletes_the_row_when_the_old_cookie_comes_back(
        self, erin: Colleague, clock: MovableClock
    ) -> None:
        clock.forward(minutes=16)
        answer = erin.browser.get("/desk/account")

        assert answer.location == "/desk/sign-in?again=yes"
        assert db.session.scalars(sa.select(Session)).all() == []
        assert erin.browser.get_cookie("staff") is None

    def test_a_session_in_use_lives_on_past_its_idle_minutes(
        self, erin: Colleague, clock: MovableClock
    ) -> None:
        for _ in range(5):
            clock.forward(minutes=10)
            assert erin.browser.get("/desk/account").status_code == 200

    def test_the_row_is_written_at_most_once_a_minute(self, erin: Colleague, clock: MovableClock) -> None:
        written = only_row().contents
        db.session.rollback()

        clock.forward(seconds=59)
        erin.browser.get("/desk/account")
        same = only_row().contents
        db.session.rollback()
        clock.forward(seconds=1)
        erin.browser.get("/desk/account")

        assert same == written
        assert only_row().contents != written


class TestTheSweep:
    def test_takes_rows_whose_day_is_over_and_leaves_the_living(
        self, app: Flask, clock: MovableClock
    ) -> None:
        begin(SessionKind.REPORTER)
        clock.forward(hours=13)
        living = begin(SessionKind.REPORTER)

        jobs.sweep()

        assert count(Session) == 1
        assert find(living, SessionKind.REPORTER) is not None

    def test_leaves_a_session_that_was_used_just_before_midnight(
        self, app: Flask, clock: MovableClock
    ) -> None:
        clock.forward(hours=11, minutes=55)
        late = begin(SessionKind.REPORTER)
        clock.forward(minutes=10)

        jobs.sweep()

        assert find(late, SessionKind.REPORTER) is not None

    def test_forgets_devices_after_half_a_year(self, team: Team, clock: MovableClock) -> None:
        team.hire("erin")

        jobs.sweep()
        kept = count(KnownDevice)
        db.session.rollback()
        clock.forward(days=181)
        jobs.sweep()

        assert kept == 1
        assert count(KnownDevice) == 0


class TestTheCookie:
    def put(self, app: Flask) -> str:
        response = Response()
        with app.test_request_context():
            begin(SessionKind.REPORTER).put(response)
        return response.headers["Set-Cookie"]

    def test_is_closed_to_scripts_and_ends_with_the_browser(self, app: Flask) -> None:
        given = self.put(app)

        assert given.startswith("reporter=")
        assert "HttpOnly" in given
        assert "SameSite=Lax" in given
        assert "Path=/" in given
        assert "Max-Age" not in given
        assert "Expires" not in given
        assert "Secure" not in given

    def test_on_https_only_this_host_can_set_it(self, https_app: Flask) -> None:
        given = self.put(https_app)

        assert given.startswith("__Host-reporter=")
        assert "Secure" in given
        assert "Domain" not in given

    @pytest.fixture
    def https_app(
        self, settings: Settings, clock: MovableClock, installation: Installation
    ) -> Iterator[Flask]:
        address = settings.database_url.replace("postgresql+psycopg://", "postgresql://")
        secure = settings_for(address, settings.keys_dir, PUBLIC_URL="https://127.0.0.1:8443")
        with application(secure, clock) as app:
            yield app


class TestFixation:
    def test_signing_in_replaces_whatever_cookie_was_planted(self, team: Team) -> None:
        erin = team.hire("erin", signed_in=False)
        planted = begin()
        erin.browser.set_cookie(planted.name, planted.value)

        erin.sign_in()

        cookie = erin.browser.get_cookie("staff")
        assert cookie is not None
        assert cookie.value[:22] != planted.value[:22]
        assert cookie.value[22:] != planted.value[22:]
        assert find(planted) is None

    def test_signing_in_again_ends_the_session_before(self, erin: Colleague, clock: MovableClock) -> None:
        before = erin.browser.get_cookie("staff")
        assert before is not None

        clock.forward(seconds=30)
        erin.sign_in()

        assert find(sessions.Cookie("staff", before.value)) is None
        assert count(Session) == 1

    def test_the_limits_are_those_that_were_promised(self) -> None:
        assert sessions.LIMITS[SessionKind.REPORTER].idle == timedelta(minutes=20)
        assert sessions.LIMITS[SessionKind.STAFF] == sessions.Limits(
            timedelta(minutes=15), timedelta(hours=8)
        )
