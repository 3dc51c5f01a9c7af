"""The reporter's page of a report: state, answers, messages, and links that identify nobody."""

import re
import uuid

import pytest
from flask.testing import FlaskClient

from reporting.receipt.adding import FINISHED
from reporting.record import conversation, queries
from reporting.record.models import Author, OutputState, Report, ReportMessage, ReportState
from tests.make.clock import MovableClock
from tests.make.databases import count
from tests.make.pages import plain_words
from tests.make.reporter import (
    ACCOUNT,
    AFTER_SEEN,
    DIGITS,
    WARN,
    come_back,
    file,
    file_and_open,
    make_output,
    move_report,
    open_form,
    open_report,
    post,
    receipt_in,
    send,
    stored,
    token_in,
)
from ugly_mugs.database.engine import db


@pytest.mark.parametrize(
    ("states", "sentence"),
    [
        ((), "Nobody has read it yet"),
        ((ReportState.IN_REVIEW,), "A moderator has opened it"),
        ((ReportState.IN_REVIEW, ReportState.SETTLED), "We have finished with it"),
        ((ReportState.IN_REVIEW, ReportState.DECLINED), "will not make a warning of it"),
    ],
)
def test_the_state_is_explained(client: FlaskClient, states: tuple[ReportState, ...], sentence: str) -> None:
    words = file(client)
    move_report(words, *states)
    come_back(client, words)

    assert sentence in plain_words(open_report(client))


def test_every_answer_is_shown(client: FlaskClient) -> None:
    words = file(
        client, happened__types=["robbery"], place__premises="hotel", when__day="2026-11-20", **AFTER_SEEN
    )
    come_back(client, words)

    text = plain_words(open_report(client))

    for answer in (
        ACCOUNT,
        "Robbery or theft",
        "Hotel or rented room",
        "November",
        "after you have seen it",
    ):
        assert answer in text


def test_no_time_of_day_is_shown(client: FlaskClient) -> None:
    file_and_open(client)

    assert not re.search(r"\d\d:\d\d", plain_words(open_report(client)).replace("10:00 to 18:00", ""))


def test_messages_of_both_sides_are_shown_in_order(client: FlaskClient, clock: MovableClock) -> None:
    words = file_and_open(client)
    post(client, "/receipt/message", **{"message.text": "Did you get it?\nThank you"})
    opened = stored(words)
    report = queries.locked_report(opened.report.id)
    assert report is not None
    conversation.write(
        report=report, author=Author.DESK, text="We did.", content_key=opened.key, day=clock.now().date()
    )
    db.session.commit()

    text = plain_words(open_report(client))

    assert text.index("Did you get it?") < text.index("We did.")


def test_a_message_sent_twice_is_stored_once(client: FlaskClient) -> None:
    file_and_open(client)
    for _ in range(2):
        post(client, "/receipt/message", **{"message.text": "Hello"})

    assert count(ReportMessage) == 1


def test_an_empty_message_is_not_sent(client: FlaskClient) -> None:
    file_and_open(client)

    assert post(client, "/receipt/message", **{"message.text": " \n "}).status_code == 400
    assert count(ReportMessage) == 0


@pytest.mark.parametrize("state", sorted(FINISHED))
def test_a_message_reopens_a_finished_report(client: FlaskClient, state: ReportState) -> None:
    words = file(client)
    move_report(words, ReportState.IN_REVIEW, state)
    come_back(client, words)

    post(client, "/receipt/message", **{"message.text": "There is more."})

    assert stored(words).report.state is ReportState.IN_REVIEW


def test_the_button_after_filing_opens_the_report(client: FlaskClient) -> None:
    page = send(client, open_form(client)).text

    answer = client.post("/receipt", data={"token": token_in(page), "receipt": receipt_in(page)})

    assert answer.status_code == 303
    assert ACCOUNT in open_report(client)
    assert DIGITS.search(page)


def test_no_link_contains_an_identifier(client: FlaskClient) -> None:
    words = file(client, **WARN)
    make_output(words, OutputState.APPROVED, uuid.uuid4())
    come_back(client, words)

    links = set(re.findall(r'(?:href|action)="(/[^"]*)"', open_report(client)))

    assert not [link for link in links if re.search(r"[0-9a-f]{8}", link) and not link.startswith("/static/")]
    assert count(Report) == 1
