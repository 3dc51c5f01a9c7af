"""Changing consents on the reporter's pages."""

from datetime import timedelta

from flask.testing import FlaskClient

from reporting.record.models import ReportState
from tests.make.clock import MovableClock
from tests.make.pages import box_of, plain_words
from tests.make.reporter import WARN, come_back, consents_of, file, file_and_open, move_report, post, stored


def test_the_form_shows_the_consents_and_a_change_is_recorded_with_its_wording(
    client: FlaskClient, clock: MovableClock
) -> None:
    words = file_and_open(client, contact_me__contact_me="yes", contact_me__where="07700 900777", **WARN)
    clock.forward(days=2)
    come_back(client, words)
    page = client.get("/receipt/choices").text
    assert box_of(page, "contact_me.where") == "07700 900777"

    post(client, "/receipt/choices", **{"warn_others.warn_others": "no", "contact_me.contact_me": "yes"})

    now = consents_of(words)
    assert not now.warn_others
    assert now.contact_me
    last = now.records[-1]
    assert (last.consent.value, last.given, last.wording, last.language) == (
        "warn_others",
        False,
        1,
        "en",
    )
    assert last.day - now.records[0].day == timedelta(days=2)


def test_agreeing_to_a_warning_reopens_a_finished_report(client: FlaskClient) -> None:
    words = file(client)
    move_report(words, ReportState.IN_REVIEW, ReportState.SETTLED)
    come_back(client, words)

    post(client, "/receipt/choices", **{"warn_others.warn_others": "yes"})

    assert stored(words).report.state is ReportState.IN_REVIEW


def test_the_page_says_that_sent_warnings_cannot_be_called_back(client: FlaskClient) -> None:
    file_and_open(client)

    assert "cannot be called back" in plain_words(client.get("/receipt/choices").text)


def test_an_invalid_choice_changes_nothing(client: FlaskClient) -> None:
    words = file_and_open(client, **WARN)

    answer = post(
        client, "/receipt/choices", **{"warn_others.warn_others": "yes", "warn_others.when": "not_before"}
    )

    assert answer.status_code == 400
    assert stored(words).report.consents_version == 1
