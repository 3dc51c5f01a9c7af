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
from tests.make.members import EMAIL, PHONE, Crowd, Person
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
    def test_they_are_drawn_as_they_stand(self, crowd: Crowd) -> None:
        sam = crowd.join(regions=["wales", "jersey"], sectors=["street"], level="full", wake="no")

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
    def test_only_the_notices_are_marked_as_the_notices(self, crowd: Crowd, path: str, times: int) -> None:
        page = crowd.join().browser.get(path).text

        assert page.count('href="/alerts" aria-current="page"') == times
        assert page.count('href="/alerts"') == 1

    def test_they_are_kept_as_changed(self, crowd: Crowd) -> None:
        sam = crowd.join(regions=["wales", "jersey"], sectors=["street"])
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

    def test_saving_the_same_again_adds_no_record(self, crowd: Crowd) -> None:
        sam = crowd.join()
        for _ in range(2):
            sam.post("/alerts/preferences", {"regions": "wales", "level": "full", "wake": "no", "sms": "yes"})

        assert count(MemberConsent) == 1

    def test_what_is_missing_is_said_and_nothing_typed_is_lost(self, crowd: Crowd) -> None:
        sam = crowd.join()

        answer = sam.post("/alerts/preferences", {"level": "full", "wake": "no", "sectors": "bdsm"})

        assert answer.status_code == 400 and "Please choose at least one." in answer.text
        assert 'value="bdsm" checked' in answer.text
        assert sam.member.level is Level.NEUTRAL

    def test_a_tick_for_an_address_nobody_gave_is_refused(self, crowd: Crowd) -> None:
        sam = crowd.join()

        answer = sam.post(
            "/alerts/preferences", {"regions": "wales", "level": "full", "wake": "no", "mail": "yes"}
        )

        assert answer.status_code == 400 and "Please add an address for this first." in answer.text
        assert count(MemberConsent) == 1

    def test_a_form_of_another_session_changes_nothing(self, crowd: Crowd) -> None:
        sam = crowd.join()

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
    def test_strangers_are_led_to_the_door(self, crowd: Crowd, path: str) -> None:
        assert crowd.person().browser.get(path).location == "/sign-in"


class TestAPause:
    def test_it_begins_and_ends_when_the_member_says(self, crowd: Crowd) -> None:
        sam = crowd.join()

        sam.post("/alerts/pause")
        assert sam.member.state is MemberState.PAUSED
        assert "Your warnings are paused" in sam.browser.get("/alerts/preferences").text
        sam.post("/alerts/resume")

        assert sam.member.state is MemberState.ACTIVE

    def test_twice_is_told_and_harmless(self, crowd: Crowd) -> None:
        sam = crowd.join()
        sam.post("/alerts/pause")

        assert sam.post("/alerts/pause").status_code == 409
        assert sam.member.state is MemberState.PAUSED


class TestAddresses:
    def test_a_second_one_is_proved_from_inside(self, crowd: Crowd) -> None:
        sam = crowd.join()

        answer = sam.add_address(EMAIL)

        assert answer.location == "/alerts/preferences?saved=address"
        assert addresses(sam) == dict.fromkeys(Channel, AddressState.PROVED)
        assert 'name="mail"' in sam.browser.get("/alerts/preferences").text
        assert count(MemberConsent) == 1

    def test_one_given_when_joining_is_proved_the_same_way(self, crowd: Crowd) -> None:
        sam = crowd.join(phone=PHONE, email=EMAIL)
        assert addresses(sam)[Channel.EMAIL] is AddressState.UNPROVED

        sam.add_address(EMAIL)

        assert addresses(sam)[Channel.EMAIL] is AddressState.PROVED

    def test_a_new_number_takes_the_place_of_the_old_one_only_when_proved(self, crowd: Crowd) -> None:
        sam = crowd.join()
        sam.post("/alerts/addresses", {"address": OTHER})
        crowd.work()
        assert crowd.find(PHONE) is not None
        member_id = sam.member.id

        sam.post("/alerts/addresses/code", {"code": crowd.last_code()})

        new = crowd.find(OTHER)
        assert crowd.find(PHONE) is None and new is not None and new.owner_id == member_id

    def test_the_code_goes_to_the_new_one_and_to_no_other(self, crowd: Crowd) -> None:
        sam = crowd.join()

        sam.post("/alerts/addresses", {"address": OTHER})
        crowd.work()

        assert crowd.waiting_codes()[-1][0] == "+447700900124"

    def test_one_that_another_member_proved_gets_no_code_and_the_page_is_the_same(self, crowd: Crowd) -> None:
        kit = crowd.join("Kit", OTHER)
        sam = crowd.join("Sam", PHONE)
        sent = len(crowd.waiting_codes())

        taken = sam.post("/alerts/addresses", {"address": OTHER})
        crowd.work()
        assert len(crowd.waiting_codes()) == sent
        free = sam.post("/alerts/addresses", {"address": "07700 900125"})

        assert (taken.status_code, taken.location) == (free.status_code, free.location)
        owner = crowd.address(OTHER)
        assert owner.owner_id == kit.member.id

    def test_one_that_somebody_only_claims_goes_to_whoever_proves_it(self, crowd: Crowd) -> None:
        squatter = crowd.apply("Kit", OTHER)
        squatter_id = squatter.member.id
        sam = crowd.join("Sam", None, EMAIL)
        member_id = sam.member.id

        answer = sam.add_address(OTHER)

        assert answer.location == "/alerts/preferences?saved=address"
        owner = crowd.address(OTHER)
        assert owner.owner_id == member_id != squatter_id

    def test_whoever_proves_it_first_keeps_it(self, crowd: Crowd) -> None:
        kit = crowd.apply("Kit", OTHER)
        sam = crowd.join("Sam", None, EMAIL)
        sam.post("/alerts/addresses", {"address": OTHER})
        crowd.work()
        for_sam = crowd.last_code()
        kit_id = kit.member.id
        kit.sign_in()

        answer = sam.post("/alerts/addresses/code", {"code": for_sam})

        assert answer.location == "/alerts/addresses?why=over"
        owner = crowd.address(OTHER)
        assert owner.owner_id == kit_id

    def test_a_code_for_signing_in_proves_no_new_address(self, crowd: Crowd) -> None:
        sam = crowd.join()
        sam.post("/alerts/addresses", {"address": OTHER})
        crowd.work()
        for_new = crowd.last_code()
        stranger = crowd.person()
        stranger.ask_for_code(OTHER)

        assert stranger.type_code(for_new).status_code == 400
        assert count(Session) == 2

    def test_a_second_try_takes_the_place_of_the_first(self, crowd: Crowd) -> None:
        sam = crowd.join()
        sam.post("/alerts/addresses", {"address": "sam@example.org"})
        crowd.work()
        sam.post("/alerts/addresses", {"address": "sam.two@example.org"})
        crowd.work()

        sam.post("/alerts/addresses/code", {"code": crowd.last_code()})

        assert crowd.find("sam@example.org") is None and crowd.find("sam.two@example.org") is not None
        assert count(Address) == 2

    def test_what_was_never_proved_is_forgotten(self, crowd: Crowd) -> None:
        sam = crowd.join()
        sam.post("/alerts/addresses", {"address": EMAIL})
        crowd.work()
        crowd.clock.forward(minutes=10)

        sweep_codes(crowd.clock.now())
        db.session.commit()

        assert count(Address) == 1 and count(SignInCode) == 0

    def test_five_wrong_codes_end_it(self, crowd: Crowd) -> None:
        sam = crowd.join()
        sam.post("/alerts/addresses", {"address": EMAIL})
        crowd.work()
        wrong = f"{(int(crowd.last_code()) + 1) % 10**6:06d}"

        answers = [sam.post("/alerts/addresses/code", {"code": wrong}) for _ in range(5)]

        assert [answer.status_code for answer in answers] == [400] * 4 + [303]
        assert answers[4].location == "/alerts/addresses?why=over"
        assert addresses(sam) == {Channel.SMS: AddressState.PROVED}

    @pytest.mark.parametrize("typed", ["", "nobody", "0113 496 0123"])
    def test_what_is_no_address_is_said(self, crowd: Crowd, typed: str) -> None:
        sam = crowd.join()

        answer = sam.post("/alerts/addresses", {"address": typed})

        assert answer.status_code == 400 and count(SignInCode) == 0

    def test_a_number_that_texts_no_longer_reach_can_be_proved_again(self, crowd: Crowd) -> None:
        sam = crowd.join()
        address = crowd.address(PHONE)
        address.state = AddressState.INVALID
        db.session.commit()
        assert "Texts do not arrive at this number" in sam.browser.get("/alerts/preferences").text

        sam.add_address(PHONE)

        assert addresses(sam) == {Channel.SMS: AddressState.PROVED}


class TestTheEnd:
    def test_everything_goes_but_the_records_of_consent(self, crowd: Crowd) -> None:
        sam = crowd.join(phone=PHONE, email=EMAIL, sectors=["street"])
        member_id = sam.member.id
        sam.post("/alerts/addresses", {"address": "sam.two@example.org"})
        crowd.work()

        answer = sam.post("/alerts/end")
        crowd.work()

        assert answer.location == "/sign-in/ended"
        for model in (Address, Subscription, MemberRegion, MemberSector, Session, SignInCode):
            assert count(model) == 0, model
        member = db.session.get(Member, member_id)
        assert member is not None and member.state is MemberState.REMOVED and member.working_name is None
        events = [record.event for record in db.session.scalars(sa.select(MemberConsent))]
        assert sorted(events) == [ConsentEvent.GIVEN] * 2 + [ConsentEvent.WITHDRAWN] * 2
        assert set(db.session.scalars(sa.select(Delivery.state))) == {DeliveryState.SUPPRESSED}

    def test_it_is_asked_first_and_their_cookie_opens_nothing_after(self, crowd: Crowd) -> None:
        sam = crowd.join()
        assert "End your membership?" in sam.browser.get("/alerts/end").text

        sam.post("/alerts/end")

        assert sam.browser.get("/alerts/preferences").location == "/sign-in"
        assert sam.browser.get("/sign-in/ended").status_code == 200

    def test_every_other_browser_of_theirs_is_signed_out_too(self, crowd: Crowd) -> None:
        sam = crowd.join()
        elsewhere = crowd.person()
        elsewhere.sign_in()

        sam.post("/alerts/end")

        assert elsewhere.browser.get("/alerts/preferences").location.startswith("/sign-in")

    def test_an_application_can_be_taken_away(self, crowd: Crowd) -> None:
        sam = crowd.apply()
        sam.sign_in()
        assert "Take your request away?" in sam.browser.get("/alerts/end").text

        sam.post("/alerts/end")

        assert count(Address) == 0

    def test_they_can_join_again_with_the_same_number(self, crowd: Crowd) -> None:
        sam = crowd.join()
        sam.post("/alerts/end")

        again = crowd.join("Sam again")

        assert again.member.state is MemberState.ACTIVE


class TestAcceptedAndProved:
    """In either order; a member is active only after both."""

    def test_accepted_then_proved(self, crowd: Crowd) -> None:
        sam = crowd.apply()
        crowd.accept(sam)
        assert sam.member.state is MemberState.VETTED

        assert sam.sign_in().location == "/alerts"

        assert sam.member.state is MemberState.ACTIVE

    def test_proved_then_accepted(self, crowd: Crowd) -> None:
        sam = crowd.apply()
        sam.sign_in()

        crowd.accept(sam)

        assert sam.member.state is MemberState.ACTIVE
        assert sam.browser.get("/alerts/preferences").status_code == 200
