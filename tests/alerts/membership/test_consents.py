"""Consent records: append-only; a channel is live if and only if its last record is GIVEN or RESTARTED."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given, settings as effort, strategies as st

from alerts.membership import consents, queries
from alerts.membership.consents import LIVE
from alerts.membership.models import ConsentEvent, MemberConsent, Subscription
from tests.make.databases import count
from tests.make.members import EMAIL, PHONE, Members, Person
from ugly_mugs.database.engine import db
from ugly_mugs.outbox.models import Address, AddressState, Channel, Delivery, DeliveryState, MessageKind

ACTS = ("give", "withdraw", "stop", "start")
E = ConsentEvent


def events(person: Person, channel: Channel = Channel.SMS) -> list[ConsentEvent]:
    events = [record.event for record in consents.history(person.member.id, channel)]
    db.session.rollback()
    return events


def state(members: Members, typed: str) -> AddressState:
    address = members.address(typed)
    db.session.refresh(address)
    state = address.state
    db.session.rollback()
    return state


def live(person: Person) -> set[Channel]:
    channels = queries.live_channels(person.member.id)
    db.session.rollback()
    return channels


def save(person: Person, **ticks: str) -> str:
    """Save the settings with these ticks; gives where the answer redirects to."""
    wishes = {"regions": "london", "level": "neutral", "wake": "yes", **ticks}
    return person.post("/alerts/preferences", wishes).headers.get("Location", "refused")


class TestEveryHistory:
    @contextmanager
    def undone(self) -> Iterator[None]:
        """Restores the same rows before each example."""
        try:
            yield
        finally:
            db.session.rollback()

    @effort(max_examples=60)
    @given(acts=st.lists(st.tuples(st.sampled_from(ACTS), st.sampled_from(list(Channel))), max_size=12))
    def test_a_channel_is_live_if_and_only_if_its_last_record_says_so(
        self, members: Members, acts: list[tuple[str, Channel]]
    ) -> None:
        if count(Address) == 0:
            members.apply(phone=PHONE, email=EMAIL, sms=None)
        address = db.session.scalars(sa.select(Address)).first()
        assert address is not None
        member_id = address.owner_id
        with self.undone():
            for act, channel in acts:
                self.perform(act, member_id, channel, members)
                for channel in Channel:
                    records = consents.history(member_id, channel)
                    assert [record.number for record in records] == list(range(1, len(records) + 1))
                    says = bool(records) and records[-1].event in LIVE
                    assert (channel in queries.live_channels(member_id)) == says

    def perform(self, act: str, member_id: uuid.UUID, channel: Channel, members: Members) -> None:
        """Apply one event and check its effect: only a tick gives consent, and START only undoes STOP."""
        before = [record.event for record in consents.history(member_id, channel)]
        now = members.clock.now()
        match act:
            case "give":
                consents.give(member_id=member_id, channel=channel, language="en", now=now)
            case "withdraw":
                consents.withdraw(member_id=member_id, channel=channel, language="en", now=now)
            case "stop":
                consents.stop(member_id, channel, now)
            case "start":
                consents.start_again(member_id, channel, now)
        after = [record.event for record in consents.history(member_id, channel)]
        assert after[: len(before)] == before
        if act == "stop":
            assert after[-1] is E.STOPPED
        if act == "start" and after != before:
            remaining = [event for event in before if event is not E.STOPPED]
            assert before[-1] is E.STOPPED and remaining[-1] in LIVE


class TestStopAndStart:
    def test_stop_ends_and_start_gives_back(self, members: Members) -> None:
        sam = members.join()

        members.text(sam, stops=True)
        assert live(sam) == set()
        members.text(sam, stops=False)

        assert live(sam) == {Channel.SMS}
        assert events(sam) == [E.GIVEN, E.STOPPED, E.RESTARTED]

    def test_start_gives_nothing_the_member_had_not_ticked(self, members: Members) -> None:
        sam = members.join(phone=PHONE, email=EMAIL)
        save(sam, mail="yes")

        members.text(sam, stops=True)
        members.text(sam, stops=False)

        assert live(sam) == {Channel.EMAIL}
        assert events(sam) == [E.GIVEN, E.WITHDRAWN, E.STOPPED]

    def test_stop_twice_and_start_once(self, members: Members) -> None:
        sam = members.join()
        for stops in (True, True, False, False):
            members.text(sam, stops=stops)

        assert events(sam) == [E.GIVEN, E.STOPPED, E.RESTARTED]

    def test_stop_on_one_channel_leaves_the_other(self, members: Members) -> None:
        sam = members.join(phone=PHONE, email=EMAIL)

        members.text(sam, stops=True)

        assert live(sam) == {Channel.EMAIL}

    def test_stopping_takes_back_what_still_waits(self, members: Members) -> None:
        sam = members.apply()
        sam.ask_for_code()
        members.work()

        members.text(sam, stops=True)

        assert db.session.scalars(sa.select(Delivery.state)).all() == [DeliveryState.SUPPRESSED]

    def test_the_settings_cannot_undo_stop(self, members: Members) -> None:
        sam = members.join()
        members.text(sam, stops=True)

        answer = sam.post(
            "/alerts/preferences", {"regions": "wales", "level": "full", "wake": "no", "sms": "yes"}
        )

        assert answer.status_code == 400
        assert "send START to the number" in answer.text
        assert live(sam) == set() and events(sam) == [E.GIVEN, E.STOPPED]
        assert [row.region for row in sam.member.regions] == ["yorkshire-humber"]
        assert 'value="wales" checked' in answer.text

    def test_the_settings_tell_how_to_come_back(self, members: Members) -> None:
        sam = members.join()
        members.text(sam, stops=True)

        assert "text START to +447700900000" in sam.browser.get("/alerts/preferences").text

    def test_stop_then_start_then_the_settings(self, members: Members) -> None:
        sam = members.join()
        members.text(sam, stops=True)
        members.text(sam, stops=False)

        assert save(sam) == "/alerts/preferences?saved=yes"
        assert live(sam) == set()
        assert save(sam, sms="yes") == "/alerts/preferences?saved=yes"

        assert events(sam) == [E.GIVEN, E.STOPPED, E.RESTARTED, E.WITHDRAWN, E.GIVEN]

    def test_whoever_stopped_texts_gets_no_code_by_text(self, members: Members) -> None:
        sam = members.join()
        sam.post("/alerts/sign-out")
        members.text(sam, stops=True)
        sent = len(members.waiting_codes())

        sam.ask_for_code()
        members.work()

        assert len(members.waiting_codes()) == sent
        address = members.address(PHONE)
        assert address.state is AddressState.OPTED_OUT
        assert "Text START to +447700900000" in sam.browser.get("/sign-in/code").text

    def test_after_start_a_code_comes_again(self, members: Members) -> None:
        sam = members.join()
        sam.post("/alerts/sign-out")
        members.text(sam, stops=True)
        members.text(sam, stops=False)

        assert sam.sign_in().location == "/alerts"

    def test_stop_from_a_number_that_is_only_being_added_is_nobodys_consent(self, members: Members) -> None:
        sam = members.join(phone=None, email=EMAIL)
        sam.post("/alerts/addresses", {"address": PHONE})
        members.work()
        kit = members.person(phone=PHONE)

        members.text(kit, stops=True)

        assert [record.channel for record in db.session.scalars(sa.select(MemberConsent))] == [Channel.EMAIL]


class TestOneClick:
    def test_it_ends_that_channel_with_a_record(self, members: Members) -> None:
        sam = members.join(phone=None, email=EMAIL)
        address = members.address(EMAIL)
        token = members.vault.opt_out_token(address.id)
        db.session.rollback()

        assert members.app.test_client().post(f"/opt-out/{token}").status_code == 200

        assert live(sam) == set()
        assert events(sam, Channel.EMAIL) == [E.GIVEN, E.STOPPED]

    def test_the_way_back_is_a_new_code_and_then_a_tick(self, members: Members) -> None:
        sam = members.join(phone=None, email=EMAIL)
        members.one_click(sam)
        assert save(sam, mail="yes") == "refused"

        assert sam.add_address(EMAIL).location == "/alerts/preferences?saved=address"
        assert live(sam) == set()
        assert save(sam, mail="yes") == "/alerts/preferences?saved=yes"

        assert live(sam) == {Channel.EMAIL}
        assert events(sam, Channel.EMAIL) == [E.GIVEN, E.STOPPED, E.GIVEN]

    def test_a_code_that_anybody_asked_for_opens_nothing_until_it_is_typed(self, members: Members) -> None:
        sam = members.join(phone=None, email=EMAIL)
        sam.post("/alerts/sign-out")
        members.one_click(sam)
        stranger = members.person()

        stranger.ask_for_code(EMAIL)
        members.work()
        assert state(members, EMAIL) is AddressState.OPTED_OUT

        assert stranger.type_code(members.last_code()).location == "/alerts"
        assert state(members, EMAIL) is AddressState.PROVED
        assert live(sam) == set()


class TestWhoReceives:
    """The condition that audiences and gates share."""

    def receives(self, person: Person) -> bool:
        db.session.expire_all()
        result = db.session.scalar(
            sa.select(queries.receives(sa.literal(person.member.id, sa.Uuid), sa.literal("sms")))
        )
        db.session.rollback()
        return bool(result)

    def test_an_active_member_with_a_tick_and_a_proved_number(self, members: Members) -> None:
        assert self.receives(members.join())

    def test_nobody_who_only_applied_even_with_a_proved_number(self, members: Members) -> None:
        sam = members.apply()
        sam.sign_in()

        assert not self.receives(sam)

    def test_nobody_without_a_tick(self, members: Members) -> None:
        assert not self.receives(members.join(sms=None))

    @pytest.mark.parametrize("state", [AddressState.UNPROVED, AddressState.INVALID, AddressState.OPTED_OUT])
    def test_nobody_whose_number_is_not_proved_now(self, members: Members, state: AddressState) -> None:
        sam = members.join()
        address = members.address(PHONE)
        address.state = state
        db.session.commit()

        assert not self.receives(sam)

    def test_nobody_who_paused(self, members: Members) -> None:
        sam = members.join()
        sam.post("/alerts/pause")

        assert not self.receives(sam)

    def test_nobody_who_stopped(self, members: Members) -> None:
        sam = members.join()
        members.text(sam, stops=True)

        assert not self.receives(sam)


def test_a_withdrawal_puts_aside_what_still_waits(members: Members) -> None:
    sam = members.join(phone=PHONE, email=EMAIL)
    member_id = sam.member.id
    db.session.add(
        Delivery(
            kind=MessageKind.ALERT,
            subject_id=member_id,
            recipient_id=member_id,
            channel=Channel.SMS,
            state=DeliveryState.QUEUED,
            priority=20,
            not_before=members.clock.now() + timedelta(hours=1),
        )
    )
    db.session.commit()

    save(sam, mail="yes")
    members.work()

    waiting = db.session.scalars(sa.select(Delivery.state).where(Delivery.kind == MessageKind.ALERT)).all()
    assert waiting == [DeliveryState.SUPPRESSED]
    assert {row.channel for row in db.session.scalars(sa.select(Subscription)) if row.live} == {Channel.EMAIL}
