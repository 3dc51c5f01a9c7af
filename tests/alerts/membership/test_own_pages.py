"""A member's own pages: settings, addresses, a pause, and ending the membership."""

import pytest
import sqlalchemy as sa

from alerts.membership.jobs import sweep_codes
from alerts.membership.models import (
    ConsentEvent,
    Level,
    Member,
    MemberConsent,
    MemberRegion,
    MemberSector,
    MemberState,
    Sector,
    SignInCode,
    Subscription,
)
from tests.make.databases import count
from tests.make.members import EMAIL, PHONE, Members, Person
from ugly_mugs.accounts.models import Session
from ugly_mugs.database.engine import db
from ugly_mugs.outbox.models import Address, AddressState, Channel, Delivery, DeliveryState

OTHER = "07700 900124"


def addresses(person: Person) -> dict[Channel, AddressState]:
    member_id = person.member.id
    rows = db.session.scalars(sa.select(Address).where(Address.owner_id == member_id)).all()
    states = {row.channel: row.state for row in rows}
    db.session.rollback()
    return states


class TestSettings:
    def test_they_are_drawn_as_they_stand(self, members: Members) -> None:
        sam = members.join(regions=["wales", "jersey"], sectors=["street"], level="full", wake="no")

        page = sam.browser.get("/alerts/preferences").text

        for name, value in (
            ("regions", "wales"),
            ("regions", "jersey"),
            ("sectors", "street"),
            ("level", "full"),
            ("wake", "no"),
            ("sms", "yes"),
        ):
            assert f'name="{name}" value="{value}" checked' in page
        assert 'name="mail"' not in page and "You have given no e-mail address." in page

    @pytest.mark.parametrize(
        ("path", "times"), [("/alerts", 1), ("/alerts/preferences", 0), ("/alerts/end", 0)]
    )
    def test_only_the_notices_are_marked_as_the_notices(
        self, members: Members, path: str, times: int
    ) -> None:
        page = members.join().browser.get(path).text

        assert page.count('href="/alerts" aria-current="page"') == times
        assert page.count('href="/alerts"') == 1

    def test_they_are_kept_as_changed(self, members: Members) -> None:
        sam = members.join(regions=["wales", "jersey"], sectors=["street"])
        wishes = {
            "regions": ["jersey", "london"],
            "sectors": ["agency"],
            "level": "full",
            "wake": "no",
            "sms": "yes",
        }

        answer = sam.post("/alerts/preferences", wishes)

        assert answer.location == "/alerts/preferences?saved=yes"
        member = sam.member
        assert {row.region for row in member.regions} == {"jersey", "london"}
        assert [row.sector for row in member.sectors] == [Sector.AGENCY]
        assert member.level is Level.FULL and not member.wake_for_danger
        assert count(MemberRegion) == 2 and count(MemberSector) == 1

    def test_saving_the_same_again_adds_no_record(self, members: Members) -> None:
        sam = members.join()
        for _ in range(2):
            sam.post("/alerts/preferences", {"regions": "wales", "level": "full", "wake": "no", "sms": "yes"})

        assert count(MemberConsent) == 1

    def test_what_is_missing_is_said_and_nothing_typed_is_lost(self, members: Members) -> None:
        sam = members.join()

        answer = sam.post("/alerts/preferences", {"level": "full", "wake": "no", "sectors": "bdsm"})

        assert answer.status_code == 400 and "Please choose at least one." in answer.text
        assert 'value="bdsm" checked' in answer.text
        assert sam.member.level is Level.NEUTRAL

    def test_a_tick_for_an_address_nobody_gave_is_refused(self, members: Members) -> None:
        sam = members.join()

        answer = sam.post(
            "/alerts/preferences", {"regions": "wales", "level": "full", "wake": "no", "mail": "yes"}
        )

        assert answer.status_code == 400 and "Please add an address for this first." in answer.text
        assert count(MemberConsent) == 1

    def test_a_form_of_another_session_changes_nothing(self, members: Members) -> None:
        sam = members.join()

        answer = sam.browser.post(
            "/alerts/preferences", data={"regions": "wales", "level": "full", "wake": "no", "csrf": "x"}
        )

        assert answer.status_code == 400 and sam.member.level is Level.NEUTRAL

    @pytest.mark.parametrize(
        "path",
        [
            "/alerts/preferences",
            "/alerts/addresses",
            "/alerts/addresses/code",
            "/alerts/end",
            "/alerts/waiting",
        ],
    )
    def test_strangers_are_led_to_the_door(self, members: Members, path: str) -> None:
        assert members.person().browser.get(path).location == "/sign-in"


class TestAPause:
    def test_it_begins_and_ends_when_the_member_says(self, members: Members) -> None:
        sam = members.join()

        sam.post("/alerts/pause")
        assert sam.member.state is MemberState.PAUSED
        assert "Your warnings are paused" in sam.browser.get("/alerts/preferences").text
        sam.post("/alerts/resume")

        assert sam.member.state is MemberState.ACTIVE

    def test_twice_is_told_and_harmless(self, members: Members) -> None:
        sam = members.join()
        sam.post("/alerts/pause")

        assert sam.post("/alerts/pause").status_code == 409
        assert sam.member.state is MemberState.PAUSED


class TestAddresses:
    def test_a_second_one_is_proved_from_inside(self, members: Members) -> None:
        sam = members.join()

        answer = sam.add_address(EMAIL)

        assert answer.location == "/alerts/preferences?saved=address"
        assert addresses(sam) == dict.fromkeys(Channel, AddressState.PROVED)
        assert 'name="mail"' in sam.browser.get("/alerts/preferences").text
        assert count(MemberConsent) == 1

    def test_one_given_when_joining_is_proved_the_same_way(self, members: Members) -> None:
        sam = members.join(phone=PHONE, email=EMAIL)
        assert addresses(sam)[Channel.EMAIL] is AddressState.UNPROVED

        sam.add_address(EMAIL)

        assert addresses(sam)[Channel.EMAIL] is AddressState.PROVED

    def test_a_new_number_takes_the_place_of_the_old_one_only_when_proved(self, members: Members) -> None:
        sam = members.join()
        sam.post("/alerts/addresses", {"address": OTHER})
        members.work()
        assert members.find(PHONE) is not None
        member_id = sam.member.id

        sam.post("/alerts/addresses/code", {"code": members.last_code()})

        new = members.find(OTHER)
        assert members.find(PHONE) is None and new is not None and new.owner_id == member_id

    def test_the_code_goes_to_the_new_one_and_to_no_other(self, members: Members) -> None:
        sam = members.join()

        sam.post("/alerts/addresses", {"address": OTHER})
        members.work()

        assert members.waiting_codes()[-1][0] == "+447700900124"

    def test_one_that_another_member_proved_gets_no_code_and_the_page_is_the_same(
        self, members: Members
    ) -> None:
        kit = members.join("Kit", OTHER)
        sam = members.join("Sam", PHONE)
        sent = len(members.waiting_codes())

        taken = sam.post("/alerts/addresses", {"address": OTHER})
        members.work()
        assert len(members.waiting_codes()) == sent
        free = sam.post("/alerts/addresses", {"address": "07700 900125"})

        assert (taken.status_code, taken.location) == (free.status_code, free.location)
        owner = members.address(OTHER)
        assert owner.owner_id == kit.member.id

    def test_one_that_somebody_only_claims_goes_to_whoever_proves_it(self, members: Members) -> None:
        squatter = members.apply("Kit", OTHER)
        squatter_id = squatter.member.id
        sam = members.join("Sam", None, EMAIL)
        member_id = sam.member.id

        answer = sam.add_address(OTHER)

        assert answer.location == "/alerts/preferences?saved=address"
        owner = members.address(OTHER)
        assert owner.owner_id == member_id != squatter_id

    def test_whoever_proves_it_first_keeps_it(self, members: Members) -> None:
        kit = members.apply("Kit", OTHER)
        sam = members.join("Sam", None, EMAIL)
        sam.post("/alerts/addresses", {"address": OTHER})
        members.work()
        for_sam = members.last_code()
        kit_id = kit.member.id
        kit.sign_in()

        answer = sam.post("/alerts/addresses/code", {"code": for_sam})

        assert answer.location == "/alerts/addresses?why=over"
        owner = members.address(OTHER)
        assert owner.owner_id == kit_id

    def test_a_code_for_signing_in_proves_no_new_address(self, members: Members) -> None:
        sam = members.join()
        sam.post("/alerts/addresses", {"address": OTHER})
        members.work()
        for_new = members.last_code()
        stranger = members.person()
        stranger.ask_for_code(OTHER)

        assert stranger.type_code(for_new).status_code == 400
        assert count(Session) == 2

    def test_a_second_try_takes_the_place_of_the_first(self, members: Members) -> None:
        sam = members.join()
        sam.post("/alerts/addresses", {"address": "sam@example.org"})
        members.work()
        sam.post("/alerts/addresses", {"address": "sam.two@example.org"})
        members.work()

        sam.post("/alerts/addresses/code", {"code": members.last_code()})

        assert members.find("sam@example.org") is None and members.find("sam.two@example.org") is not None
        assert count(Address) == 2

    def test_what_was_never_proved_is_forgotten(self, members: Members) -> None:
        sam = members.join()
        sam.post("/alerts/addresses", {"address": EMAIL})
        members.work()
        members.clock.forward(minutes=10)

        sweep_codes(members.clock.now())
        db.session.commit()

        assert count(Address) == 1 and count(SignInCode) == 0

    def test_five_wrong_codes_end_it(self, members: Members) -> None:
        sam = members.join()
        sam.post("/alerts/addresses", {"address": EMAIL})
        members.work()
        wrong = f"{(int(members.last_code()) + 1) % 10**6:06d}"

        answers = [sam.post("/alerts/addresses/code", {"code": wrong}) for _ in range(5)]

        assert [answer.status_code for answer in answers] == [400] * 4 + [303]
        assert answers[4].location == "/alerts/addresses?why=over"
        assert addresses(sam) == {Channel.SMS: AddressState.PROVED}

    @pytest.mark.parametrize("typed", ["", "nobody", "0113 496 0123"])
    def test_what_is_no_address_is_said(self, members: Members, typed: str) -> None:
        sam = members.join()

        answer = sam.post("/alerts/addresses", {"address": typed})

        assert answer.status_code == 400 and count(SignInCode) == 0

    def test_a_number_that_texts_no_longer_reach_can_be_proved_again(self, members: Members) -> None:
        sam = members.join()
        address = members.address(PHONE)
        address.state = AddressState.INVALID
        db.session.commit()
        assert "Texts do not arrive at this number" in sam.browser.get("/alerts/preferences").text

        sam.add_address(PHONE)

        assert addresses(sam) == {Channel.SMS: AddressState.PROVED}


class TestTheEnd:
    def test_everything_goes_but_the_records_of_consent(self, members: Members) -> None:
        sam = members.join(phone=PHONE, email=EMAIL, sectors=["street"])
        member_id = sam.member.id
        sam.post("/alerts/addresses", {"address": "sam.two@example.org"})
        members.work()

        answer = sam.post("/alerts/end")
        members.work()

        assert answer.location == "/sign-in/ended"
        for model in (Address, Subscription, MemberRegion, MemberSector, Session, SignInCode):
            assert count(model) == 0, model
        member = db.session.get(Member, member_id)
        assert member is not None and member.state is MemberState.REMOVED and member.working_name is None
        events = [record.event for record in db.session.scalars(sa.select(MemberConsent))]
        assert sorted(events) == [ConsentEvent.GIVEN] * 2 + [ConsentEvent.WITHDRAWN] * 2
        assert set(db.session.scalars(sa.select(Delivery.state))) == {DeliveryState.SUPPRESSED}

    def test_it_is_asked_first_and_their_cookie_opens_nothing_after(self, members: Members) -> None:
        sam = members.join()
        assert "End your membership?" in sam.browser.get("/alerts/end").text

        sam.post("/alerts/end")

        assert sam.browser.get("/alerts/preferences").location == "/sign-in"
        assert sam.browser.get("/sign-in/ended").status_code == 200

    def test_every_other_browser_of_theirs_is_signed_out_too(self, members: Members) -> None:
        sam = members.join()
        elsewhere = members.person()
        elsewhere.sign_in()

        sam.post("/alerts/end")

        assert elsewhere.browser.get("/alerts/preferences").location.startswith("/sign-in")

    def test_an_application_can_be_taken_away(self, members: Members) -> None:
        sam = members.apply()
        sam.sign_in()
        assert "Take your request away?" in sam.browser.get("/alerts/end").text

        sam.post("/alerts/end")

        assert count(Address) == 0

    def test_they_can_join_again_with_the_same_number(self, members: Members) -> None:
        sam = members.join()
        sam.post("/alerts/end")

        again = members.join("Sam again")

        assert again.member.state is MemberState.ACTIVE


class TestAcceptedAndProved:
    """In either order; a member is active only after both."""

    def test_accepted_then_proved(self, members: Members) -> None:
        sam = members.apply()
        members.accept(sam)
        assert sam.member.state is MemberState.VETTED

        assert sam.sign_in().location == "/alerts"

        assert sam.member.state is MemberState.ACTIVE

    def test_proved_then_accepted(self, members: Members) -> None:
        sam = members.apply()
        sam.sign_in()

        members.accept(sam)

        assert sam.member.state is MemberState.ACTIVE
        assert sam.browser.get("/alerts/preferences").status_code == 200
