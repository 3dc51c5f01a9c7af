"""What the public form and the caller's have in common: tokens, one more person, and that nothing typed is lost."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from reporting.record.models import Report
from tests.make.cast import Colleague, Team
from tests.make.clock import MovableClock
from tests.make.databases import count
from tests.make.pages import Drawn, area_of, box_of, plain_words
from tests.make.reporter import (
    EVERYTHING,
    holds_everything,
    receipt_in,
    shows_receipt,
    stored,
    token_in,
    typed,
)


@dataclass
class Door:
    """One of the two pages with a report form, in the browser of somebody who may use it."""

    path: str
    browser: FlaskClient
    clock: MovableClock
    alice: Colleague | None = None

    def open(self) -> str:
        """A fresh form's token."""
        return token_in(self.browser.get(self.path).text)

    def send(self, answers: dict[str, Any], token: str | None = None) -> TestResponse:
        data = {"token": self.open() if token is None else token, **answers}
        return self.alice.post(self.path, data) if self.alice else self.browser.post(self.path, data=data)

    def wait(self, *, hours: int) -> None:
        """Until so much later; whoever has to be signed in signs in again."""
        self.clock.forward(hours=hours)
        if self.alice:
            assert self.alice.sign_in().status_code == 303


@pytest.fixture(params=["public", "caller"])
def door(request: pytest.FixtureRequest, app: Flask, clock: MovableClock, team: Team) -> Door:
    if request.param == "public":
        return Door("/report", app.test_client(), clock)
    alice = team.hire("alice")
    return Door("/desk/reports/new", alice.browser, clock, alice)


class TestTheToken:
    def test_too_old_is_replaced_and_the_form_drawn_again_with_everything_typed(self, door: Door) -> None:
        token = door.open()
        door.wait(hours=25)

        answer = door.send(EVERYTHING, token)

        assert answer.status_code == 400
        assert "had been open for a long time" in plain_words(answer.text)
        assert count(Report) == 0
        assert holds_everything(answer.text)
        assert token_in(answer.text) != token
        assert shows_receipt(door.send(EVERYTHING, token_in(answer.text)).text)

    @pytest.mark.parametrize("token", ["", "nonsense", "A" * 48, "ä" * 48])
    def test_not_ours_is_replaced_and_nothing_typed_is_lost(self, door: Door, token: str) -> None:
        answer = door.send(EVERYTHING, token)

        assert answer.status_code == 400
        assert count(Report) == 0
        assert holds_everything(answer.text)
        assert shows_receipt(door.send(EVERYTHING, token_in(answer.text)).text)

    def test_of_another_form_files_nothing(self, door: Door) -> None:
        answer = door.send(EVERYTHING, token_in(door.browser.get("/receipt").text))

        assert not shows_receipt(answer.text)
        assert count(Report) == 0

    def test_stays_while_something_is_wrong_and_then_files(self, door: Door) -> None:
        token = door.open()

        answer = door.send({**EVERYTHING, "happened.account": " "}, token)

        assert token_in(answer.text) == token
        assert shows_receipt(door.send(EVERYTHING, token).text)


class TestAddingAPerson:
    def test_draws_the_page_again_with_room_for_one_more_and_never_files(self, door: Door) -> None:
        token = door.open()

        answer = door.send({**EVERYTHING, "offenders.add": "1"}, token)

        assert answer.status_code == 200
        assert count(Report) == 0
        assert token_in(answer.text) == token
        assert holds_everything(answer.text)
        assert area_of(answer.text, "offenders-1.names") == ""

    def test_works_without_any_answer_and_finds_no_fault(self, door: Door) -> None:
        answer = door.send({"offenders.add": "1"})

        assert answer.status_code == 200
        assert 'class="summary"' not in answer.text

    def test_with_a_token_that_is_too_old_gives_a_fresh_one(self, door: Door) -> None:
        token = door.open()
        door.wait(hours=25)

        answer = door.send({**EVERYTHING, "offenders.add": "1"}, token)

        assert answer.status_code == 200
        assert shows_receipt(door.send(EVERYTHING, token_in(answer.text)).text)

    def test_never_files_however_often_pressed(self, door: Door) -> None:
        page = door.browser.get(door.path).text

        for _ in range(12):
            answers = dict.fromkeys(Drawn(page).texts, "")
            page = door.send({**answers, **EVERYTHING, "offenders.add": "1"}, token_in(page)).text

        assert count(Report) == 0
        assert area_of(page, "offenders-7.names") == ""
        assert "offenders.add" not in page


class TestWhenSomethingIsWrong:
    def test_without_what_happened_it_is_asked_for_and_nothing_is_filed(self, door: Door) -> None:
        answer = door.send(typed(happened__account="  ", place__place="Leeds"))

        assert answer.status_code == 400
        assert "What happened?" in plain_words(answer.text.partition("<h1>")[0])
        assert box_of(answer.text, "place.place") == "Leeds"
        assert count(Report) == 0

    def test_a_wrong_answer_is_said_beside_its_question_and_the_rest_stays(self, door: Door) -> None:
        answers = {**EVERYTHING, "when.day": "2026-02-31"}

        answer = door.send(answers)

        assert answer.status_code == 400
        assert count(Report) == 0
        assert holds_everything(answer.text, answers)
        assert 'href="#when-day"' in answer.text

    def test_not_before_without_a_day_asks_for_it(self, door: Door) -> None:
        answer = door.send(typed(warn_others__warn_others="yes", warn_others__when="not_before"))

        assert 'href="#warn_others-not_before"' in answer.text
        assert count(Report) == 0

    def test_more_than_fits_says_so_keeps_it_and_the_shortened_form_is_filed(self, door: Door) -> None:
        many = {f"offenders-{n}.marks": "\U0001f600" * 499 for n in range(8)}
        many |= {
            f"offenders-{n}.{name}": "ß" * 199
            for n in range(8)
            for name in ("hair", "eyes", "smell", "build")
        }
        account = "ä" * 19_900

        answer = door.send({"happened.account": account, **many})

        assert answer.status_code == 400
        assert "too long" in plain_words(answer.text)
        assert area_of(answer.text, "happened.account") == account
        assert count(Report) == 0
        shorter = door.send({"happened.account": account}, token_in(answer.text))
        assert stored(receipt_in(shorter.text)).contents.account == account

    def test_an_account_of_a_whole_book_returns_with_what_is_wrong_beside_it(self, door: Door) -> None:
        # Pasted by accident, or in a script of which each letter takes six in an address.
        account = "Она ушла. " * 27_000
        assert len(quote(account)) > 1_000_000

        answer = door.send(typed(happened__account=account, place__place="Leeds", when__day="2026-03-14"))

        assert answer.status_code == 400
        assert area_of(answer.text, "happened.account") == account
        assert box_of(answer.text, "place.place") == "Leeds"
        (beside,) = Drawn(answer.text).of("textarea", id="happened-account")
        assert "happened-account-error" in beside["aria-describedby"]
        assert "This is too long. Please keep it under 20000 characters." in plain_words(answer.text)
        assert count(Report) == 0
