"""When something breaks, the page says so, nothing is half kept, and nothing typed is lost."""

import logging
import sqlite3
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from reporting.record.models import IdentifierTag, Report, ReportMessage, ReportPart
from tests.make.databases import count
from tests.make.pages import area_of, box_of, plain_words
from tests.make.reporter import (
    csrf_in,
    file_and_open,
    open_form,
    send,
    shows_receipt,
    token_in,
)
from ugly_mugs.database.engine import db, is_sqlite

TYPED = {
    "happened__account": ("He came back. " * 3_000)[:19_000],
    "offenders_of_0__phones": "07700 900123",
    "place__place": "Leeds",
}


class Trouble(StrEnum):
    NONE = "none"
    FULL_DISK = "full disk"  # SQLite may take no page more than there is
    LOST = "lost connection"


class Database:
    """What the database does from now on; it lies under the application and not in it."""

    def __init__(self) -> None:
        self.trouble = Trouble.NONE
        sa.event.listen(db.engine, "begin", self._begin)

    def set_trouble(self, trouble: Trouble) -> None:
        db.session.remove()
        db.engine.dispose()
        self.trouble = trouble

    def _begin(self, connection: sa.Connection) -> None:
        if self.trouble is Trouble.LOST:
            raise sa.exc.OperationalError("BEGIN", {}, sqlite3.OperationalError("connection closed"))
        if self.trouble is Trouble.FULL_DISK:
            cursor: Any = connection.connection.cursor()
            pages = cursor.execute("PRAGMA page_count").fetchone()[0]
            cursor.execute(f"PRAGMA max_page_count = {pages}")


@pytest.fixture
def database(app: Flask) -> Iterator[Database]:
    database = Database()
    yield database
    sa.event.remove(db.engine, "begin", database._begin)


def troubles() -> list[Trouble]:
    """A full disk can be made on SQLite; PostgreSQL then ends as a lost connection does."""
    return [Trouble.FULL_DISK, Trouble.LOST] if is_sqlite() else [Trouble.LOST]


def test_a_report_is_drawn_again_with_everything_typed_and_can_be_sent_later(
    client: FlaskClient, database: Database
) -> None:
    for trouble in troubles():
        filed = count(Report)
        token = open_form(client)
        database.set_trouble(trouble)

        answer = send(client, token, **TYPED)

        assert answer.status_code == 503
        assert "could not save this just now" in plain_words(answer.text)
        assert area_of(answer.text, "happened.account") == TYPED["happened__account"].strip()
        assert box_of(answer.text, "place.place") == "Leeds"
        assert token_in(answer.text) == token
        database.set_trouble(Trouble.NONE)
        assert [count(each) for each in (Report, ReportPart, IdentifierTag)] == [filed] * 3
        assert shows_receipt(send(client, token, **TYPED).text)


def test_the_log_says_only_what_kind_of_error_it_was(
    client: FlaskClient, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    token = open_form(client)
    database.set_trouble(Trouble.LOST)

    with caplog.at_level(logging.DEBUG):
        send(client, token, happened__account="canary in the account")

    said = str([vars(record) for record in caplog.records])
    assert "OperationalError" in said
    assert "canary" not in said


@pytest.mark.parametrize(("form", "field"), [("message", "message.text"), ("add", "happened.account")])
def test_a_message_or_an_addition_is_shown_again(
    client: FlaskClient, database: Database, form: str, field: str
) -> None:
    file_and_open(client)
    csrf = csrf_in(client.get("/receipt/report").text)
    database.set_trouble(troubles()[0])

    answer = client.post(f"/receipt/{form}", data={"csrf": csrf, field: "There is more. " * 300})

    assert answer.status_code == 503
    assert area_of(answer.text, field) == "There is more. " * 300
    database.set_trouble(Trouble.NONE)
    assert (count(ReportMessage), count(ReportPart)) == (0, 1)


def test_filing_in_quiet_times_writes_no_log_line(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        file_and_open(client)
        client.get("/receipt/report")

    assert caplog.records == []
