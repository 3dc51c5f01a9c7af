"""A person answers from a phone: the provider keeps its block list and tells the web, signed."""

import asyncio

from ugly_mugs.sandbox.api import PHONE
from ugly_mugs.sandbox.caller import Caller
from ugly_mugs.sandbox.memory import Kind, Memory, Text
from ugly_mugs.sandbox.segments import count_segments
from ugly_mugs.sandbox.settings import SandboxSettings

STOP_WORDS = frozenset(("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "OPTOUT", "REVOKE"))
START_WORDS = frozenset(("START", "YES", "UNSTOP"))
HELP_WORDS = frozenset(("HELP", "INFO"))

STOPPED = (
    "You have successfully been unsubscribed. You will not receive any more messages from this number. "
    "Reply START to resubscribe."
)
STARTED = (
    "You have successfully been re-subscribed to messages from this number. Reply HELP for help. "
    "Reply STOP to unsubscribe. Msg&Data Rates May Apply."
)
HELPED = "Reply STOP to unsubscribe. Msg&Data Rates May Apply."


class CannotReply(ValueError):
    """There is nobody this phone could answer."""


class Replies:
    def __init__(self, settings: SandboxSettings, memory: Memory, caller: Caller) -> None:
        self._settings = settings
        self._memory = memory
        self._caller = caller

    def send(self, phone: str, body: str, to: str | None = None) -> tuple[Text, "asyncio.Future[int] | None"]:
        """Take a reply in; the future holds the web's HTTP status, None when no webhook is set."""
        to = to or self._memory.last_sender(phone)
        if not PHONE.fullmatch(phone):
            raise CannotReply(f"{phone} is not a phone number.")
        if to is None:
            raise CannotReply("Nobody has sent a text yet, so there is nobody to answer.")
        if not can_be_answered(to):
            raise CannotReply(f"{to} is a name and not a number: nobody can answer it.")
        # JSON can hold half a character, which no phone can send.
        if not body.strip() or len(body) > 1600 or any(0xD800 <= ord(letter) < 0xE000 for letter in body):
            raise CannotReply("A reply has between 1 and 1,600 characters.")
        text = self._memory.add(kind=Kind.PERSON, to=to, sender=phone, body=body)
        self._keep_block_list(phone, to, body)
        webhook = self._settings.message_webhook
        if webhook is None:
            return text, None
        answered: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        # All of one phone's replies take one lane: a START must not overtake its STOP.
        self._caller.post(webhook, self._fields(text), order=hash(phone), answered=answered)
        return text, answered

    def _keep_block_list(self, phone: str, to: str, body: str) -> None:
        # The provider matches whole messages only; "stop please" is for the web to understand.
        word = body.strip().upper()
        blocked = (to, phone) in self._memory.blocks
        if word in STOP_WORDS:
            self._memory.blocks.add((to, phone))
            answer = None if blocked else STOPPED
        elif word in START_WORDS:
            self._memory.blocks.discard((to, phone))
            answer = STARTED if blocked else None
        else:
            answer = HELPED if word in HELP_WORDS and not blocked else None
        if answer:
            self._memory.add(kind=Kind.PROVIDER, to=phone, sender=to, body=answer)

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
