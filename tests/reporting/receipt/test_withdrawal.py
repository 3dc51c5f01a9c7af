"""Withdrawal: needs no moderator, and leaves nothing that a key could open."""

import uuid
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from reporting.record.models import (
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
from tests.make.reporter import (
    ACCOUNT,
    WARN,
    come_back,
    file,
    file_and_open,
    listen,
    make_output,
    move_report,
    post,
    stored,
)
from ugly_mugs.accounts.models import Session
from ugly_mugs.database.engine import db
from ugly_mugs.settings import Settings


@pytest.fixture
def notified(app: Flask) -> list[object]:
    """The reports and outputs passed to the listeners, in order."""
    calls: list[object] = []
    listen(app, "report_endings", "output_endings", listener=calls.append)
    return calls


def test_the_page_explains_a_withdrawal_before_it_happens(client: FlaskClient) -> None:
    file_and_open(client)

    words = plain_words(client.get("/receipt/withdraw").text)

    assert "What has been sent cannot be called back" in words
    assert "gone from the service now" in words
    assert count(ReportPart) == 1


def test_wraps_texts_tags_and_sessions_are_deleted(client: FlaskClient) -> None:
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
    assert [count(table) for table in (ReportPart, ReportMessage, IdentifierTag, Session)] == [0, 0, 0, 0]
    output = db.session.query(Output).one()
    assert output.preview is None
    assert output.state is OutputState.WITHDRAWN


@pytest.mark.parametrize("state", [state for state in OutputState if state is not OutputState.WITHDRAWN])
def test_live_outputs_are_withdrawn_and_listeners_called(
    client: FlaskClient, notified: list[object], state: OutputState
) -> None:
    words = file(client, **WARN)
    output = make_output(words, state, uuid.uuid4())
    come_back(client, words)

    post(client, "/receipt/withdraw")

    db.session.refresh(output)
    ended = output.state is OutputState.ENDED
    assert ended == (state is OutputState.ENDED)
    assert ended or output.state is OutputState.WITHDRAWN
    assert [type(ended) for ended in notified] == ([Report] if ended else [Output, Report])


@pytest.mark.parametrize("steps", [(), ("in_review",), ("in_review", "settled"), ("in_review", "declined")])
def test_a_report_can_be_withdrawn_in_any_state(client: FlaskClient, steps: tuple[str, ...]) -> None:
    words = file(client)
    move_report(words, *map(ReportState, steps))
    come_back(client, words)

    post(client, "/receipt/withdraw")

    assert db.session.query(Report).one().state is ReportState.WITHDRAWN


def test_another_session_of_the_same_report_shows_nothing_afterwards(app: Flask) -> None:
    first, second = app.test_client(), app.test_client()
    words = file(first)
    come_back(first, words)
    come_back(second, words)

    post(first, "/receipt/withdraw")

    answer = second.get("/receipt/report")
    assert answer.status_code == 404
    assert ACCOUNT not in answer.text


def test_a_failing_listener_undoes_the_withdrawal(app: Flask, client: FlaskClient) -> None:
    def fails(_ended: object) -> None:
        raise RuntimeError

    words = file_and_open(client)
    listen(app, "report_endings", listener=fails)

    answer = post(client, "/receipt/withdraw")

    assert answer.status_code == 500
    assert stored(words).contents.account == ACCOUNT
    assert stored(words).report.state is ReportState.RECEIVED


def test_deleted_data_is_in_no_file(client: FlaskClient, settings: Settings, database_kind: str) -> None:
    """Neither in the database file nor in its log. On PostgreSQL this is left to its vacuum."""
    words = file(client)
    report = db.session.scalars(sa.select(Report)).one()
    assert report.desk_wrap is not None and report.receipt_wrap is not None
    wraps = (report.desk_wrap[-64:], report.receipt_wrap[-32:])
    db.session.rollback()

    come_back(client, words)
    post(client, "/receipt/withdraw")

    if database_kind == "sqlite":
        path = settings.database_url.removeprefix("sqlite:///")
        files = b"".join(
            file_path.read_bytes() for file_path in Path(path).parent.glob(Path(path).name + "*")
        )
        assert not any(wrap in files for wrap in wraps)
    assert db.session.scalars(sa.select(Report)).one().desk_wrap is None
