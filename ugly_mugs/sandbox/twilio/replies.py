"""A reply from a phone: Twilio keeps its own list of numbers that said STOP, and posts the reply to the web."""

import asyncio
import re

from ugly_mugs.sandbox.callbacks import WebClient
from ugly_mugs.sandbox.memory import Kind, Memory, Text
from ugly_mugs.sandbox.settings import SandboxSettings
from ugly_mugs.sandbox.twilio.segments import count_segments

PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
STOP_WORDS = frozenset(("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "OPTOUT", "REVOKE"))
START_WORDS = frozenset(("START", "YES", "UNSTOP"))
HELP_WORDS = frozenset(("HELP", "INFO"))

STOP_ANSWER = (
    "You have successfully been unsubscribed. You will not receive any more messages from this number. "
    "Reply START to resubscribe."
)
START_ANSWER = (
    "You have successfully been re-subscribed to messages from this number. Reply HELP for help. "
    "Reply STOP to unsubscribe. Msg&Data Rates May Apply."
)
HELP_ANSWER = "Reply STOP to unsubscribe. Msg&Data Rates May Apply."


class CannotReply(ValueError):
    """This reply cannot be sent; the message says why."""


class Replies:
    def __init__(self, settings: SandboxSettings, memory: Memory, web_client: WebClient) -> None:
        self._settings = settings
        self._memory = memory
        self._web_client = web_client

    def send(self, phone: str, body: str, to: str | None = None) -> tuple[Text, "asyncio.Future[int] | None"]:
        """Send a reply; the future gets the web's HTTP status, and is None when no webhook is set."""
        to = to or self._memory.last_sender(phone)
        if not PHONE.fullmatch(phone):
            raise CannotReply(f"{phone} is not a phone number.")
        if to is None:
            raise CannotReply("Nobody has sent a text yet, so there is nobody to answer.")
        if not can_be_answered(to):
            raise CannotReply(f"{to} is a name and not a number: nobody can answer it.")
        # JSON can hold one half of a surrogate pair, which no phone can send.
        if not body.strip() or len(body) > 1600 or any(0xD800 <= ord(letter) < 0xE000 for letter in body):
            raise CannotReply("A reply has between 1 and 1,600 characters.")
        text = self._memory.add_text(kind=Kind.PERSON, to=to, sender=phone, body=body)
        self._update_blocks(phone, to, body)
        webhook = self._settings.message_webhook
        if webhook is None:
            return text, None
        # One phone's replies share an order key, so that a START cannot overtake a STOP.
        return text, self._web_client.post(webhook, self._fields(text), order=hash(phone))

    def _update_blocks(self, phone: str, to: str, body: str) -> None:
        # Twilio compares the whole message only; "stop please" is left to the web.
        word = body.strip().upper()
        blocked = (to, phone) in self._memory.blocks
        if word in STOP_WORDS:
            self._memory.blocks.add((to, phone))
            answer = None if blocked else STOP_ANSWER
        elif word in START_WORDS:
            self._memory.blocks.discard((to, phone))
            answer = START_ANSWER if blocked else None
        else:
            answer = HELP_ANSWER if word in HELP_WORDS and not blocked else None
        if answer:
            self._memory.add_text(kind=Kind.PROVIDER, to=phone, sender=to, body=answer)

    def _fields(self, text: Text) -> dict[str, str]:
        return {
            "AccountSid": self._settings.account_sid,
            "ApiVersion": "2010-04-01",
            "Body": text.body,
            "From": text.sender,
            "FromCountry": "GB",
            "MessageSid": text.sid,
            "NumMedia": "0",
            "NumSegments": str(count_segments(text.body)),
            "SmsMessageSid": text.sid,
            "SmsSid": text.sid,
            "SmsStatus": "received",
            "To": text.to,
            "ToCountry": "GB",
        }


def can_be_answered(sender: str) -> bool:
    return bool(PHONE.fullmatch(sender)) or (sender.isascii() and sender.isdigit())
