"""The reporter's session: its cookie, its end, and that it opens one report only."""

from datetime import date

from flask import Flask
from flask.testing import FlaskClient

from reporting.record.models import ReportMessage, ReportState
from tests.make.clock import MovableClock
from tests.make.databases import count
from tests.make.reporter import come_back, file, file_and_open, open_report, stored
from ugly_mugs.accounts.models import Session
from ugly_mugs.database.engine import db


def test_a_receipt_starts_a_session_with_a_session_cookie(client: FlaskClient) -> None:
    cookie = come_back(client, file(client)).headers["Set-Cookie"]

    assert cookie.startswith("reporter=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Max-Age" not in cookie
    assert "Expires" not in cookie


def test_each_entry_starts_a_new_session_and_ends_the_former(client: FlaskClient) -> None:
    words = file_and_open(client)
    former = client.get_cookie("reporter")
    come_back(client, words)
    newer = client.get_cookie("reporter")
    assert former
    assert newer
    assert former.value != newer.value
    assert count(Session) == 1

    client.set_cookie("reporter", former.value)

    assert client.get("/receipt/report").status_code == 303


def test_a_session_ends_after_twenty_idle_minutes(client: FlaskClient, clock: MovableClock) -> None:
    file_and_open(client)
    clock.forward(minutes=19)
    open_report(client)
    clock.forward(minutes=21)

    assert client.get("/receipt/report").status_code == 303


def test_closing_the_report_ends_the_session(client: FlaskClient) -> None:
    file_and_open(client)

    client.post("/receipt/close")

    assert client.get("/receipt/report").status_code == 303
    assert count(Session) == 0


def test_the_stored_session_names_no_owner_and_no_time_of_day(client: FlaskClient) -> None:
    file_and_open(client)

    row = db.session.query(Session).one()

    assert row.owner_id is None
    assert isinstance(row.day, date)


def test_every_page_of_a_report_needs_a_session(client: FlaskClient) -> None:
    for path in ("report", "add", "choices", "withdraw"):
        assert client.get(f"/receipt/{path}").headers["Location"] == "/receipt"


def test_forms_without_the_csrf_token_change_nothing(client: FlaskClient) -> None:
    words = file_and_open(client)

    for path in ("message", "add", "choices", "output", "withdraw"):
        answer = client.post(f"/receipt/{path}", data={"csrf": "x", "message.text": "hello"})
        assert answer.status_code == 400

    assert stored(words).report.state is ReportState.RECEIVED
    assert count(ReportMessage) == 0


def test_a_session_opens_one_report_only(app: Flask) -> None:
    alice, bob = app.test_client(), app.test_client()
    hers, his = file(alice, happened__account="Hers."), file(bob, happened__account="His.")
    come_back(alice, hers)
    come_back(bob, his)

    assert "Hers." in open_report(alice)
    assert "Hers." not in open_report(bob)
