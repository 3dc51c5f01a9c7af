"""Status callbacks: signed and in order, and switched off, doubled or reversed when a test asks for it."""

import time
from collections.abc import Callable

import pytest
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from tests.make.sandbox import Sandbox
from tests.sandbox.conftest import ASH, SENDER, Heard, Web, send as send_text, wait_until, web_server
from ugly_mugs.sandbox.settings import AUTH_TOKEN

Send = Callable[..., str]

PATH = "/webhooks/twilio/token/status?d=abc%2Fdef&n=1"


@pytest.fixture
def send(client: Client, web: Web) -> Send:
    def send(body: str = "New notice 4F7K.", **fields: str) -> str:
        return str(send_text(client, body=body, status_callback=web.url + PATH, **fields).sid)

    return send


def is_signed(web: Web, heard: Heard) -> bool:
    validator = RequestValidator(AUTH_TOKEN)
    return bool(validator.validate(web.url + heard.path, heard.fields, heard.headers["X-Twilio-Signature"]))


class TestCallbacks:
    def test_there_are_three_in_order_each_signed_as_the_provider_signs(self, web: Web, send: Send) -> None:
        sid = send()

        wait_until(lambda: len(web.heard) == 3)
        assert web.statuses() == ["queued", "sent", "delivered"]
        for heard in web.heard:
            assert heard.path == PATH
            assert is_signed(web, heard)
            assert heard.fields["MessageSid"] == sid
            assert (heard.fields["To"], heard.fields["From"]) == (ASH, SENDER)

    def test_another_token_would_not_have_signed_them(self, web: Web, send: Send) -> None:
        send()

        wait_until(lambda: web.heard)
        heard = web.heard[0]
        other = RequestValidator("another token")
        assert not other.validate(web.url + heard.path, heard.fields, heard.headers["X-Twilio-Signature"])

    def test_each_message_keeps_its_own_order_while_many_are_under_way(self, web: Web, send: Send) -> None:
        sids = [send() for _ in range(20)]

        wait_until(lambda: len(web.heard) == 60)
        for sid in sids:
            told = [heard.status for heard in web.heard if heard.fields["MessageSid"] == sid]
            assert told == ["queued", "sent", "delivered"]

    def test_without_a_callback_address_nobody_is_told(
        self, sandbox: Sandbox, client: Client, web: Web
    ) -> None:
        sent = send_text(client)

        wait_until(lambda: client.messages(sent.sid).fetch().status == "delivered")
        assert sandbox.waiting() == 0
        assert web.heard == []

    def test_they_can_be_off_while_the_states_still_move(
        self, sandbox: Sandbox, client: Client, web: Web, send: Send
    ) -> None:
        sandbox.behave(callbacks="off")
        sid = send()

        wait_until(lambda: client.messages(sid).fetch().status == "delivered")
        assert web.heard == []

    def test_they_can_come_twice(self, sandbox: Sandbox, web: Web, send: Send) -> None:
        sandbox.behave(callbacks="duplicate")
        send()

        wait_until(lambda: len(web.heard) == 6)
        assert web.statuses() == ["queued", "queued", "sent", "sent", "delivered", "delivered"]

    def test_they_can_come_in_the_wrong_order(self, sandbox: Sandbox, web: Web, send: Send) -> None:
        sandbox.behave(callbacks="reversed")
        send()

        wait_until(lambda: len(web.heard) == 3)
        assert web.statuses() == ["delivered", "sent", "queued"]

    @pytest.mark.parametrize(
        ("final", "code", "told"),
        [("undelivered", 30005, ["queued", "sent", "undelivered"]), ("failed", 30007, ["queued", "failed"])],
    )
    def test_a_text_that_does_not_arrive_says_why(
        self, sandbox: Sandbox, client: Client, web: Web, send: Send, final: str, code: int, told: list[str]
    ) -> None:
        sandbox.behave(final=final, error_code=code)
        sid = send()

        wait_until(lambda: len(web.heard) == len(told))
        assert web.statuses() == told
        assert web.heard[-1].fields["ErrorCode"] == str(code)
        assert "ErrorCode" not in web.heard[0].fields
        fetched = client.messages(sid).fetch()
        assert (fetched.status, fetched.error_code) == (final, code)

    def test_a_shorter_delay_is_not_held_up_by_a_longer_one_before_it(
        self, sandbox: Sandbox, web: Web, send: Send
    ) -> None:
        sandbox.behave(callback_delay_ms=60_000)
        send()
        sandbox.behave(callback_delay_ms=0)
        sid = send()

        wait_until(lambda: len(web.heard) == 3)
        assert {heard.fields["MessageSid"] for heard in web.heard} == {sid}
        # The web has the last one a moment before the sandbox has its answer.
        wait_until(lambda: sandbox.waiting() == 3)


class TestWhoIsCalled:
    def test_a_web_that_starts_a_little_later_is_told_all_the_same(self, client: Client) -> None:
        web = Web()
        server = web_server(web)
        port = server.server_port
        server.shutdown()
        server.server_close()

        send_text(client, status_callback=f"{web.url}/status")
        time.sleep(0.3)
        server = web_server(web, port)

        wait_until(lambda: len(web.heard) == 3)
        assert web.statuses() == ["queued", "sent", "delivered"]
        server.shutdown()
        server.server_close()

    def test_a_web_that_closes_a_kept_connection_is_told_everything(self, web: Web, send: Send) -> None:
        web.closes_without_notice = True
        send()

        wait_until(lambda: len(web.heard) == 3)
        assert web.statuses() == ["queued", "sent", "delivered"]

    @pytest.mark.parametrize(
        "url", ["https://127.0.0.1/s", "http://example.org/s", "http://192.0.2.7:8000/s"]
    )
    def test_nobody_but_this_machine_is_ever_called(self, sandbox: Sandbox, client: Client, url: str) -> None:
        send_text(client, status_callback=url)

        wait_until(lambda: sandbox.waiting() == 0)
        assert sandbox.call_answers() == {"elsewhere": 3}

    def test_an_error_of_the_web_is_counted_and_not_tried_again(
        self, sandbox: Sandbox, web: Web, send: Send
    ) -> None:
        web.answers = 500
        send()

        wait_until(lambda: sandbox.waiting() == 0)
        assert sandbox.call_answers() == {"500": 3}
        assert len(web.heard) == 3
