"""Admitting and inviting people through the pages of the desk."""

import re
from http import HTTPStatus

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from tests.make.cast import Colleague, Team
from tests.make.databases import count, set_row
from ugly_mugs.accounts.keys import recovery
from ugly_mugs.accounts.models import KeySeal, Role, Staff, StaffState
from ugly_mugs.accounts.people import admission, enrolment
from ugly_mugs.database.engine import db
from ugly_mugs.errors import NotAllowed
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import PrivateKey, words


def admit(by: Colleague, newcomer: Colleague, heard: str) -> TestResponse:
    return by.post(f"/desk/people/{newcomer.id}/admit", {f"{newcomer.id.hex}.words": heard})


class TestAdmittingAtTheDesk:
    @pytest.fixture
    def newcomer(self, team: Team, alice: Colleague) -> Colleague:
        return team.enrol("dave")

    def test_needs_the_six_words_as_they_were_heard(
        self, team: Team, alice: Colleague, newcomer: Colleague
    ) -> None:
        answer = admit(alice, newcomer, team.words(newcomer).upper().replace(" ", ", "))

        assert answer.status_code == HTTPStatus.SEE_OTHER
        assert team.state(newcomer) is StaffState.ACTIVE
        assert newcomer.sign_in().location == "/desk"

    def test_never_shows_the_words_to_whoever_types_them(
        self, team: Team, alice: Colleague, newcomer: Colleague
    ) -> None:
        page = alice.browser.get("/desk/people").text

        assert "dave" in page
        assert team.words(newcomer) not in page

    def test_is_refused_for_the_words_of_another_key(
        self, team: Team, alice: Colleague, newcomer: Colleague
    ) -> None:
        answer = admit(alice, newcomer, PrivateKey.generate().public().words())

        assert answer.status_code == HTTPStatus.BAD_REQUEST
        assert team.state(newcomer) is StaffState.WAITING

    def test_points_out_a_word_that_is_not_in_the_list(
        self, team: Team, alice: Colleague, newcomer: Colleague
    ) -> None:
        heard = team.words(newcomer).split()
        heard[2] = "xyzzyx"

        page = admit(alice, newcomer, " ".join(heard)).text

        assert "xyzzyx" in page
        assert team.state(newcomer) is StaffState.WAITING

    def test_counts_the_words(self, team: Team, alice: Colleague, newcomer: Colleague) -> None:
        page = admit(alice, newcomer, " ".join(team.words(newcomer).split()[:5])).text

        assert "5 words" in page

    def test_of_a_swapped_key_is_refused_and_said(self, alice: Colleague, newcomer: Colleague) -> None:
        attacker = PrivateKey.generate().public()
        set_row(Staff, newcomer.id, public_key=attacker.raw)

        page = alice.browser.get("/desk/people").text
        answer = admit(alice, newcomer, attacker.words())

        assert "not written by this service" in page
        assert answer.status_code == HTTPStatus.FORBIDDEN
        assert not db.session.scalar(sa.select(sa.exists().where(KeySeal.holder_id == newcomer.id)))

    def test_twice_changes_nothing_more(self, team: Team, alice: Colleague, newcomer: Colleague) -> None:
        heard = team.words(newcomer)
        admit(alice, newcomer, heard)

        assert admit(alice, newcomer, heard).status_code == HTTPStatus.CONFLICT

    def test_is_not_for_charlie_or_people_with_another_task(self, team: Team, newcomer: Colleague) -> None:
        dora = team.hire("dora")

        assert admit(dora, newcomer, team.words(newcomer)).status_code == HTTPStatus.FORBIDDEN
        assert team.app.test_client().get("/desk/people").status_code == HTTPStatus.SEE_OTHER

    def test_of_somebody_with_two_tasks_takes_a_holder_of_each(self, team: Team, alice: Colleague) -> None:
        charlie = team.hire("charlie")
        both = team.enrol("sam", Role.CASEWORKER, Role.MEMBER_ADMIN)

        half = admit(alice, both, team.words(both))
        after_half = team.state(both)
        admit(charlie, both, team.words(both))

        assert half.location == "/desk/people?admitted=partly"
        assert after_half is StaffState.WAITING
        assert team.state(both) is StaffState.ACTIVE

    def test_keeps_what_was_typed_for_one_of_several_newcomers(
        self, team: Team, alice: Colleague, newcomer: Colleague
    ) -> None:
        team.enrol("second", Role.MODERATOR)

        page = admit(alice, newcomer, "these are wrong").text

        assert page.count("these are wrong") == 1


class TestASecondPerson:
    """Once there are two moderators, nobody can invite and admit an approver alone."""

    def test_is_not_needed_before_two_moderators_are_there(self, team: Team, alice: Colleague) -> None:
        assert team.state(team.enrol("ana", Role.APPROVER)) is StaffState.ACTIVE

    @pytest.mark.parametrize("role", [Role.APPROVER, Role.RELEASER])
    def test_must_admit_whoever_may_approve_or_release(
        self, team: Team, alice: Colleague, dave: Colleague, role: Role
    ) -> None:
        ana = team.enrol("ana", role, invited_by=alice.id)

        by_the_inviter = admit(alice, ana, team.words(ana))
        state_then = team.state(ana)
        by_another = admit(dave, ana, team.words(ana))

        assert by_the_inviter.status_code == HTTPStatus.FORBIDDEN
        assert state_then is StaffState.WAITING
        assert by_another.status_code == HTTPStatus.SEE_OTHER
        assert team.state(ana) is StaffState.ACTIVE

    def test_must_admit_a_moderator_who_may_also_approve(
        self, team: Team, alice: Colleague, dave: Colleague
    ) -> None:
        ana = team.enrol("ana", Role.MODERATOR, Role.APPROVER, invited_by=alice.id)

        assert admit(alice, ana, team.words(ana)).status_code == HTTPStatus.FORBIDDEN
        assert admit(dave, ana, team.words(ana)).status_code == HTTPStatus.SEE_OTHER

    @pytest.mark.parametrize("role", [Role.CASEWORKER, Role.MODERATOR])
    def test_must_admit_whoever_needs_a_key(
        self, team: Team, alice: Colleague, dave: Colleague, role: Role
    ) -> None:
        dana = team.enrol("dana", role, invited_by=alice.id)

        page = alice.browser.get("/desk/people").text

        assert "who did not invite them" in page
        assert admit(alice, dana, team.words(dana)).status_code == HTTPStatus.FORBIDDEN
        assert admit(dave, dana, team.words(dana)).status_code == HTTPStatus.SEE_OTHER

    def test_is_not_needed_while_there_is_one_moderator(self, team: Team, alice: Colleague) -> None:
        dana = team.enrol("dana", Role.CASEWORKER, invited_by=alice.id)

        assert admit(alice, dana, team.words(dana)).status_code == HTTPStatus.SEE_OTHER

    def test_cannot_be_made_up_by_a_member_admin_who_invites(
        self, team: Team, alice: Colleague, dave: Colleague
    ) -> None:
        fay = team.hire("fay", Role.MEMBER_ADMIN, Role.ADMINISTRATOR)
        puppet = team.enrol("quinn", Role.MEMBER_ADMIN, invited_by=fay.id)

        assert admit(fay, puppet, team.words(puppet)).status_code == HTTPStatus.FORBIDDEN
        assert team.state(puppet) is StaffState.WAITING

    def test_cannot_be_made_up_through_an_administrator_whom_nobody_admits(
        self, team: Team, alice: Colleague, dave: Colleague
    ) -> None:
        fay = team.hire("fay", Role.MEMBER_ADMIN, Role.ADMINISTRATOR)
        between = team.enrol("quinn", Role.ADMINISTRATOR, invited_by=fay.id)
        puppet = team.enrol("pat", Role.MEMBER_ADMIN, invited_by=between.id)

        assert team.state(between) is StaffState.ACTIVE
        assert admit(fay, puppet, team.words(puppet)).status_code == HTTPStatus.FORBIDDEN
        assert team.state(puppet) is StaffState.WAITING

    def test_is_a_moderator_wherever_the_newcomer_may_approve(
        self, team: Team, alice: Colleague, dave: Colleague
    ) -> None:
        charlie = team.hire("charlie")
        pat = team.enrol("pat", Role.APPROVER, Role.MEMBER_ADMIN)

        by_the_member_admin = admit(charlie, pat, team.words(pat))
        state_then = team.state(pat)
        again = admit(charlie, pat, team.words(pat))
        by_a_moderator = admit(alice, pat, team.words(pat))

        assert by_the_member_admin.location == "/desk/people?admitted=partly"
        assert state_then is StaffState.WAITING
        assert again.status_code == HTTPStatus.FORBIDDEN
        assert by_a_moderator.location == "/desk/people?admitted=yes"
        assert team.state(pat) is StaffState.ACTIVE

    def test_cannot_be_replaced_by_the_recovery_words(
        self, team: Team, alice: Colleague, dave: Colleague
    ) -> None:
        ana = team.enrol("ana", Role.MODERATOR, Role.APPROVER)
        recovered = recovery.recover(team.installation.recovery_words, vault=runtime().vault)

        with pytest.raises(NotAllowed):
            admission.admit_with_recovery(
                vault=runtime().vault,
                person=team.person(ana),
                recovered=recovered,
                now=runtime().clock.now(),
            )

    def test_is_needed_again_for_an_approver_who_comes_back_with_a_new_key(
        self, team: Team, alice: Colleague, dave: Colleague
    ) -> None:
        bob = team.hire("bob")
        person = team.person(bob)
        enrolment.invite_again(vault=runtime().vault, person=person, now=runtime().clock.now())

        assert admission.needs_second_person(person)


class TestInvitingOnThePage:
    def invite(self, ada: Colleague, login: str = "dora", *roles: Role) -> TestResponse:
        chosen = [role.value for role in roles or (Role.CASEWORKER,)]
        return ada.post("/admin/invite", {"login": login, "roles": chosen})

    def test_shows_the_code_until_it_was_passed_on(self, ada: Colleague) -> None:
        answer = self.invite(ada)
        code = r"[0-9A-Z]{4}(-[0-9A-Z]{4}){3}"

        first = ada.browser.get("/admin").text
        ada.post("/admin/invited")
        then = ada.browser.get("/admin").text

        assert answer.location == "/admin"
        assert re.search(code, first)
        assert not re.search(code, then)

    def test_says_who_invited(self, ada: Colleague) -> None:
        self.invite(ada)

        assert (
            db.session.scalars(sa.select(Staff).where(Staff.state == StaffState.INVITED)).one().invited_by
            == ada.id
        )

    def test_keeps_what_was_typed_when_the_name_is_taken(self, ada: Colleague) -> None:
        answer = self.invite(ada, "ada")

        assert answer.status_code == HTTPStatus.BAD_REQUEST
        assert 'value="ada"' in answer.text

    def test_asks_for_a_task(self, ada: Colleague) -> None:
        answer = ada.post("/admin/invite", {"login": "dora"})

        assert answer.status_code == HTTPStatus.BAD_REQUEST
        assert count(Staff) == 1

    @pytest.mark.parametrize("apart", [Role.ADMINISTRATOR, Role.AUDITOR])
    @pytest.mark.parametrize("reads", [Role.MODERATOR, Role.CASEWORKER])
    def test_never_gives_the_desk_key_to_an_administrator_or_auditor(
        self, ada: Colleague, apart: Role, reads: Role
    ) -> None:
        answer = self.invite(ada, "dora", apart, reads)

        assert answer.status_code == HTTPStatus.BAD_REQUEST
        assert "Please invite two people" in answer.text
        assert count(Staff) == 1

    def test_lists_who_works_here(self, ada: Colleague) -> None:
        self.invite(ada)

        page = ada.browser.get("/admin").text

        assert "dora" in page
        assert "invited" in page

    def test_is_not_for_a_member_admin_who_finds_the_members_there(self, team: Team) -> None:
        charlie = team.hire("charlie")

        page = charlie.browser.get("/admin").text

        assert "/admin/members" in page
        assert "/admin/invite" not in page
        assert self.invite(charlie).status_code == HTTPStatus.FORBIDDEN


def test_a_fingerprint_is_six_words(team: Team, alice: Colleague) -> None:
    assert len(words.read(team.words(alice), 6)) == admission.FINGERPRINT_WORDS
