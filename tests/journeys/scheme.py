"""A scheme at work: its moderators, its member admin and its members, each hired or joined through the pages."""

from dataclasses import dataclass

from tests.journeys.browser import Windows
from tests.journeys.people import FULL, Member, MemberAdmin, Moderator, Reporter
from tests.make.processes.stack import Stack

HERE, ELSEWHERE = "Yorkshire and The Humber", "London"


@dataclass
class Scheme:
    """One installation, with a window for everybody who appears."""

    stack: Stack
    windows: Windows

    def first_moderator(self, login: str) -> Moderator:
        """Nobody is there yet to admit them, so the words on paper do."""
        moderator = Moderator(self.stack, self.windows.open(), login)
        moderator.enrols("moderator")
        said = self.stack.admit(login)
        assert moderator.six_words in said
        moderator.signs_in()
        moderator.is_at("/desk")
        return moderator

    def approver(self, login: str, *, admitted_by: Moderator) -> Moderator:
        """Admitted by a colleague who heard the six words."""
        approver = Moderator(self.stack, self.windows.open(), login)
        approver.enrols("moderator", "approver")
        admitted_by.admits(approver)
        approver.signs_in()
        approver.is_at("/desk")
        return approver

    def member_admin(self, login: str) -> MemberAdmin:
        admin = MemberAdmin(self.stack, self.windows.open(), login)
        admin.enrols("member_admin")
        self.stack.admit(login)
        admin.signs_in()
        return admin

    def reporter(self) -> Reporter:
        return Reporter(self.stack, self.windows.open())

    def person(self, working_name: str, phone: str, email: str = "") -> Member:
        """Somebody who has not joined yet."""
        return Member(self.stack, self.windows.open(), working_name, phone, email)

    def member(
        self, working_name: str, phone: str, *, vetted_by: MemberAdmin, region: str, texts: bool = True
    ) -> Member:
        """Somebody who joined for texts, signed in with a code and was accepted."""
        member = self.person(working_name, phone)
        member.joins(region=region, level=FULL, texts=texts)
        member.signs_in(phone)
        vetted_by.accepts(working_name)
        return member
