"""Everything the sandbox has received: texts by phone, mails by inbox, and the numbers that said STOP."""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from ugly_mugs.sandbox.behaviour import Final

Item = TypeVar("Item")


class Kind(StrEnum):
    """Who wrote a text; the values are Twilio's words for its direction."""

    SERVICE = "outbound-api"
    PERSON = "inbound"
    PROVIDER = "outbound-reply"


PLANS = {
    Final.DELIVERED: ("queued", "sent", "delivered"),
    Final.UNDELIVERED: ("queued", "sent", "undelivered"),
    Final.FAILED: ("queued", "failed"),
}


@dataclass(slots=True)
class Text:
    """One text. Its status follows from the time that has passed: one step of its plan every `step` seconds."""

    place: int
    sid: str
    kind: Kind
    to: str
    sender: str
    body: str
    accepted_at: float
    started: float
    step: float = 0.0
    final: Final = Final.DELIVERED
    error_code: int | None = None
    service: str | None = None
    callback: str | None = None
    validity: int | None = None
    redacted: bool = False
    deleted: bool = False

    @property
    def phone(self) -> str:
        return self.sender if self.kind is Kind.PERSON else self.to

    @property
    def plan(self) -> tuple[str, ...]:
        return PLANS[self.final]

    def status(self) -> str:
        if self.kind is Kind.PERSON:
            return "received"
        steps = int((time.monotonic() - self.started) / self.step) if self.step else len(self.plan)
        if steps <= 0:
            return "accepted" if self.service else "queued"
        return self.plan[min(steps, len(self.plan)) - 1]

    def is_settled(self) -> bool:
        return self.status() in ("delivered", "undelivered", "failed", "received")


@dataclass(slots=True)
class Mail:
    """One mail as it came; `unsubscribed` is the web's HTTP status after a one-click unsubscribe."""

    place: int
    received_at: float
    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    unsubscribed: int | None = None


class Memory:
    """Texts are kept in order of arrival: the end of a text's sid is its place in the list."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.texts: list[Text] = []
        # The phone and the inbox that got something last stand last.
        self.phones: dict[str, list[Text]] = {}
        self._mails: list[Mail] = []
        self._inboxes: dict[str, list[Mail]] = {}
        # Pairs of the service's number and a phone that said STOP to it.
        self.blocks: set[tuple[str, str]] = set()
        self.from_service = 0
        # Drawn anew, so that a sid from before a reset never names a text from after it.
        self._sid_prefix = f"SM{secrets.token_hex(8)}"

    def add_text(
        self, *, kind: Kind, to: str, sender: str, body: str, step: float = 0.0, final: Final = Final.DELIVERED,
        error_code: int | None = None, service: str | None = None, callback: str | None = None,
        validity: int | None = None,
    ) -> Text:  # fmt: skip
        place = len(self.texts)
        text = Text(
            place, f"{self._sid_prefix}{place:016x}", kind, to, sender, body, time.time(), time.monotonic(), step,
            final, error_code, service, callback, validity,
        )  # fmt: skip
        self.texts.append(text)
        self.from_service += kind is Kind.SERVICE
        _append_last(self.phones, text.phone, text)
        return text

    def find(self, sid: str) -> Text | None:
        """The text with this sid, unless it was deleted at the provider."""
        if len(sid) != 34 or not sid.startswith(self._sid_prefix):
            return None
        try:
            text = self.texts[int(sid[18:], 16)]
        except (ValueError, IndexError):
            return None
        return text if text.sid == sid and not text.deleted else None

    def last_sender(self, phone: str) -> str | None:
        """Where a reply from this phone goes: the last number that texted it, or that texted anybody."""
        for texts in (self.phones.get(phone, []), self.texts):
            for text in reversed(texts):
                if text.kind is Kind.SERVICE:
                    return text.sender
        return None

    def add_mail(self, sender: str, recipients: Sequence[str], raw: bytes) -> Mail:
        mail = Mail(len(self._mails), time.time(), sender, tuple(recipients), raw)
        self._mails.append(mail)
        for address in {recipient.lower() for recipient in recipients}:
            _append_last(self._inboxes, address, mail)
        return mail

    @property
    def mail_count(self) -> int:
        return len(self._mails)

    def mails(self, most: int | None = None) -> list[Mail]:
        """The newest mails, newest first; all of them when no number is given."""
        return _newest(self._mails, most)

    def inbox(self, address: str, most: int | None = None) -> list[Mail]:
        return _newest(self._inboxes.get(address.lower(), []), most)

    def inbox_size(self, address: str) -> int:
        return len(self._inboxes.get(address.lower(), []))

    def inboxes(self) -> list[str]:
        """All addresses that got mail, the one with the newest mail first."""
        return list(reversed(self._inboxes))


def _append_last(lists: dict[str, list[Item]], key: str, item: Item) -> None:
    """Add the item to the list of this key, and move the key to the end."""
    items = lists.pop(key, [])
    items.append(item)
    lists[key] = items


def _newest(mails: list[Mail], most: int | None) -> list[Mail]:
    start = 0 if most is None else max(0, len(mails) - most)
    return mails[start:][::-1]
