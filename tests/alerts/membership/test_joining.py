"""Joining: one form is one application, and nothing reveals who is a member already."""

import re
from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from alerts.membership.consent_wordings import WORDINGS
from alerts.membership.models import (
    ConsentEvent,
    Level,
    Member,
    MemberConsent,
    MemberState,
    Sector,
    Subscription,
)
from tests.make.databases import count
from tests.make.members import EMAIL, PHONE, Members
from tests.make.pages import hidden
from tests.make.threads import at_once
from ugly_mugs.database.engine import db
from ugly_mugs.outbox.models import Address, AddressState, Channel, Delivery, Handover, HandoverKind


def only_member() -> Member:
    return db.session.scalars(sa.select(Member)).one()


class TestTheForm:
    def test_it_needs_no_cookie_and_gives_none(self, members: Members) -> None:
        sam = members.person()

        page = sam.browser.get("/join")
        sent = sam.browser.post("/join", data=members.form(sam))

        assert page.status_code == 200 and sent.status_code == 303
        assert sent.location == "/join/sent"
        assert "Set-Cookie" not in page.headers and "Set-Cookie" not in sent.headers
        assert sam.browser.get("/join/sent").status_code == 200

    def test_nothing_is_chosen_for_them_but_that_a_message_says_little(self, client: FlaskClient) -> None:
        page = client.get("/join").text

        chosen = re.findall(r'<input[^>]*name="([^"]*)"[^>]*value="([^"]*)" checked', page)

        assert chosen == [("level", "neutral")]

    def test_it_names_the_quiet_hours_and_shows_what_a_message_says(self, client: FlaskClient) -> None:
        page = client.get("/join").text

        assert "Between 22:00 and 08:00" in page
        assert "New notice 4F7K. See http://127.0.0.1:8000" in page
        assert "4F7K, Leeds:" in page
        assert 'name="language"' not in page

    def test_it_is_written_down_as_typed(self, members: Members) -> None:
        sam = members.person(phone=PHONE, email=EMAIL)
        form = members.form(
            sam, regions=["london", "scotland"], sectors=["bdsm"], level="full", wake="no", kind="project"
        )

        sam.browser.post("/join", data=form)

        member = only_member()
        assert {row.region for row in member.regions} == {"london", "scotland"}
        assert [row.sector for row in member.sectors] == [Sector.BDSM]
        assert (member.state, member.level) == (MemberState.APPLIED, Level.FULL)
        assert not member.wake_for_danger and member.kind == "project"

    def test_each_consent_is_recorded_with_its_wording_and_language(self, members: Members) -> None:
        members.apply(phone=PHONE, email=EMAIL)

        records = db.session.scalars(sa.select(MemberConsent)).all()

        assert {record.channel for record in records} == set(Channel)
        for record in records:
            assert (record.event, record.language, record.number) == (ConsentEvent.GIVEN, "en", 1)
            assert record.wording == WORDINGS[record.channel].version

    def test_a_number_without_a_tick_is_only_for_signing_in(self, members: Members) -> None:
        members.apply(phone=PHONE, email=EMAIL, sms=None)

        live = {row.channel: row.live for row in db.session.scalars(sa.select(Subscription))}

        assert live == {Channel.SMS: False, Channel.EMAIL: True}

    def test_the_name_is_closed_to_the_service_and_the_address_to_the_web(self, members: Members) -> None:
        sam = members.person(name="Sam of the Moor")
        sam.browser.post("/join", data=members.form(sam))

        member, address = only_member(), db.session.scalars(sa.select(Address)).one()

        assert b"Sam" not in (member.working_name or b"")
        assert address.tag is None and address.sealed is None and address.handed is not None
        assert b"7700900123" not in address.handed


class TestRefusals:
    @pytest.mark.parametrize(
        ("typed", "message"),
        [
            ({"working_name": " "}, "Please fill this in."),
            ({"kind": None}, "Please choose one."),
            ({"phone": None, "sms": None}, "Please give a mobile number, an e-mail address, or both."),
            ({"phone": None}, "You ticked texts. Please give a mobile number"),
            ({"mail": "yes"}, "You ticked e-mails. Please give an address"),
            ({"phone": "0113 496 0123"}, "A text to a landline is read out loud"),
            ({"phone": "+1 202 555 0123"}, "We can only text mobiles of the UK, Ireland"),
            ({"phone": "my number"}, "phone number"),
            ({"email": "sam at home"}, "Please check this e-mail address"),
            ({"regions": None}, "Please choose at least one."),
            ({"regions": ["atlantis"]}, "Please choose from the list."),
            ({"sectors": ["astronaut"]}, "Please choose from the list."),
            ({"wake": None}, "Please choose one."),
            ({"level": None}, "Please choose one."),
            ({"adult": None}, "for people of 18 and over"),
            ({"language": "xx"}, "Please choose one from the list."),
        ],
    )
    def test_it_says_why_and_keeps_everything_typed(
        self, members: Members, typed: dict[str, object], message: str
    ) -> None:
        sam = members.person(name="Sam <of> the Moor")

        answer = sam.browser.post("/join", data=members.form(sam, **typed))

        assert answer.status_code == 400
        assert message in answer.text
        if "working_name" not in typed:
            assert 'value="Sam &lt;of&gt; the Moor"' in answer.text
        if "phone" not in typed:
            assert f'value="{PHONE}"' in answer.text
        assert count(Member) == count(Address) == count(Handover) == 0

    @pytest.mark.parametrize("token", ["", "nonsense"])
    def test_a_form_that_is_not_ours_is_drawn_again_with_everything(
        self, members: Members, token: str
    ) -> None:
        sam = members.person()
        form = members.form(sam, token=token)

        answer = sam.browser.post("/join", data=form)
        again = hidden(answer, "token")

        assert answer.status_code == 400 and f'value="{PHONE}"' in answer.text
        assert again and again != token
        assert sam.browser.post("/join", data={**form, "token": again}).status_code == 303

    def test_a_form_open_since_yesterday_is_drawn_again_with_everything(self, members: Members) -> None:
        sam = members.person()
        form = members.form(sam)
        members.clock.forward(hours=25)

        answer = sam.browser.post("/join", data=form)

        assert answer.status_code == 400
        assert "open for a long time" in answer.text and f'value="{PHONE}"' in answer.text
        assert count(Member) == 0

    def test_a_post_from_another_site_is_refused(self, members: Members) -> None:
        sam = members.person()
        form = members.form(sam)

        answer = sam.browser.post("/join", data=form, headers={"Sec-Fetch-Site": "cross-site"})

        assert answer.status_code == 403 and count(Member) == 0


class TestTheSameFormTwice:
    def test_it_is_one_application_even_the_next_week(self, members: Members) -> None:
        sam = members.person()
        form = members.form(sam)

        first = sam.browser.post("/join", data=form)
        members.clock.forward(days=7)
        second = sam.browser.post("/join", data=form)

        assert (first.status_code, second.status_code) == (303, 303)
        assert first.location == second.location
        assert count(Member) == count(Address) == count(Handover) == count(MemberConsent) == 1

    def test_a_number_put_right_is_another_application(self, members: Members) -> None:
        sam = members.person()
        form = members.form(sam, phone="07700 900129")

        sam.browser.post("/join", data=form)
        sam.browser.post("/join", data={**form, "phone": PHONE})
        members.work()

        assert count(Member) == 2 and members.find(PHONE) is not None

    def test_eight_at_the_same_moment_are_one(self, app: Flask, members: Members) -> None:
        sam = members.person()
        form = members.form(sam)

        answers = at_once([lambda: app.test_client().post("/join", data=form)] * 8)

        assert [answer.status_code for answer in answers] == [303] * 8
        assert count(Member) == count(Address) == count(Handover) == 1

    def test_sixteen_people_at_once_are_sixteen(self, app: Flask, members: Members) -> None:
        people = [members.person(phone=f"07700 9001{number:02}") for number in range(16)]
        forms = [members.form(person) for person in people]

        answers = at_once([partial(app.test_client().post, "/join", data=form) for form in forms])
        members.work()

        assert [answer.status_code for answer in answers] == [303] * 16
        assert count(Member) == 16
        assert all(members.find(person.address) for person in people)


class TestAnAddressSomebodyHas:
    def test_the_page_and_the_rows_are_those_of_any_other(self, members: Members) -> None:
        members.apply("Sam", PHONE)
        before = {model: count(model) for model in (Member, Address, Handover, Subscription, MemberConsent)}

        pages = []
        for name, phone in (("Kit", PHONE), ("Lou", "07700 900124")):
            person = members.person(name, phone)
            answer = person.browser.post("/join", data=members.form(person))
            pages.append((answer.status_code, answer.location, answer.text))
            after = {model: count(model) for model in before}
            assert {model: after[model] - before[model] for model in before} == dict.fromkeys(before, 1)
            before = after

        assert pages[0] == pages[1]
        assert [handover.kind for handover in db.session.scalars(sa.select(Handover))] == [
            HandoverKind.ADDRESS_GIVEN
        ] * 3

    def test_the_later_application_loses_it_and_nothing_is_sent(self, members: Members) -> None:
        sam = members.apply("Sam", PHONE)
        first = sam.member.id
        db.session.rollback()

        members.apply("Kit", PHONE)

        address = db.session.scalars(sa.select(Address)).one()
        assert address.owner_id == first and address.state is AddressState.UNPROVED
        assert count(Member) == 2 and count(Delivery) == 0

    def test_two_at_the_same_moment_leave_one_owner(self, members: Members) -> None:
        for name in ("Sam", "Kit"):
            person = members.person(name)
            person.browser.post("/join", data=members.form(person))

        members.work()

        assert count(Address) == 1 and count(Member) == 2

    def test_what_somebody_inside_only_typed_keeps_nobody_from_joining(self, members: Members) -> None:
        sam = members.join()
        sam.post("/alerts/addresses", {"address": EMAIL})
        members.work()

        kit = members.apply("Kit", None, EMAIL)

        assert kit.member.id != sam.member.id
        assert kit.sign_in().location == "/alerts/waiting"
