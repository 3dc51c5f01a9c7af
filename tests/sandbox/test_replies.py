"""A person answers from a phone, and the provider keeps its own list of who said stop."""

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from tests.make.sandbox import Sandbox
from tests.sandbox.conftest import ASH, BRIAR, SENDER, Web, send, twilio_client
from ugly_mugs.sandbox.settings import AUTH_TOKEN, SandboxSettings
from ugly_mugs.sandbox.twilio.replies import CannotReply


@pytest.fixture(autouse=True)
def texted(client: Client) -> None:
    send(client)


def can_text(client: Client, phone: str, sender: str = SENDER) -> bool:
    try:
        client.messages.create(to=phone, from_=sender, body="New notice 8Q2M.")
    except TwilioRestException as refusal:
        assert (refusal.status, refusal.code) == (400, 21610)
        return False
    return True


class TestReplying:
    def test_the_web_hears_it_signed(self, sandbox: Sandbox, web: Web) -> None:
        status = sandbox.reply(ASH, "Mulțumesc! 谢谢 & more = better?")

        [heard] = web.heard
        validator = RequestValidator(AUTH_TOKEN)
        assert status == 204
        assert heard.path == "/webhooks/twilio/token/message"
        assert validator.validate(web.url + heard.path, heard.fields, heard.headers["X-Twilio-Signature"])
        assert (heard.fields["From"], heard.fields["To"]) == (ASH, SENDER)
        assert heard.fields["Body"] == "Mulțumesc! 谢谢 & more = better?"
        assert heard.fields["MessageSid"].startswith("SM")
        assert "OptOutType" not in heard.fields

    def test_it_goes_to_whoever_texted_that_phone_last(
        self, sandbox: Sandbox, client: Client, web: Web
    ) -> None:
        client.messages.create(to=ASH, from_="+447700900901", body="Another sender")
        send(client, BRIAR, body="Another phone")

        sandbox.reply(ASH, "Thank you")

        assert web.heard[0].fields["To"] == "+447700900901"

    def test_a_name_cannot_be_answered(self, sandbox: Sandbox, client: Client, web: Web) -> None:
        client.messages.create(to=BRIAR, from_="NOTICES", body="New notice 4F7K.")

        with pytest.raises(CannotReply):
            sandbox.reply(BRIAR, "STOP")
        assert web.heard == []
        assert can_text(client, BRIAR, "NOTICES")

    @pytest.mark.parametrize("body", ["", "   ", "x" * 1601, "half a character \ud83c"])
    def test_what_no_phone_can_send_is_refused(self, sandbox: Sandbox, web: Web, body: str) -> None:
        with pytest.raises(CannotReply):
            sandbox.reply(ASH, body)
        assert web.heard == []

    def test_without_a_webhook_the_block_list_is_kept_all_the_same(self) -> None:
        with Sandbox(SandboxSettings(message_webhook=None)) as sandbox:
            client = twilio_client(sandbox)
            assert can_text(client, ASH)

            assert sandbox.reply(ASH, "STOP") is None
            assert not can_text(client, ASH)


class TestStopping:
    @pytest.mark.parametrize(
        "word", ["STOP", "stop", " Stop\n", "StopAll", "UNSUBSCRIBE", "cancel", "END", "quit"]
    )
    def test_a_stop_word_alone_blocks_that_phone_for_that_number(
        self, sandbox: Sandbox, client: Client, word: str
    ) -> None:
        sandbox.reply(ASH, word)

        assert not can_text(client, ASH)
        assert can_text(client, ASH, "+447700900901")
        assert can_text(client, BRIAR)

    @pytest.mark.parametrize("words", ["stop please", "Stop.", "STOPP", "PARAR", "停止"])
    def test_anything_more_is_left_to_the_web(
        self, sandbox: Sandbox, client: Client, web: Web, words: str
    ) -> None:
        sandbox.reply(ASH, words)

        assert can_text(client, ASH)
        assert web.heard[0].fields["Body"] == words

    def test_the_web_hears_a_stop_and_the_phone_hears_the_provider_once(
        self, sandbox: Sandbox, web: Web
    ) -> None:
        sandbox.reply(ASH, "STOP")
        sandbox.reply(ASH, "STOP")

        assert [heard.fields["Body"] for heard in web.heard] == ["STOP", "STOP"]
        assert len(sandbox.texts_to(ASH)) == 1
        kinds = [text["kind"] for text in sandbox.thread_of(ASH)]
        assert kinds == ["person", "provider", "person", "service"]

    @pytest.mark.parametrize("word", ["START", "yes", "Unstop"])
    def test_a_start_word_opens_it_again(self, sandbox: Sandbox, client: Client, word: str) -> None:
        sandbox.reply(ASH, "STOP")

        sandbox.reply(ASH, word)

        assert can_text(client, ASH)
