"""Withdrawing: it needs nobody else, and leaves nothing that can be opened."""

import uuid
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from reporting.record import queries
from reporting.record.models import (
    REPORT_MOVES,
    IdentifierTag,
    Output,
    OutputState,
    Report,
    ReportMessage,
    ReportPart,
    ReportState,
)
from tests.make.databases import count
from tests.make.pages import plain_words
from tests.make.reporter import ACCOUNT, behind, come_back, file, listen, make_output, post
from ugly_mugs.accounts.models import Session
from ugly_mugs.database.engine import db
from ugly_mugs.settings import Settings

WARN = {"warn_others__warn_others": "yes"}


@pytest.fixture
def told(app: Flask) -> list[object]:
    """What the features above were told, beside what they do about it."""
    heard: list[object] = []
    listen(app, "report_endings", "output_endings", listener=heard.append)
    return heard


def test_it_asks_first_and_says_what_will_happen(client: FlaskClient) -> None:
    come_back(client, file(client))

    words = plain_words(client.get("/receipt/withdraw").text)

    assert "What has been sent cannot be called back" in words
    assert "gone from the service now" in words
    assert count(ReportPart) == 1


def test_everything_that_could_be_opened_is_deleted(client: FlaskClient) -> None:
    words = file(client, offenders_of_0__phones="07700 900123", **WARN)
    make_output(words, OutputState.APPROVED, uuid.uuid4())
    come_back(client, words)
    post(client, "/receipt/message", **{"message.text": "Hello"})

    answer = post(client, "/receipt/withdraw")

    report = db.session.query(Report).one()
    assert answer.headers["Location"] == "/receipt/gone"
    assert report.state is ReportState.WITHDRAWN
    kept = (
        report.desk_wrap,
        report.receipt_wrap,
        report.head,
        report.facets,
        report.consents,
        report.taken_by,
    )
    assert kept == (None,) * 6
    assert [count(each) for each in (ReportPart, ReportMessage, IdentifierTag, Session)] == [0, 0, 0, 0]
    output = db.session.query(Output).one()
    assert output.preview is None
    assert output.state is OutputState.WITHDRAWN


@pytest.mark.parametrize("state", [each for each in OutputState if each is not OutputState.WITHDRAWN])
def test_what_was_made_of_it_ends_and_others_are_told(
    client: FlaskClient, told: list[object], state: OutputState
) -> None:
    words = file(client, **WARN)
    output = make_output(words, state, uuid.uuid4())
    come_back(client, words)

    post(client, "/receipt/withdraw")

    db.session.refresh(output)
    ended = output.state is OutputState.ENDED
    assert ended == (state is OutputState.ENDED)
    assert ended or output.state is OutputState.WITHDRAWN
    assert [type(each) for each in told] == ([Report] if ended else [Output, Report])


@pytest.mark.parametrize("steps", [(), ("in_review",), ("in_review", "settled"), ("in_review", "declined")])
def test_it_works_whatever_the_desk_has_done(client: FlaskClient, steps: tuple[str, ...]) -> None:
    words = file(client)
    report = queries.locked_report(behind(words).report.id)
    assert report is not None
    for step in steps:
        REPORT_MOVES.move(report, ReportState(step))
    db.session.commit()
    come_back(client, words)

    post(client, "/receipt/withdraw")

    db.session.refresh(report)
    assert report.state is ReportState.WITHDRAWN


def test_another_open_page_of_the_same_report_shows_nothing_any_more(app: Flask) -> None:
    here, there = app.test_client(), app.test_client()
    words = file(here)
    come_back(here, words)
    come_back(there, words)

    post(here, "/receipt/withdraw")

    answer = there.get("/receipt/report")
    assert answer.status_code == 404
    assert ACCOUNT not in answer.text


def test_it_is_all_or_nothing(app: Flask, client: FlaskClient) -> None:
    def fails(_ended: object) -> None:
        raise RuntimeError

    words = file(client)
    come_back(client, words)
    listen(app, "report_endings", listener=fails)

    answer = post(client, "/receipt/withdraw")

    assert answer.status_code == 500
    assert behind(words).contents.account == ACCOUNT
    assert behind(words).report.state is ReportState.RECEIVED


def test_what_was_deleted_is_in_no_file_any_more(
    app: Flask, client: FlaskClient, settings: Settings, database_kind: str
) -> None:
    """Neither in the database file nor in its log: on PostgreSQL that is its vacuum's work, not ours."""
    words = file(client)
    report = db.session.scalars(sa.select(Report)).one()
    assert report.desk_wrap is not None and report.receipt_wrap is not None
    wraps = (report.desk_wrap[-64:], report.receipt_wrap[-32:])
    db.session.rollback()

    come_back(client, words)
    post(client, "/receipt/withdraw")

    if database_kind == "sqlite":
        path = settings.database_url.removeprefix("sqlite:///")
        lying = b"".join(each.read_bytes() for each in Path(path).parent.glob(Path(path).name + "*"))
        assert not any(wrap in lying for wrap in wraps)
    assert db.session.scalars(sa.select(Report)).one().desk_wrap is None
