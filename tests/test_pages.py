"""The ground's own pages: what they say, what they never say, and the way out."""

import re
import uuid

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.conftest import MovableClock
from tests.web.drawing import PAGES, small_app
from ugly_mugs.accounts import guard, sessions
from ugly_mugs.accounts.models import Session, SessionKind
from ugly_mugs.database.engine import db
from ugly_mugs.runtime import runtime


@pytest.fixture(scope="module")
def small() -> Flask:
    return small_app()


class TestPromises:
    FORBIDDEN = re.compile(
        r"end-to-end|zero.knowledge|server cannot read|no trace|deleted everywhere|ever texted twice|tamper|"
        r"nobody learns|cannot identify you|prostitut|100 ?%|completely safe|guarantee",
        re.I,
    )

    @pytest.mark.parametrize("path", PAGES)
    def test_no_page_promises_what_cannot_be_kept(self, small: Flask, path: str) -> None:
        text = small.test_client().get(path).text

        assert not self.FORBIDDEN.search(text)
        for found in re.finditer(r"anonymous", text, re.I):
            assert "as far as you write nothing that names you" in text[found.start() : found.start() + 80]

    def test_the_exceptions_stand_before_anything_else_on_confidentiality(self, small: Flask) -> None:
        text = small.test_client().get("/confidentiality").text

        assert text.index("a child is at risk") < text.index("If you tell us what happened")
        assert "life is in danger" in text
        assert "a court orders us" in text

    @pytest.mark.parametrize("path", ["/", "/help"])
    def test_the_first_page_and_help_say_what_this_is_not(self, small: Flask, path: str) -> None:
        text = small.test_client().get(path).text

        assert "not an emergency service" in text
        assert "press 55" in text
        assert "text 999 if you have registered" in text
        assert "Monday to Friday, 10:00 to 18:00" in text


def came_back(client: FlaskClient, clock: MovableClock) -> None:
    """A reporter's session in this browser."""
    begin(client, clock, SessionKind.REPORTER, contents=guard.for_reporter(uuid.uuid4(), bytes(32)))


def signed_in(client: FlaskClient, clock: MovableClock) -> None:
    """A member's session in this browser."""
    begin(client, clock, SessionKind.MEMBER, owner_id=uuid.uuid4(), contents={})


def begin(
    client: FlaskClient,
    clock: MovableClock,
    kind: SessionKind,
    *,
    contents: dict[str, str],
    owner_id: uuid.UUID | None = None,
) -> None:
    cookie = sessions.start(
        vault=runtime().vault, kind=kind, owner_id=owner_id, contents=contents, now=clock.now()
    )
    db.session.commit()
    client.set_cookie(cookie.name, cookie.value, domain="localhost")


def dropped(response: TestResponse) -> set[str]:
    """The cookies that the browser is asked to forget."""
    return {given.split("=")[0] for given in response.headers.getlist("Set-Cookie") if "Max-Age=0" in given}


class TestLeaving:
    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_it_goes_elsewhere_and_asks_the_browser_to_forget(self, client: FlaskClient, method: str) -> None:
        response = client.open("/leave", method=method)

        assert response.status_code == 303
        assert response.location == "https://www.bbc.co.uk/weather"
        assert response.headers["Clear-Site-Data"] == '"cache", "cookies", "storage"'
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["Referrer-Policy"] == "no-referrer"

    def test_the_session_with_a_report_ends(
        self, app: Flask, client: FlaskClient, clock: MovableClock
    ) -> None:
        came_back(client, clock)

        response = client.get("/leave")

        assert db.session.scalars(sa.select(Session)).all() == []
        assert "reporter" in dropped(response)

    def test_a_members_session_ends_too(self, app: Flask, client: FlaskClient, clock: MovableClock) -> None:
        came_back(client, clock)
        signed_in(client, clock)

        response = client.get("/leave")

        assert db.session.scalars(sa.select(Session)).all() == []
        assert dropped(response) == {"reporter", "member"}
        assert client.get("/alerts").status_code == 303

    def test_a_broken_database_keeps_nobody_here(
        self, app: Flask, client: FlaskClient, clock: MovableClock
    ) -> None:
        came_back(client, clock)
        signed_in(client, clock)
        db.session.execute(sa.text("DROP TABLE sessions"))
        db.session.commit()

        response = client.get("/leave")

        assert response.status_code == 303
        assert dropped(response) == {"reporter", "member"}
        assert response.headers["Clear-Site-Data"] == '"cache", "cookies", "storage"'

    @pytest.mark.parametrize("sent", [{"Sec-Fetch-Mode": "no-cors"}, {"Sec-Purpose": "prefetch"}])
    def test_a_picture_or_prefetch_elsewhere_ends_nothing(
        self, client: FlaskClient, clock: MovableClock, sent: dict[str, str]
    ) -> None:
        signed_in(client, clock)

        response = client.get("/leave", headers=sent)

        assert response.status_code == 303
        assert len(db.session.scalars(sa.select(Session)).all()) == 1
        assert "Clear-Site-Data" not in response.headers

    def test_searching_machines_are_kept_out(self, client: FlaskClient) -> None:
        response = client.get("/robots.txt")

        assert response.mimetype == "text/plain"
        assert response.text == "User-agent: *\nDisallow: /\n"
