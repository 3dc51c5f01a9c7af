"""The pages that belong to no feature: what they must and must not say, and quick exit."""

import re

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.make.databases import count, execute
from tests.make.sessions import begin_member_session, begin_reporter_session
from tests.web.drawing import PAGES
from ugly_mugs.accounts.models import Session
from ugly_mugs.database.engine import db


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
        for match in re.finditer(r"anonymous", text, re.I):
            assert "as far as you write nothing that names you" in text[match.start() : match.start() + 80]

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


def deleted_cookies(response: TestResponse) -> set[str]:
    return {
        cookie.split("=")[0] for cookie in response.headers.getlist("Set-Cookie") if "Max-Age=0" in cookie
    }


class TestLeaving:
    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_it_goes_elsewhere_and_asks_the_browser_to_forget(self, client: FlaskClient, method: str) -> None:
        response = client.open("/leave", method=method)

        assert response.status_code == 303
        assert response.location == "https://www.bbc.co.uk/weather"
        assert response.headers["Clear-Site-Data"] == '"cache", "cookies", "storage"'
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["Referrer-Policy"] == "no-referrer"

    def test_the_session_with_a_report_ends(self, client: FlaskClient) -> None:
        begin_reporter_session(client)

        response = client.get("/leave")

        assert db.session.scalars(sa.select(Session)).all() == []
        assert "reporter" in deleted_cookies(response)

    def test_a_members_session_ends_too(self, client: FlaskClient) -> None:
        begin_reporter_session(client)
        begin_member_session(client)

        response = client.get("/leave")

        assert db.session.scalars(sa.select(Session)).all() == []
        assert deleted_cookies(response) == {"reporter", "member"}
        assert client.get("/alerts").status_code == 303

    def test_leaving_works_without_the_database(self, client: FlaskClient) -> None:
        begin_reporter_session(client)
        begin_member_session(client)
        execute(sa.text("DROP TABLE sessions"))

        response = client.get("/leave")

        assert response.status_code == 303
        assert deleted_cookies(response) == {"reporter", "member"}
        assert response.headers["Clear-Site-Data"] == '"cache", "cookies", "storage"'

    @pytest.mark.parametrize("headers", [{"Sec-Fetch-Mode": "no-cors"}, {"Sec-Purpose": "prefetch"}])
    def test_an_image_or_prefetch_on_another_site_ends_no_session(
        self, client: FlaskClient, headers: dict[str, str]
    ) -> None:
        begin_member_session(client)

        response = client.get("/leave", headers=headers)

        assert response.status_code == 303
        assert count(Session) == 1
        assert "Clear-Site-Data" not in response.headers

    def test_search_engines_are_excluded(self, client: FlaskClient) -> None:
        response = client.get("/robots.txt")

        assert response.mimetype == "text/plain"
        assert response.text == "User-agent: *\nDisallow: /\n"
