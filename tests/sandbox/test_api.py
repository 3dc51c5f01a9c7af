"""The imitation of Twilio's Messages API, called by Twilio's own library."""

import http.client
import time
from datetime import UTC, datetime, timedelta

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from tests.make.sandbox import Sandbox
from tests.sandbox.conftest import ASH, BRIAR, SENDER, send, twilio_client, wait_until
from ugly_mugs.sandbox.server import MAX_BODY
from ugly_mugs.sandbox.settings import ACCOUNT_SID
from ugly_mugs.sandbox.twilio.api import POOL_NUMBER


def refused(client: Client, **fields: object) -> TwilioRestException:
    with pytest.raises(TwilioRestException) as refusal:
        send(client, **fields)
    return refusal.value


class TestSending:
    def test_a_text_is_accepted_as_queued_with_a_sid_of_its_own(self, client: Client) -> None:
        first = send(client)
        second = send(client)

        assert first.status == "queued"
        assert first.sid != second.sid
        assert len(first.sid) == 34 and first.sid.startswith("SM")
        assert (first.to, first.from_, first.body) == (ASH, SENDER, "New notice 4F7K.")
        assert first.direction == "outbound-api"

    def test_the_phone_shows_exactly_what_was_sent(self, sandbox: Sandbox, client: Client) -> None:
        body = "Știre nouă: 停止 & 50 % off? No = no. 🌧\nSee https://example.org/a?b=c"

        send(client, body=body)

        assert [text["body"] for text in sandbox.texts_to(ASH)] == [body]
        assert sandbox.texts_to(BRIAR) == []

    def test_a_messaging_service_is_accepted_and_sends_from_its_pool(self, client: Client) -> None:
        sent = client.messages.create(to=ASH, messaging_service_sid="MG" + "0" * 32, body="New notice 4F7K.")

        assert (sent.status, sent.from_) == ("accepted", POOL_NUMBER)

    def test_it_goes_from_queued_through_sent_to_delivered(self, sandbox: Sandbox, client: Client) -> None:
        sandbox.behave(callback_delay_ms=60)
        sent = send(client)
        seen = [sent.status]

        def delivered() -> bool:
            seen.append(client.messages(sent.sid).fetch().status)
            return bool(seen[-1] == "delivered")

        wait_until(delivered)
        assert sorted(set(seen), key=seen.index) == ["queued", "sent", "delivered"]

    def test_what_a_correct_sender_adds_is_understood(self, sandbox: Sandbox, client: Client) -> None:
        send(client, validity_period=3600, risk_check="disable")

        assert sandbox.texts_to(ASH)[0]["validity_period"] == 3600

    def test_the_number_of_parts_is_told(self, client: Client) -> None:
        assert send(client, body="ă" * 71).num_segments == "2"


class TestRefusals:
    @pytest.mark.parametrize(
        ("fields", "code"),
        [
            ({"to": "07700 900111"}, 21211),
            ({"to": "+44 not a number"}, 21211),
            ({"to": ""}, 21604),
            ({"from_": ""}, 21603),
            ({"from_": "far too long a name"}, 21212),
            ({"from_": ASH}, 21266),
            ({"body": ""}, 21602),
            ({"body": "x" * 1601}, 21617),
            ({"status_callback": "not a url"}, 21609),
            ({"validity_period": 0}, 90007),
            ({"validity_period": 36_001}, 90007),
        ],
    )
    def test_a_wrong_request_gets_the_providers_code(
        self, sandbox: Sandbox, client: Client, fields: dict[str, object], code: int
    ) -> None:
        problem = refused(client, **fields)

        assert (problem.status, problem.code) == (400, code)
        assert sandbox.text_count() == 0

    def test_a_wrong_token_is_refused_and_nothing_is_kept(self, sandbox: Sandbox) -> None:
        problem = refused(twilio_client(sandbox, token="wrong"))

        assert (problem.status, problem.code) == (401, 20003)
        assert sandbox.text_count() == 0

    def test_what_the_sandbox_does_not_speak_is_refused_and_not_ignored(self, client: Client) -> None:
        problem = refused(client, schedule_type="fixed", send_at=datetime(2030, 1, 1, tzinfo=UTC))

        assert problem.code == 20001
        assert "SendAt" in problem.msg

    def test_a_body_that_is_too_large_is_refused_and_nothing_is_kept(
        self, sandbox: Sandbox, client: Client
    ) -> None:
        problem = refused(client, body="x" * MAX_BODY)

        assert problem.status == 413
        assert sandbox.text_count() == 0

    def test_another_account_is_not_found(self, client: Client) -> None:
        with pytest.raises(TwilioRestException) as problem:
            client.api.accounts("AC" + "0" * 32).fetch()

        assert (problem.value.status, problem.value.code) == (404, 20404)


class TestListing:
    def test_it_filters_by_who_sent_and_who_received(self, client: Client) -> None:
        send(client, body="one")
        client.messages.create(to=ASH, from_="NOTICES", body="two")
        send(client, BRIAR, body="three")

        assert [m.body for m in client.messages.list()] == ["three", "two", "one"]
        assert [m.body for m in client.messages.list(to=ASH)] == ["two", "one"]
        assert [m.body for m in client.messages.list(from_=SENDER)] == ["three", "one"]
        assert [m.body for m in client.messages.list(to=ASH, from_=SENDER)] == ["one"]
        assert client.messages.list(to="+447700900199") == []

    def test_pages_follow_each_other_and_stay_put_while_new_texts_arrive(self, client: Client) -> None:
        for number in range(7):
            send(client, body=str(number))

        page = client.messages.page(to=ASH, page_size=3)
        first = [m.body for m in page]
        send(client, body="late")
        second = page.next_page()

        assert second is not None
        assert first + [m.body for m in second] == ["6", "5", "4", "3", "2", "1"]
        assert [m.body for m in client.messages.list(to=ASH, page_size=3)] == ["late", *"6543210"]

    def test_it_filters_by_when_they_were_sent(self, client: Client) -> None:
        send(client, body="now")
        now = datetime.now(UTC)
        hour = timedelta(hours=1)

        def count(**when: object) -> int:
            return len(client.messages.list(to=ASH, **when))

        assert count(date_sent_after=now - hour) == 1
        assert count(date_sent_after=now + hour) == 0
        assert count(date_sent_before=now + hour) == 1
        assert count(date_sent_before=now - hour) == 0
        assert count(date_sent_after=now - hour, date_sent_before=now + hour) == 1
        assert count(date_sent=now.date().isoformat()) == 1
        assert count(date_sent=(now - timedelta(days=2)).date().isoformat()) == 0

    def test_a_reply_from_a_phone_is_listed_as_inbound(self, sandbox: Sandbox, client: Client) -> None:
        send(client)
        sandbox.reply(ASH, "Thank you")

        [reply] = client.messages.list(from_=ASH)

        assert (reply.direction, reply.status, reply.body, reply.to) == (
            "inbound",
            "received",
            "Thank you",
            SENDER,
        )
        assert [m.body for m in client.messages.list(to=ASH)] == ["New notice 4F7K."]


class TestOneMessage:
    def test_emptying_it_at_the_provider_leaves_it_on_the_phone(
        self, sandbox: Sandbox, client: Client
    ) -> None:
        sandbox.behave(callback_delay_ms=0)
        sent = send(client)

        emptied = client.messages(sent.sid).update(body="")

        assert emptied.body == ""
        assert client.messages(sent.sid).fetch().body == ""
        [text] = sandbox.texts_to(ASH)
        assert (text["body"], text["redacted"]) == ("New notice 4F7K.", True)

    def test_emptying_waits_for_the_end(self, sandbox: Sandbox, client: Client) -> None:
        sandbox.behave(callback_delay_ms=60_000)
        sent = send(client)

        with pytest.raises(TwilioRestException) as too_early:
            client.messages(sent.sid).update(body="")

        assert (too_early.value.status, too_early.value.code) == (400, 20009)
        assert client.messages(sent.sid).fetch().body == "New notice 4F7K."

    def test_the_list_shows_an_emptied_one_without_words(self, sandbox: Sandbox, client: Client) -> None:
        sandbox.behave(callback_delay_ms=0)
        sent = send(client, body="one")
        send(client, body="two")

        client.messages(sent.sid).update(body="")
        client.messages(sent.sid).update(body="")

        assert [m.body for m in client.messages.list(to=ASH)] == ["two", ""]

    def test_it_cannot_be_given_other_words(self, client: Client) -> None:
        sent = send(client)

        with pytest.raises(TwilioRestException):
            client.messages(sent.sid).update(body="other words")
        assert client.messages(sent.sid).fetch().body == "New notice 4F7K."

    def test_deleting_waits_for_the_end_and_then_removes_it_from_the_list(
        self, sandbox: Sandbox, client: Client
    ) -> None:
        sandbox.behave(callback_delay_ms=30)
        sent = send(client)

        with pytest.raises(TwilioRestException) as too_early:
            client.messages(sent.sid).delete()
        wait_until(lambda: client.messages(sent.sid).fetch().status == "delivered")

        assert (too_early.value.status, too_early.value.code) == (409, 20009)
        assert client.messages(sent.sid).delete() is True
        assert client.messages.list(to=ASH) == []
        with pytest.raises(TwilioRestException) as gone:
            client.messages(sent.sid).fetch()
        assert (gone.value.status, gone.value.code) == (404, 20404)

    @pytest.mark.parametrize("sid", ["SM" + "0" * 32, "SM1", "nonsense"])
    def test_an_unknown_sid_is_not_found(self, client: Client, sid: str) -> None:
        with pytest.raises(TwilioRestException) as gone:
            client.messages(sid).fetch()
        assert gone.value.code == 20404

    def test_the_account_can_be_asked_whether_it_is_well(self, client: Client) -> None:
        assert client.api.accounts(ACCOUNT_SID).fetch().status == "active"


class TestLatency:
    def test_an_answer_takes_as_long_as_it_was_told_and_the_text_is_there_before(
        self, sandbox: Sandbox, client: Client
    ) -> None:
        sandbox.behave(latency_ms=250)
        start = time.monotonic()

        connection = http.client.HTTPConnection("127.0.0.1", sandbox.port)
        connection.request(
            "POST", f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json", "", {"Authorization": "no"}
        )
        assert connection.getresponse().status == 401
        send(client)

        assert time.monotonic() - start >= 0.5

    def test_many_wait_beside_each_other(self, sandbox: Sandbox) -> None:
        sandbox.behave(latency_ms=300)
        connections = [http.client.HTTPConnection("127.0.0.1", sandbox.port) for _ in range(64)]
        start = time.monotonic()

        for connection in connections:
            connection.request("GET", f"/2010-04-01/Accounts/{ACCOUNT_SID}.json")
        for connection in connections:
            assert connection.getresponse().status == 401
            connection.close()

        # One after another they would take 64 times 300 ms.
        assert time.monotonic() - start < 64 * 0.3 / 2
