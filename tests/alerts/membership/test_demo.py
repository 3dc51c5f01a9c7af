"""The invented members of a try-out have the same rows as members who joined through the pages."""

from uuid import UUID

import sqlalchemy as sa

from alerts.membership import demo
from alerts.membership.models import Member, MemberState
from tests.make.cast import Team
from tests.make.clock import MovableClock
from ugly_mugs.accounts.guard import SignedInStaff
from ugly_mugs.accounts.models import Role
from ugly_mugs.database.engine import db
from ugly_mugs.operations.demo import Scene
from ugly_mugs.outbox.models import Address, AddressState
from ugly_mugs.runtime import runtime


def test_every_address_is_proved_and_all_but_two_are_accepted(team: Team, clock: MovableClock) -> None:
    carol = SignedInStaff(UUID(int=7), "carol", frozenset({Role.MEMBER_ADMIN}), bytes(32))
    scene = Scene(vault=runtime().vault, now=clock.now(), staff={"carol": carol})

    demo.invent_members(scene)
    db.session.commit()

    members = db.session.scalars(sa.select(Member.state)).all()
    assert sorted(members) == [
        *[MemberState.ACTIVE] * len(demo.MEMBERS),
        *[MemberState.APPLIED] * len(demo.WAITING),
    ]
    given = sum(bool(phone) + bool(email) for _name, phone, email, *_rest in (*demo.MEMBERS, *demo.WAITING))
    assert list(db.session.scalars(sa.select(Address.state))) == [AddressState.PROVED] * given
