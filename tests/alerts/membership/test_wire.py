"""Codes over SMS and SMTP: what arrives at the phone and the inbox, and what STOP from a phone does."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from alerts.membership import code_kind, queries
from tests.make.members import EMAIL, PHONE, Members
from tests.make.sandbox import Sandbox, sandbox_settings
from tests.outbox import webhooks
from ugly_mugs.database.engine import db
from ugly_mugs.outbox import segments
from ugly_mugs.outbox.models import Address, AddressState, Channel, MessageKind
from ugly_mugs.outbox.registry import Claimed
from ugly_mugs.outbox.worker import the_worker
from ugly_mugs.settings import Settings

PHONE_E164 = "+447700900123"


@pytest.fixture
def settings(database_url: str, tmp_path: Path, sandbox: Sandbox) -> Settings:
    return sandbox_settings(database_url, tmp_path / "keys", sandbox)


def send(members: Members) -> None:
    """Run the worker once: apply the handovers, then send everything that is due."""
    members.work()
    with members.worker.app_context():
        the_worker().texts.drain()
        the_worker().mails.drain()
        db.session.remove()


def digits(text: str) -> str:
    match = re.search(r"\d{3} \d{3}", text)
    assert match is not None
    return match[0]


def stop_or_start(members: Members, keyword: str) -> None:
    webhooks.text(members.app.test_client(), PHONE_E164, keyword)
    send(members)


class TestACodeThatIsSent:
    def test_the_text_is_one_part_and_signs_in(self, members: Members, sandbox: Sandbox) -> None:
        sam = members.apply()
        sam.ask_for_code()
        send(members)

        text = sandbox.texts_to(PHONE_E164)[0]

        assert text["segments"] == 1 and text["body"].startswith("Your code is ")
        assert sam.type_code(digits(text["body"])).location == "/alerts/waiting"

    def test_the_e_mail_says_nothing_in_its_subject(self, members: Members, sandbox: Sandbox) -> None:
        sam = members.apply(phone=None, email=EMAIL)
        sam.ask_for_code()
        send(members)

        mail: dict[str, Any] = sandbox.mails_to(EMAIL)[0]

        assert mail["subject"] == "Your code" and "Sam" not in mail["raw"]
        assert sam.type_code(digits(mail["text"])).location == "/alerts/waiting"

    def test_nobody_else_hears_of_it(self, members: Members, sandbox: Sandbox) -> None:
        sam = members.apply(phone=PHONE, email=EMAIL)
        members.apply("Kit", "07700 900124")

        sam.ask_for_code(EMAIL)
        members.person().ask_for_code("07700 900555")
        send(members)

        assert sandbox.text_count() == 0 and sandbox.mail_count() == 1

    def test_it_arrives_at_night_too(self, members: Members, sandbox: Sandbox) -> None:
        members.clock.forward(hours=11)
        sam = members.apply()
        sam.ask_for_code()

        send(members)

        assert sandbox.text_count() == 1

    def test_a_late_worker_sends_no_dead_code(self, members: Members, sandbox: Sandbox) -> None:
        sam = members.apply()
        sam.ask_for_code()
        members.work()
        members.clock.forward(minutes=10)

        send(members)

        assert sandbox.text_count() == 0

    def test_a_code_for_a_number_that_was_replaced_meanwhile_goes_nowhere(
        self, members: Members, sandbox: Sandbox
    ) -> None:
        sam = members.join()
        sandbox.reset()
        members.person().ask_for_code(PHONE)
        members.work()
        old, member_id = members.find(PHONE), sam.member.id
        assert old is not None
        db.session.delete(old)
        db.session.flush()
        tag = members.vault.contact_tag("sms", "+447700900199")
        db.session.add(
            Address(owner_id=member_id, channel=Channel.SMS, state=AddressState.PROVED, tag=tag, sealed=b"x")
        )
        db.session.commit()

        send(members)

        assert sandbox.text_count() == 0


class TestAnswersFromAPhone:
    def test_stop_ends_warnings_and_codes_and_start_brings_both_back(
        self, members: Members, sandbox: Sandbox
    ) -> None:
        sam = members.join()
        member_id = sam.member.id
        db.session.rollback()
        sam.post("/alerts/sign-out")
        send(members)

        stop_or_start(members, "Stop please")
        assert queries.live_channels(member_id) == set()
        db.session.rollback()
        before = sandbox.text_count()
        sam.ask_for_code()
        send(members)
        assert sandbox.text_count() == before

        stop_or_start(members, "START")
        assert queries.live_channels(member_id) == {Channel.SMS}
        db.session.rollback()
        sam.ask_for_code()
        send(members)
        assert sandbox.text_count() == before + 1

    def test_a_code_that_waited_when_stop_came_is_not_sent(self, members: Members, sandbox: Sandbox) -> None:
        sam = members.apply()
        sam.ask_for_code()
        members.work()

        webhooks.text(members.app.test_client(), PHONE_E164, "STOP")
        send(members)

        assert sandbox.text_count() == 0

    def test_a_code_by_text_is_closed_to_a_number_that_stopped(
        self, members: Members, sandbox: Sandbox
    ) -> None:
        """Codes may go to opted-out addresses by kind; the gate alone keeps back texts to a number that sent STOP."""
        sam = members.apply()
        sam.ask_for_code()
        members.work()
        address = members.address(PHONE)
        address.state = AddressState.OPTED_OUT
        db.session.commit()

        send(members)

        assert sandbox.text_count() == 0

    def test_the_link_in_a_code_by_mail_stops_mails_until_the_next_code(
        self, members: Members, sandbox: Sandbox
    ) -> None:
        sam = members.join(phone=None, email=EMAIL)
        member_id = sam.member.id
        db.session.rollback()
        sam.post("/alerts/sign-out")
        sam.ask_for_code()
        send(members)
        link = str(sandbox.mails_to(EMAIL)[0]["unsubscribe_link"])

        members.app.test_client().post(link.removeprefix("http://127.0.0.1:8000"))
        send(members)

        assert queries.live_channels(member_id) == set()
        db.session.rollback()
        sam.ask_for_code()
        send(members)
        assert sam.type_code(digits(sandbox.mails_to(EMAIL)[0]["text"])).location == "/alerts"
        assert queries.live_channels(member_id) == set()


class TestWords:
    def claimed(self, channel: Channel, body: bytes | None = b"012345") -> Claimed:
        return Claimed(
            id=uuid4(),
            kind=MessageKind.CODE,
            subject_id=uuid4(),
            recipient_id=uuid4(),
            channel=channel,
            priority=0,
            attempt=1,
            retries=0,
            segments=1,
            language="en",
            level="neutral",
            expires_at=None,
            body=body,
        )

    def test_a_text_keeps_leading_zeros_and_is_plain(self, members: Members) -> None:
        claimed = self.claimed(Channel.SMS)

        message = code_kind.texts_of([claimed])[claimed.id]

        assert message is not None and "012 345" in message.text
        counted = segments.count(message.text)
        assert (counted.encoding, counted.segments) == ("GSM-7", 1)

    def test_a_code_without_its_digits_is_not_sent(self, members: Members) -> None:
        claimed = self.claimed(Channel.SMS, body=None)

        assert code_kind.texts_of([claimed]) == {claimed.id: None}


def test_a_code_is_worth_nothing_after_ten_minutes_to_the_provider_either(
    members: Members, sandbox: Sandbox
) -> None:
    sam = members.apply()
    sam.ask_for_code()
    send(members)

    assert sandbox.texts_to(PHONE_E164)[0]["validity_period"] <= timedelta(minutes=10).total_seconds()
