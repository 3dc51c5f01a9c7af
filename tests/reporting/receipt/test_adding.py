"""Additions to a filed report."""

import pytest
from flask.testing import FlaskClient

from reporting.receipt.adding import FINISHED
from reporting.record.models import ReportPart, ReportState
from tests.make.clock import MovableClock
from tests.make.databases import count
from tests.make.pages import area_of
from tests.make.reporter import ACCOUNT, come_back, csrf_in, file, file_and_open, move_report, post, stored


def test_each_section_can_be_added_alone(client: FlaskClient) -> None:
    words = file_and_open(client)
    sections = {
        "happened.account": "He came back.",
        "happened.types": "threats",
        "offenders-0.names": "Example",
        "place.place": "Leeds",
        "when.roughly": "last week",
        "about_you.call_you": "Ruby",
    }

    for number, (name, text) in enumerate(sections.items(), start=2):
        assert post(client, "/receipt/add", **{name: text}).status_code == 303
        assert len(stored(words).contents.parts) == number

    assert stored(words).contents.accounts == [ACCOUNT, "He came back."]


@pytest.mark.parametrize("state", sorted(FINISHED))
def test_an_addition_reopens_a_finished_report(client: FlaskClient, state: ReportState) -> None:
    words = file(client)
    move_report(words, ReportState.IN_REVIEW, state)
    come_back(client, words)

    post(client, "/receipt/add", **{"happened.account": "He came back."})

    assert stored(words).report.state is ReportState.IN_REVIEW


def test_an_empty_form_adds_nothing(client: FlaskClient) -> None:
    words = file(client)
    move_report(words, ReportState.IN_REVIEW, ReportState.SETTLED)
    come_back(client, words)

    post(client, "/receipt/add", **{"happened.account": "   "})

    assert count(ReportPart) == 1
    assert stored(words).report.state is ReportState.SETTLED


def test_an_addition_sent_twice_is_stored_once(client: FlaskClient) -> None:
    words = file_and_open(client)
    for _ in range(2):
        post(client, "/receipt/add", **{"happened.account": "He came back."})

    assert stored(words).contents.accounts == [ACCOUNT, "He came back."]


def test_adding_a_person_to_the_form_stores_nothing(client: FlaskClient) -> None:
    file_and_open(client)

    answer = post(client, "/receipt/add", **{"offenders-0.names": "Example", "offenders.add": "1"})

    assert area_of(answer.text, "offenders-1.names") == ""
    assert area_of(answer.text, "offenders-0.names") == "Example"
    assert count(ReportPart) == 1


def test_an_invalid_answer_is_refused_and_the_text_kept(client: FlaskClient) -> None:
    file_and_open(client)

    answer = post(client, "/receipt/add", **{"happened.account": "More.", "when.day": "yesterday"})

    assert answer.status_code == 400
    assert area_of(answer.text, "happened.account") == "More."


def test_the_text_is_shown_again_after_the_session_ended(client: FlaskClient, clock: MovableClock) -> None:
    file_and_open(client)
    page = client.get("/receipt/add").text
    clock.forward(hours=1)

    answer = client.post(
        "/receipt/add", data={"csrf": csrf_in(page), "happened.account": "A long addition. " * 9}
    )

    assert answer.status_code == 400
    assert "A long addition." in answer.text
