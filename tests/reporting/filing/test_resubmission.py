"""The same public form sent again: it files once, and what changed in it since can be added."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from reporting.record.models import Report, ReportPart
from tests.make.clock import MovableClock
from tests.make.databases import count
from tests.make.pages import Drawn, area_of, box_of, plain_words
from tests.make.reporter import (
    ACCOUNT,
    come_back,
    consents_of,
    open_form,
    post,
    receipt_in,
    send,
    shows_receipt,
    stored,
    token_in,
)


def test_a_form_sent_twice_shows_the_same_receipt_and_files_once(client: FlaskClient) -> None:
    token = open_form(client)

    first, second = send(client, token), send(client, token)

    assert receipt_in(first.text) == receipt_in(second.text)
    assert first.text.replace(token_in(first.text), "") == second.text.replace(token_in(second.text), "")
    assert (count(Report), count(ReportPart)) == (1, 1)


@pytest.mark.parametrize("minutes", [1, 29, 31, 59])
def test_a_form_reloaded_in_this_or_the_next_half_hour_shows_the_receipt(
    client: FlaskClient, clock: MovableClock, minutes: int
) -> None:
    token = open_form(client)
    first = receipt_in(send(client, token).text)

    clock.forward(minutes=minutes)

    assert receipt_in(send(client, token).text) == first
    assert count(Report) == 1


@pytest.mark.parametrize("later", [timedelta(minutes=60), timedelta(hours=23), timedelta(days=400)])
def test_a_form_reloaded_later_says_it_was_sent_and_shows_no_receipt(
    client: FlaskClient, clock: MovableClock, later: timedelta
) -> None:
    token = open_form(client)
    send(client, token)

    clock.moment += later
    answer = send(client, token)

    assert not shows_receipt(answer.text)
    assert "sent already" in plain_words(answer.text)
    assert count(Report) == 1


def test_a_form_filed_with_an_old_token_is_recognised_too(client: FlaskClient, clock: MovableClock) -> None:
    token = open_form(client)
    clock.forward(hours=10)
    assert shows_receipt(send(client, token).text)

    answer = send(client, token)

    assert "sent already" in plain_words(answer.text)
    assert count(Report) == 1


def test_a_form_changed_and_sent_again_offers_the_difference_and_files_nothing(client: FlaskClient) -> None:
    token = open_form(client)
    first = receipt_in(send(client, token).text)

    answer = send(client, token, happened__account="Something quite different.")

    assert receipt_in(answer.text) == first
    assert "You have changed something since" in plain_words(answer.text)
    assert box_of(answer.text, "happened.account") == "Something quite different."
    assert (count(Report), count(ReportPart)) == (1, 1)


def test_a_form_sent_again_with_another_choice_says_that_it_does_not_count_yet(client: FlaskClient) -> None:
    token = open_form(client)
    words = receipt_in(send(client, token).text)

    answer = send(client, token, warn_others__warn_others="yes", warn_others__when="after_seen")
    page = come_back(client, words, **{"warn_others.warn_others": "yes", "warn_others.when": "after_seen"})

    assert "do not count yet" in plain_words(answer.text)
    assert not consents_of(words).warn_others
    chosen = {(held["name"], held["value"]) for held in Drawn(page.text).of("input") if "checked" in held}
    assert chosen == {("warn_others.warn_others", "yes"), ("warn_others.when", "after_seen")}


def test_a_form_changed_and_sent_much_later_can_be_added_with_the_receipt(
    client: FlaskClient, clock: MovableClock
) -> None:
    token = open_form(client)
    words = receipt_in(send(client, token).text)
    clock.forward(hours=30)
    late = send(client, token, happened__account="He came back today.", place__place="Leeds")

    form = come_back(client, words, **{"happened.account": "He came back today.", "place.place": "Leeds"})
    post(client, "/receipt/add", **{"happened.account": "He came back today.", "place.place": "Leeds"})

    assert not shows_receipt(late.text)
    assert box_of(late.text, "place.place") == "Leeds"
    assert area_of(form.text, "happened.account") == "He came back today."
    assert stored(words).contents.accounts == [ACCOUNT, "He came back today."]


def test_what_was_brought_along_survives_a_wrong_receipt(client: FlaskClient) -> None:
    answer = come_back(client, "wrong words", **{"happened.account": "He came back today."})

    assert box_of(answer.text, "happened.account") == "He came back today."


def test_a_form_of_a_withdrawn_report_is_drawn_again_as_a_new_one(client: FlaskClient) -> None:
    token = open_form(client)
    come_back(client, receipt_in(send(client, token).text))
    post(client, "/receipt/withdraw")

    answer = send(client, token)

    assert answer.status_code == 400
    assert area_of(answer.text, "happened.account") == ACCOUNT
    assert token_in(answer.text) != token
