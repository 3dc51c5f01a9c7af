"""Joining the desk through its pages."""

import base64
import re
from datetime import datetime
from http import HTTPStatus

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.make.cast import Team
from tests.make.clock import MovableClock
from tests.make.pages import hidden
from ugly_mugs.accounts import queries
from ugly_mugs.accounts.models import Role, Session, Staff, StaffState
from ugly_mugs.accounts.people import enrolment
from ugly_mugs.database.engine import db
from ugly_mugs.errors import Conflict, DomainError
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import Where, totp


def invite(login: str = "bob", *roles: Role) -> str:
    """A code as a command prints it."""
    invited = enrolment.invite(
        vault=runtime().vault, login=login, roles=roles or (Role.MODERATOR,), now=runtime().clock.now()
    )
    db.session.commit()
    return invited.code


def type_code(browser: FlaskClient, code: str) -> TestResponse:
    token = hidden(browser.get("/desk/join"), "token")
    return browser.post("/desk/join", data={"token": token, "invitation": code})


class Shown:
    """What the page shows a newcomer."""

    def __init__(self, browser: FlaskClient) -> None:
        answer = browser.get("/desk/join")
        self.text = answer.text
        self.token = hidden(answer, "token")
        self.passphrase = self.match(r'<p class="receipt">([a-z ]+)</p>')
        letters = self.match(r"<code>([A-Z2-7 ]+)</code>").replace(" ", "")
        self.secret = base64.b32decode(letters + "=" * (-len(letters) % 8))

    def match(self, pattern: str) -> str:
        match = re.search(pattern, self.text)
        assert match is not None
        return match[1]

    def prove(self, browser: FlaskClient, now: datetime, code: str | None = None) -> TestResponse:
        typed = code or totp.code_now(self.secret, now)
        return browser.post("/desk/join/authenticator", data={"token": self.token, "code": typed})

    def sign_in(self, browser: FlaskClient, login: str, now: datetime) -> TestResponse:
        token = hidden(browser.get("/desk/sign-in"), "token")
        code = totp.code_now(self.secret, now)
        typed = {"token": token, "login": login, "passphrase": self.passphrase, "code": code}
        return browser.post("/desk/sign-in", data=typed)


def state() -> StaffState:
    state = db.session.scalars(sa.select(Staff)).one().state
    db.session.rollback()
    return state


class TestTheInvitation:
    def test_leads_to_a_passphrase_and_an_authenticator(self, client: FlaskClient) -> None:
        answer = type_code(client, invite())
        shown = Shown(client)

        assert answer.status_code == HTTPStatus.SEE_OTHER
        assert answer.location == "/desk/join"
        assert len(shown.passphrase.split()) == enrolment.PASSPHRASE_WORDS
        assert len(shown.secret) == totp.SECRET

    @pytest.mark.parametrize(
        "written", [str.lower, lambda code: code.replace("-", " "), lambda code: f" {code}"]
    )
    def test_may_be_written_in_any_way(self, client: FlaskClient, written: "type[str]") -> None:
        assert type_code(client, written(invite())).status_code == HTTPStatus.SEE_OTHER

    def test_of_nobody_is_refused(self, client: FlaskClient) -> None:
        invite()

        assert type_code(client, "0000-0000-0000-0000").status_code == HTTPStatus.BAD_REQUEST

    def test_is_good_for_seven_days(self, client: FlaskClient, clock: MovableClock) -> None:
        code = invite()

        clock.forward(days=7)
        last_day = type_code(client, code).status_code
        clock.forward(days=1)

        assert last_day == HTTPStatus.SEE_OTHER
        assert type_code(client, code).status_code == HTTPStatus.BAD_REQUEST

    def test_works_once(self, app: Flask, client: FlaskClient, clock: MovableClock) -> None:
        code = invite()
        type_code(client, code)
        Shown(client).prove(client, clock.now())

        assert type_code(app.test_client(), code).status_code == HTTPStatus.BAD_REQUEST

    def test_typed_in_two_browsers_lets_only_the_first_finish(
        self, app: Flask, client: FlaskClient, clock: MovableClock
    ) -> None:
        code, other = invite(), app.test_client()
        type_code(client, code)
        type_code(other, code)
        first, second = Shown(client), Shown(other)

        first.prove(client, clock.now())
        second.prove(other, clock.now())

        assert "invitation" in other.get("/desk/join").text
        person = db.session.scalars(sa.select(Staff)).one()
        secret = person.totp_secret or b""
        place = Where("staff", "totp_secret", person.id)
        assert runtime().vault.open_rest(secret, place) == first.secret

    def test_stands_nowhere_in_clear(self, app: Flask) -> None:
        code = invite()

        values = [
            str(value) for row in db.session.execute(sa.select(*Staff.__table__.columns)) for value in row
        ]
        assert not [value for value in values if code in value or code.replace("-", "") in value]

    def test_can_be_guessed_only_so_often(self, client: FlaskClient) -> None:
        statuses = [type_code(client, f"0000-0000-0000-{number:04}").status_code for number in range(31)]

        assert statuses[-1] == HTTPStatus.TOO_MANY_REQUESTS

    def test_is_taken_however_many_wrong_ones_strangers_have_typed(
        self, app: Flask, client: FlaskClient
    ) -> None:
        code = invite()
        stranger = app.test_client()
        for number in range(31):
            type_code(stranger, f"0000-0000-0000-{number:04}")

        assert type_code(client, code).status_code == HTTPStatus.SEE_OTHER

    def test_uses_up_no_guess_when_it_is_right(self, client: FlaskClient) -> None:
        code = invite()
        for _ in range(31):
            type_code(client, code)

        client.delete_cookie("staff")

        assert type_code(client, "0000-0000-0000-0000").status_code == HTTPStatus.BAD_REQUEST


class TestTheSecondStep:
    @pytest.fixture
    def shown(self, client: FlaskClient) -> Shown:
        type_code(client, invite())
        return Shown(client)

    def test_shows_the_same_words_when_the_page_is_loaded_again(
        self, client: FlaskClient, shown: Shown
    ) -> None:
        assert Shown(client).passphrase == shown.passphrase

    def test_shows_a_picture_that_the_page_policy_allows(self, shown: Shown) -> None:
        assert "<svg" in shown.text
        assert "style=" not in shown.text.partition("<svg")[2].partition("</svg>")[0]

    def test_asks_again_after_a_wrong_code_and_changes_nothing(
        self, client: FlaskClient, shown: Shown, clock: MovableClock
    ) -> None:
        answer = shown.prove(client, clock.now(), code="000000")

        assert answer.status_code == HTTPStatus.BAD_REQUEST
        assert shown.passphrase in answer.text
        assert state() is StaffState.INVITED

    def test_cannot_be_given_another_passphrase(
        self, client: FlaskClient, shown: Shown, clock: MovableClock
    ) -> None:
        code = totp.code_now(shown.secret, clock.now())
        client.post(
            "/desk/join/authenticator", data={"token": shown.token, "code": code, "passphrase": "easy"}
        )

        person = db.session.scalars(sa.select(Staff)).one()
        place = Where("staff", "private_key", person.id)
        assert runtime().vault.staff_seals.open_seed(shown.passphrase, person.private_key or b"", place)

    def test_without_the_first_leads_back_to_it(self, client: FlaskClient) -> None:
        answer = client.post("/desk/join/authenticator", data={"code": "000000"})

        assert answer.location == "/desk/join"

    def test_is_closed_to_people_without_the_cookie(
        self, app: Flask, shown: Shown, clock: MovableClock
    ) -> None:
        answer = shown.prove(app.test_client(), clock.now())

        assert answer.location == "/desk/join"
        assert state() is StaffState.INVITED

    def test_keeps_the_words_sealed_under_the_cookie(self, shown: Shown) -> None:
        row = db.session.scalars(sa.select(Session)).one()

        assert shown.passphrase.encode() not in row.contents


class TestTheThirdStep:
    def join(self, client: FlaskClient, clock: MovableClock, *roles: Role) -> Shown:
        type_code(client, invite("bob", *roles))
        shown = Shown(client)
        assert shown.prove(client, clock.now()).status_code == HTTPStatus.SEE_OTHER
        return shown

    def test_shows_a_moderator_the_six_words_to_read_out(
        self, client: FlaskClient, clock: MovableClock
    ) -> None:
        self.join(client, clock, Role.MODERATOR)

        page = client.get("/desk/join").text

        person = db.session.scalars(sa.select(Staff)).one()
        assert person.state is StaffState.WAITING
        assert queries.public_key_of(person, vault=runtime().vault).words() in page

    @pytest.mark.parametrize("role", [Role.APPROVER, Role.RELEASER, Role.ADMINISTRATOR, Role.AUDITOR])
    def test_is_not_needed_where_no_key_is_needed(
        self, client: FlaskClient, clock: MovableClock, role: Role
    ) -> None:
        self.join(client, clock, role)

        assert state() is StaffState.ACTIVE

    def test_ends_in_signing_in_with_the_code_after_the_one_that_proved_the_authenticator(
        self, client: FlaskClient, clock: MovableClock
    ) -> None:
        shown = self.join(client, clock, Role.AUDITOR)

        assert shown.sign_in(client, "bob", clock.now()).status_code == HTTPStatus.BAD_REQUEST
        clock.forward(seconds=totp.STEP_SECONDS)
        assert shown.sign_in(client, "bob", clock.now()).status_code == HTTPStatus.SEE_OTHER


class TestInviting:
    @pytest.mark.parametrize("login", ["", " ", "x" * 65, "a\nb", "<b>"])
    def test_needs_a_name_that_can_be_typed(self, app: Flask, login: str) -> None:
        with pytest.raises(DomainError):
            invite(login)

    def test_needs_a_role_that_works_here(self, app: Flask) -> None:
        with pytest.raises(DomainError):
            invite("bob", Role.ORGANISATION_WORKER)

    def test_takes_each_name_once(self, app: Flask) -> None:
        invite("bob")

        with pytest.raises(Conflict):
            invite("BOB")

    def test_again_gives_a_new_key_that_opens_nothing_yet(self, team: Team) -> None:
        bob = team.hire("bob", Role.MODERATOR)

        enrolment.invite_again(vault=runtime().vault, person=team.person(bob), now=runtime().clock.now())
        db.session.commit()

        assert team.state(bob) is StaffState.INVITED
        assert bob.browser.get("/desk/account").status_code == HTTPStatus.SEE_OTHER
        bob.clock.forward(seconds=totp.STEP_SECONDS)
        assert bob.sign_in().status_code == HTTPStatus.BAD_REQUEST
