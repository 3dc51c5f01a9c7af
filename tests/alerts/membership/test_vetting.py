"""The page on which member admins decide; names are opened with their vetting key."""

import uuid

import pytest
import sqlalchemy as sa

from alerts.membership.models import Member, MemberState
from tests.make.cast import Colleague, Team
from tests.make.databases import count
from tests.make.members import EMAIL, Members
from ugly_mugs.accounts.models import Role
from ugly_mugs.audit.models import AuditEntry, AuditKind
from ugly_mugs.database.engine import db
from ugly_mugs.outbox.models import Address, Delivery


def entries() -> list[tuple[AuditKind, uuid.UUID | None, uuid.UUID | None]]:
    """The audit entries about members."""
    entries = [
        (entry.kind, entry.actor_id, entry.subject_id)
        for entry in db.session.scalars(sa.select(AuditEntry))
        if entry.kind.value.startswith("admin:member")
    ]
    db.session.rollback()
    return entries


def decide(charlie: Colleague, person_id: uuid.UUID, what: str) -> int:
    return charlie.post(f"/admin/members/{person_id}/{what}", {"show": "waiting"}).status_code


class TestTheList:
    def test_it_opens_the_names_of_those_who_wait(self, members: Members, charlie: Colleague) -> None:
        members.apply("Sam <of> the Moor", regions=["wales"], sectors=["street"])

        page = charlie.browser.get("/admin/members").text

        assert "Sam &lt;of&gt; the Moor" in page and "Wales" in page and "Street" in page
        assert "Waiting (1)" in page and "not proved yet" in page
        assert "900123" not in page

    def test_it_says_when_what_they_gave_was_somebodys_already(
        self, members: Members, charlie: Colleague
    ) -> None:
        members.apply("Sam")
        members.apply("Kit")

        assert "belongs to somebody who asked before" in charlie.browser.get("/admin/members").text

    def test_it_is_empty_before_anybody_asked(self, members: Members, charlie: Colleague) -> None:
        assert "Nobody is waiting" in charlie.browser.get("/admin/members").text

    def test_names_from_before_a_new_epoch_still_open(
        self, members: Members, team: Team, charlie: Colleague
    ) -> None:
        members.apply("Sam of the Moor")
        fay = team.hire("fay", Role.MEMBER_ADMIN)
        team.remove(fay)
        members.clock.forward(minutes=1)
        charlie.sign_in()
        members.apply("Kit", "07700 900124")

        page = charlie.browser.get("/admin/members").text

        assert "Sam of the Moor" in page and "Kit" in page
        assert len(set(db.session.scalars(sa.select(Member.epoch_id)))) == 2

    def test_a_name_moved_to_another_row_is_not_shown(self, members: Members, charlie: Colleague) -> None:
        members.apply("Sam", "07700 900123")
        members.apply("Kit", "07700 900124")
        first, second = db.session.scalars(sa.select(Member)).all()
        first.working_name = second.working_name
        db.session.commit()

        assert "your key does not open this name" in charlie.browser.get("/admin/members").text

    @pytest.mark.parametrize("query", ["show=nobody", "page=99999"])
    def test_there_is_nothing_else(self, members: Members, charlie: Colleague, query: str) -> None:
        assert charlie.browser.get(f"/admin/members?{query}").status_code == 404

    def test_pages_of_fifty_follow_each_other(self, members: Members, charlie: Colleague) -> None:
        for number in range(51):
            person = members.person(f"Person {number}", f"07700 9002{number:02}")
            person.browser.post("/join", data=members.form(person))

        first = charlie.browser.get("/admin/members").text
        second = charlie.browser.get("/admin/members?page=2").text

        assert first.count("Person ") >= 50 and "page=2" in first
        assert second.count("<section") == 1 and "page=1" in second and "page=3" not in second


class TestDeciding:
    def test_to_accept_is_recorded_with_who_did_it(self, members: Members, charlie: Colleague) -> None:
        sam = members.apply()
        member_id = sam.member.id

        assert decide(charlie, member_id, "accept") == 303

        assert sam.member.state is MemberState.VETTED
        assert entries() == [(AuditKind.MEMBER_VETTED, charlie.id, member_id)]

    def test_to_reject_sends_nothing(self, members: Members, charlie: Colleague) -> None:
        sam = members.apply()
        member_id = sam.member.id

        decide(charlie, member_id, "reject")

        assert sam.member.state is MemberState.REJECTED and count(Delivery) == 0
        assert entries() == [(AuditKind.MEMBER_REJECTED, charlie.id, member_id)]

    @pytest.mark.parametrize(
        ("first", "second"), [("accept", "reject"), ("reject", "accept"), ("accept", "accept")]
    )
    def test_the_second_decision_is_told_of_the_first(
        self, members: Members, charlie: Colleague, first: str, second: str
    ) -> None:
        sam = members.apply()
        member_id = sam.member.id
        decide(charlie, member_id, first)

        answer = charlie.post(f"/admin/members/{member_id}/{second}")

        assert answer.status_code == 409 and "decided about this request already" in answer.text
        assert len(entries()) == 1

    def test_members_are_paused_and_resumed(self, members: Members, charlie: Colleague) -> None:
        sam = members.join()
        member_id = sam.member.id

        decide(charlie, member_id, "pause")
        assert sam.member.state is MemberState.PAUSED
        assert "paused" in charlie.browser.get("/admin/members?show=members").text
        decide(charlie, member_id, "resume")

        assert sam.member.state is MemberState.ACTIVE
        kinds = [kind for kind, _actor, _subject in entries()]
        assert AuditKind.MEMBER_PAUSED in kinds and AuditKind.MEMBER_RESUMED in kinds

    def test_removing_asks_first_and_deletes_everything(self, members: Members, charlie: Colleague) -> None:
        sam = members.join("Sam of the Moor", email=EMAIL)
        member_id = sam.member.id
        assert "Sam of the Moor" in charlie.browser.get(f"/admin/members/{member_id}/remove").text

        decide(charlie, member_id, "remove")

        assert count(Address) == 0
        assert (AuditKind.MEMBER_REMOVED, charlie.id, member_id) in entries()
        assert sam.browser.get("/alerts/preferences").location.startswith("/sign-in")
        assert charlie.browser.get(f"/admin/members/{member_id}/remove").status_code == 404
        assert decide(charlie, member_id, "remove") == 409

    @pytest.mark.parametrize("what", ["accept", "reject", "pause", "resume", "remove"])
    def test_nobody_can_decide_about_nobody(self, members: Members, charlie: Colleague, what: str) -> None:
        assert decide(charlie, uuid.uuid4(), what) == 404

    def test_a_form_of_another_session_decides_nothing(self, members: Members, charlie: Colleague) -> None:
        sam = members.apply()
        member_id = sam.member.id

        answer = charlie.browser.post(f"/admin/members/{member_id}/accept", data={"csrf": "x"})

        assert answer.status_code == 400 and sam.member.state is MemberState.APPLIED


class TestWhoMay:
    @pytest.mark.parametrize(
        "role", [Role.MODERATOR, Role.CASEWORKER, Role.APPROVER, Role.ADMINISTRATOR, Role.AUDITOR]
    )
    def test_no_other_role(self, members: Members, team: Team, role: Role) -> None:
        fay = team.hire("fay", role)
        sam = members.apply()
        member_id = sam.member.id

        assert fay.browser.get("/admin/members").status_code == 403
        assert decide(fay, member_id, "accept") == 403
        assert sam.member.state is MemberState.APPLIED

    def test_no_stranger_and_no_member(self, members: Members) -> None:
        sam = members.join()

        assert sam.browser.get("/admin/members").location == "/desk/sign-in"
        assert members.person().browser.get("/admin/members").location == "/desk/sign-in"
