"""Somebody applies with another person's number: that person must not get into the applicant's membership."""

import pytest
import sqlalchemy as sa

from alerts.membership.models import Member
from tests.make.databases import count
from tests.make.members import EMAIL, PHONE, Members, Person
from ugly_mugs.database.columns import Model
from ugly_mugs.database.engine import db
from ugly_mugs.outbox.models import Address, AddressState, Delivery

STRANGE = "07700 900555"


@pytest.fixture
def kit(members: Members) -> Person:
    """A member who joined with an e-mail address of their own and with Sam's number, which they cannot prove."""
    kit = members.apply("Kit", PHONE, EMAIL, level="full")
    members.accept(kit)
    assert kit.sign_in(EMAIL).location == "/alerts"
    return kit


def owner_and_state(members: Members, typed: str) -> tuple[object, AddressState]:
    address = members.address(typed)
    db.session.refresh(address)
    owner_and_state = address.owner_id, address.state
    db.session.rollback()
    return owner_and_state


def become(members: Members, typed: str, state: AddressState) -> None:
    address = members.address(typed)
    address.state = state
    db.session.commit()


class TestWhoeverJoinsWithItLater:
    def test_gets_a_place_of_their_own(self, members: Members, kit: Person) -> None:
        kit_id, _ = owner_and_state(members, EMAIL)

        sam = members.apply("Sam", PHONE)

        assert sam.sign_in().location == "/alerts/waiting"
        owner, state = owner_and_state(members, PHONE)
        assert owner != kit_id and state is AddressState.PROVED
        assert owner_and_state(members, EMAIL) == (kit_id, AddressState.PROVED)

    @pytest.mark.parametrize("state", [AddressState.PROVED, AddressState.OPTED_OUT, AddressState.INVALID])
    def test_does_not_get_one_that_its_owner_may_have_proved(
        self, members: Members, kit: Person, state: AddressState
    ) -> None:
        kit_id, _ = owner_and_state(members, EMAIL)
        become(members, PHONE, state)

        members.apply("Sam", PHONE)

        assert owner_and_state(members, PHONE) == (kit_id, state)

    def test_leaves_as_many_rows_as_anybody_whose_address_is_known(
        self, members: Members, kit: Person
    ) -> None:
        models: tuple[type[Model], ...] = (Member, Address, Delivery)
        changes = []
        for typed in ({"phone": PHONE}, {"phone": None, "email": EMAIL}):
            before = [count(model) for model in models]
            members.apply("Sam", **typed)
            changes.append([count(model) - earlier for model, earlier in zip(models, before, strict=True)])

        assert changes == [[1, 0, 0]] * 2


class TestFromOutside:
    @pytest.mark.parametrize("state", [AddressState.UNPROVED, AddressState.INVALID])
    def test_no_code_comes_to_it_and_the_answers_are_those_to_a_strange_number(
        self, members: Members, kit: Person, state: AddressState
    ) -> None:
        become(members, PHONE, state)
        before = count(Delivery)
        answers = []
        for typed in (PHONE, STRANGE):
            person = members.person()
            answer = person.ask_for_code(typed)
            members.work()
            answers.append((answer.status_code, answer.location, answer.text))

        assert answers[0] == answers[1] and count(Delivery) == before
        assert owner_and_state(members, PHONE)[1] is state

    def test_a_code_asked_for_before_the_other_address_was_proved_signs_nobody_in(
        self, members: Members
    ) -> None:
        kit, sam = members.apply("Kit", PHONE, EMAIL), members.person()
        sam.ask_for_code(PHONE)
        members.work()
        code = members.last_code()
        kit.sign_in(EMAIL)

        assert sam.type_code(code).location == "/sign-in?why=over"

        assert owner_and_state(members, PHONE)[1] is AddressState.UNPROVED
        assert sam.browser.get("/alerts/waiting").location.startswith("/sign-in")

    def test_one_that_was_proved_too_is_a_way_in(self, kit: Person) -> None:
        kit.add_address(PHONE)
        kit.post("/alerts/sign-out")

        assert kit.sign_in(PHONE).location == "/alerts"


class TestFromInside:
    def test_its_owner_proves_it_with_the_code_that_comes_to_it(self, members: Members, kit: Person) -> None:
        assert kit.add_address(PHONE).location == "/alerts/preferences?saved=address"

        kit_id, _ = owner_and_state(members, EMAIL)
        assert owner_and_state(members, PHONE) == (kit_id, AddressState.PROVED)

    def test_two_who_claim_it_are_one_owner_and_one_row(self, members: Members, kit: Person) -> None:
        sam = members.apply("Sam", PHONE)
        sam.sign_in()

        kit.post("/alerts/addresses", {"address": PHONE})
        members.work()

        owners = db.session.scalars(sa.select(Address.owner_id)).all()
        assert len(owners) == len(set(owners)) == 2
