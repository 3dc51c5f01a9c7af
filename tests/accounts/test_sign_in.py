"""Signing in at the desk: name, passphrase and code; the same answer for every mistake; nobody locked out."""

import re
from functools import partial
from http import HTTPStatus
from typing import Any

import pytest
import sqlalchemy as sa

from tests.make.cast import Colleague, Team
from tests.make.clock import MovableClock
from tests.make.databases import count
from tests.make.pages import hidden
from tests.make.threads import at_once
from ugly_mugs.accounts.models import Role, Session
from ugly_mugs.audit.models import AuditEntry, AuditKind
from ugly_mugs.database.engine import db
from ugly_mugs.vault import totp
from ugly_mugs.vault.keys import passphrases


@pytest.fixture
def erin(team: Team) -> Colleague:
    """She has not signed in yet."""
    return team.hire("erin", signed_in=False)


class TestSigningIn:
    def test_opens_the_desk(self, team: Team) -> None:
        alice = team.hire("alice", signed_in=False)

        answer = alice.sign_in()

        assert answer.status_code == HTTPStatus.SEE_OTHER
        assert answer.location == "/desk"
        assert "alice" in alice.browser.get("/desk/account").text

    @pytest.mark.parametrize(
        ("role", "page"),
        [
            (Role.CASEWORKER, "/desk"),
            (Role.APPROVER, "/desk/alerts"),
            (Role.MEMBER_ADMIN, "/admin"),
            (Role.ADMINISTRATOR, "/admin"),
            (Role.AUDITOR, "/desk/account"),
        ],
    )
    def test_leads_to_the_first_page_of_the_role(self, team: Team, role: Role, page: str) -> None:
        assert team.hire("fay", role, signed_in=False).sign_in().location == page

    @pytest.mark.parametrize("login", ["ERIN", "  erin ", "Erin"])
    def test_ignores_how_the_name_is_written(self, erin: Colleague, login: str) -> None:
        assert erin.sign_in(login=login).status_code == HTTPStatus.SEE_OTHER

    def test_ignores_how_the_passphrase_is_laid_out(self, erin: Colleague) -> None:
        written = erin.passphrase.upper().replace(" ", "-")

        assert erin.sign_in(passphrase=written).status_code == HTTPStatus.SEE_OTHER

    def test_is_recorded(self, erin: Colleague) -> None:
        erin.sign_in()

        kinds = [entry.kind for entry in db.session.scalars(sa.select(AuditEntry))]
        assert AuditKind.STAFF_SIGNED_IN in kinds

    def test_out_ends_the_session(self, erin: Colleague) -> None:
        erin.sign_in()

        answer = erin.post("/desk/sign-out")

        assert answer.location == "/desk/sign-in"
        assert count(Session) == 0
        assert erin.browser.get("/desk/account").status_code == HTTPStatus.SEE_OTHER

    def test_of_somebody_not_admitted_shows_their_six_words_and_opens_nothing(self, team: Team) -> None:
        newcomer = team.enrol("newcomer", Role.MODERATOR)

        answer = newcomer.sign_in()
        page = newcomer.browser.get("/desk/join").text

        assert answer.location == "/desk/join"
        assert team.words(newcomer) in page
        assert newcomer.browser.get("/desk/account").status_code == HTTPStatus.SEE_OTHER


class TestARefusal:
    WRONG: tuple[dict[str, str], ...] = (
        {"login": "nobody"},
        {"passphrase": "six words that nobody ever drew"},
        {"code": "000000"},
        {"login": "nobody", "passphrase": "x", "code": "1"},
    )

    @staticmethod
    def drawn(page: str) -> str:
        """The page without its parts that differ each time: the token, and the name as typed."""
        return re.sub(r'(name="(token|login)") value="[^"]*"', r"\1", page)

    def test_reads_the_same_whatever_was_wrong(self, erin: Colleague) -> None:
        answers = [erin.sign_in(None, **wrong) for wrong in self.WRONG]

        assert {answer.status_code for answer in answers} == {HTTPStatus.BAD_REQUEST}
        assert len({self.drawn(answer.text) for answer in answers}) == 1
        assert count(Session) == 0

    def test_costs_one_derivation_whatever_was_wrong(
        self, erin: Colleague, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        derived: list[int] = []
        the_real_one = vars(passphrases)["Argon2id"]

        def counted(**options: Any) -> object:
            derived.append(1)
            return the_real_one(**options)

        monkeypatch.setattr(passphrases, "Argon2id", counted)

        counts = []
        for wrong in self.WRONG:
            derived.clear()
            erin.sign_in(None, **wrong)
            counts.append(len(derived))

        assert counts == [1] * len(self.WRONG)

    def test_keeps_the_name_and_never_draws_the_passphrase(self, erin: Colleague) -> None:
        page = erin.sign_in(passphrase="canary words").text

        assert 'value="erin"' in page
        assert "canary" not in page

    def test_of_a_form_without_a_token_of_ours_can_be_sent_again(self, erin: Colleague) -> None:
        typed = {"login": "erin", "passphrase": erin.passphrase, "code": erin.code}

        refused = erin.browser.post("/desk/sign-in", data={"token": "forged", **typed})
        answer = erin.browser.post("/desk/sign-in", data={"token": hidden(refused, "token"), **typed})

        assert refused.status_code == HTTPStatus.BAD_REQUEST
        assert answer.status_code == HTTPStatus.SEE_OTHER

    def test_of_a_page_from_yesterday_can_be_sent_again(self, erin: Colleague, clock: MovableClock) -> None:
        old = hidden(erin.browser.get("/desk/sign-in"), "token")
        clock.forward(hours=25)
        typed = {"login": "erin", "passphrase": erin.passphrase, "code": erin.code}

        refused = erin.browser.post("/desk/sign-in", data={"token": old, **typed})

        assert refused.status_code == HTTPStatus.BAD_REQUEST
        assert hidden(refused, "token") != old


class TestACode:
    def test_works_once(self, erin: Colleague, team: Team) -> None:
        first, second = erin.sign_in(), erin.sign_in(team.app.test_client())

        assert first.status_code == HTTPStatus.SEE_OTHER
        assert second.status_code == HTTPStatus.BAD_REQUEST

    def test_is_not_used_up_by_a_wrong_passphrase(self, erin: Colleague) -> None:
        erin.sign_in(passphrase="wrong")

        assert erin.sign_in().status_code == HTTPStatus.SEE_OTHER

    def test_before_the_last_one_is_refused(self, erin: Colleague, clock: MovableClock) -> None:
        earlier = erin.code
        clock.forward(seconds=totp.STEP_SECONDS)
        erin.sign_in()

        assert erin.sign_in(code=earlier).status_code == HTTPStatus.BAD_REQUEST

    def test_that_comes_next_works(self, erin: Colleague, clock: MovableClock) -> None:
        erin.sign_in()
        clock.forward(seconds=totp.STEP_SECONDS)

        assert erin.sign_in().status_code == HTTPStatus.SEE_OTHER


class TestBudgets:
    def use_up(self, erin: Colleague, team: Team) -> None:
        stranger = team.app.test_client()
        for _ in range(10):
            assert erin.sign_in(stranger, passphrase="a guess").status_code == HTTPStatus.BAD_REQUEST

    def test_end_in_please_wait_with_the_name_still_there(self, erin: Colleague, team: Team) -> None:
        self.use_up(erin, team)

        answer = erin.sign_in(team.app.test_client())

        assert answer.status_code == HTTPStatus.TOO_MANY_REQUESTS
        assert 'value="erin"' in answer.text

    def test_count_for_names_nobody_has_just_the_same(self, team: Team, erin: Colleague) -> None:
        stranger = team.app.test_client()

        answers = [erin.sign_in(stranger, login="nobody").status_code for _ in range(11)]

        assert answers == [HTTPStatus.BAD_REQUEST] * 10 + [HTTPStatus.TOO_MANY_REQUESTS]

    def test_grow_back(self, erin: Colleague, team: Team, clock: MovableClock) -> None:
        self.use_up(erin, team)
        clock.forward(minutes=1)

        assert erin.sign_in().status_code == HTTPStatus.SEE_OTHER

    def test_of_one_person_leave_others_alone(self, erin: Colleague, team: Team) -> None:
        fay = team.hire("fay", Role.AUDITOR, signed_in=False)

        self.use_up(erin, team)

        assert fay.sign_in().status_code == HTTPStatus.SEE_OTHER

    def test_of_a_device_that_signed_in_before_are_its_own(
        self, erin: Colleague, team: Team, clock: MovableClock
    ) -> None:
        erin.sign_in()
        clock.forward(minutes=20)

        self.use_up(erin, team)

        assert erin.sign_in().status_code == HTTPStatus.SEE_OTHER

    def test_of_a_known_device_are_for_the_person_it_knows(
        self, erin: Colleague, team: Team, clock: MovableClock
    ) -> None:
        fay = team.hire("fay", Role.AUDITOR)
        clock.forward(minutes=20)
        self.use_up(erin, team)

        assert erin.sign_in(fay.browser).status_code == HTTPStatus.TOO_MANY_REQUESTS

    def test_end_for_a_known_device_too(self, erin: Colleague, clock: MovableClock) -> None:
        erin.sign_in()
        clock.forward(minutes=20)

        answers = [erin.sign_in(passphrase="a guess").status_code for _ in range(11)]

        assert answers[-1] == HTTPStatus.TOO_MANY_REQUESTS

    def test_one_browser_is_known_to_everybody_who_shares_it(
        self, erin: Colleague, team: Team, clock: MovableClock
    ) -> None:
        fay = team.hire("fay", Role.AUDITOR)
        erin.sign_in(fay.browser)
        clock.forward(minutes=20)
        self.use_up(erin, team)
        self.use_up(fay, team)

        assert erin.sign_in(fay.browser).status_code == HTTPStatus.SEE_OTHER
        assert fay.sign_in().status_code == HTTPStatus.SEE_OTHER


class TestTwoAtOnce:
    def test_two_with_one_code_end_with_one_session(self, erin: Colleague, team: Team) -> None:
        browsers = [team.app.test_client(), team.app.test_client()]

        answers = at_once([partial(erin.sign_in, browser) for browser in browsers])

        assert sorted(answer.status_code for answer in answers) == [
            HTTPStatus.SEE_OTHER,
            HTTPStatus.BAD_REQUEST,
        ]
        assert count(Session) == 1
