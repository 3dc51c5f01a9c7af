"""Codes over SMS and SMTP: what arrives at the phone and the inbox, and what STOP from a phone does."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from alerts.membership import code_kind, queries
from tests.make.members import EMAIL, PHONE, Crowd
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


def send(crowd: Crowd) -> None:
    """Run the worker once: apply the handovers, then send everything that is due."""
    crowd.work()
    with crowd.worker.app_context():
        the_worker().texts.drain()
        the_worker().mails.drain()
        db.session.remove()


def digits(text: str) -> str:
    match = re.search(r"\d{3} \d{3}", text)
    assert match is not None
    return match[0]


def stop_or_start(crowd: Crowd, keyword: str) -> None:
    webhooks.text(crowd.app.test_client(), PHONE_E164, keyword)
    send(crowd)


class TestACodeThatIsSent:
    def test_the_text_is_one_part_and_signs_in(self, crowd: Crowd, sandbox: Sandbox) -> None:
        sam = crowd.apply()
        sam.ask_for_code()
        send(crowd)

        text = sandbox.texts_to(PHONE_E164)[0]

        assert text["segments"] == 1 and text["body"].startswith("Your code is ")
        assert sam.type_code(digits(text["body"])).location == "/alerts/waiting"

    def test_the_e_mail_says_nothing_in_its_subject(self, crowd: Crowd, sandbox: Sandbox) -> None:
        sam = crowd.apply(phone=None, email=EMAIL)
        sam.ask_for_code()
        send(crowd)

        mail: dict[str, Any] = sandbox.mails_to(EMAIL)[0]

        assert mail["subject"] == "Your code" and "Sam" not in mail["raw"]
        assert sam.type_code(digits(mail["text"])).location == "/alerts/waiting"

    def test_nobody_else_hears_of_it(self, crowd: Crowd, sandbox: Sandbox) -> None:
        sam = crowd.apply(phone=PHONE, email=EMAIL)
        crowd.apply("Kit", "07700 900124")

        sam.ask_for_code(EMAIL)
        crowd.person().ask_for_code("07700 900555")
        send(crowd)

        assert sandbox.text_count() == 0 and sandbox.mail_count() == 1

    def test_it_arrives_at_night_too(self, crowd: Crowd, sandbox: Sandbox) -> None:
        crowd.clock.forward(hours=11)
        sam = crowd.apply()
        sam.ask_for_code()

        send(crowd)

        assert sandbox.text_count() == 1

    def test_a_late_worker_sends_no_dead_code(self, crowd: Crowd, sandbox: Sandbox) -> None:
        sam = crowd.apply()
        sam.ask_for_code()
        crowd.work()
        crowd.clock.forward(minutes=10)

        send(crowd)

        assert sandbox.text_count() == 0

    def test_a_code_for_a_number_that_was_replaced_meanwhile_goes_nowhere(
        self, crowd: Crowd, sandbox: Sandbox
    ) -> None:
        sam = crowd.join()
        sandbox.reset()
        crowd.person().ask_for_code(PHONE)
        crowd.work()
        old, member_id = crowd.find(PHONE), sam.member.id
        assert old is not None
        db.session.delete(old)
        db.session.flush()
        tag = crowd.vault.contact_tag("sms", "+447700900199")
        db.session.add(
            Address(owner_id=member_id, channel=Channel.SMS, state=AddressState.PROVED, tag=tag, sealed=b"x")
        )
        db.session.commit()

        send(crowd)

        assert sandbox.text_count() == 0


class TestAnswersFromAPhone:
    def test_stop_ends_warnings_and_codes_and_start_brings_both_back(
        self, crowd: Crowd, sandbox: Sandbox
    ) -> None:
        sam = crowd.join()
        member_id = sam.member.id
        db.session.rollback()
        sam.post("/alerts/sign-out")
        send(crowd)

        stop_or_start(crowd, "Stop please")
        assert queries.live_channels(member_id) == set()
        db.session.rollback()
        before = sandbox.text_count()
        sam.ask_for_code()
        send(crowd)
        assert sandbox.text_count() == before

        stop_or_start(crowd, "START")
        assert queries.live_channels(member_id) == {Channel.SMS}
        db.session.rollback()
        sam.ask_for_code()
        send(crowd)
        assert sandbox.text_count() == before + 1

    def test_a_code_that_waited_when_stop_came_is_not_sent(self, crowd: Crowd, sandbox: Sandbox) -> None:
        sam = crowd.apply()
        sam.ask_for_code()
        crowd.work()

        webhooks.text(crowd.app.test_client(), PHONE_E164, "STOP")
        send(crowd)

        assert sandbox.text_count() == 0

    def test_a_code_by_text_is_closed_to_a_number_that_stopped(self, crowd: Crowd, sandbox: Sandbox) -> None:
        """Codes may go to opted-out addresses by kind; the gate alone keeps back texts to a number that sent STOP."""
        sam = crowd.apply()
        sam.ask_for_code()
        crowd.work()
        address = crowd.address(PHONE)
        address.state = AddressState.OPTED_OUT
        db.session.commit()

        send(crowd)

        assert sandbox.text_count() == 0

    def test_the_link_in_a_code_by_mail_stops_mails_until_the_next_code(
        self, crowd: Crowd, sandbox: Sandbox
    ) -> None:
        sam = crowd.join(phone=None, email=EMAIL)
        member_id = sam.member.id
        db.session.rollback()
        sam.post("/alerts/sign-out")
        sam.ask_for_code()
        send(crowd)
        link = str(sandbox.mails_to(EMAIL)[0]["unsubscribe_link"])

        crowd.app.test_client().post(link.removeprefix("http://127.0.0.1:8000"))
        send(crowd)

        assert queries.live_channels(member_id) == set()
        db.session.rollback()
        sam.ask_for_code()
        send(crowd)
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

    def test_a_text_keeps_leading_zeros_and_is_plain(self, crowd: Crowd) -> None:
        claimed = self.claimed(Channel.SMS)

        message = code_kind.texts_of([claimed])[claimed.id]

        assert message is not None and "012 345" in message.text
        counted = segments.count(message.text)
        assert (counted.encoding, counted.segments) == ("GSM-7", 1)

    def test_a_code_without_its_digits_is_not_sent(self, crowd: Crowd) -> None:
        claimed = self.claimed(Channel.SMS, body=None)

        assert code_kind.texts_of([claimed]) == {claimed.id: None}


def test_a_code_is_worth_nothing_after_ten_minutes_to_the_provider_either(
    crowd: Crowd, sandbox: Sandbox
) -> None:
    sam = crowd.apply()
    sam.ask_for_code()
    send(crowd)

    assert sandbox.texts_to(PHONE_E164)[0]["validity_period"] <= timedelta(minutes=10).total_seconds()
