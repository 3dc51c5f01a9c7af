"""Everything the sandbox has received, in memory only: texts by phone, mails by inbox, and who said STOP."""

import secrets
import threading
import time
from dataclasses import dataclass
from enum import StrEnum

from ugly_mugs.sandbox.behaviour import Final


class Kind(StrEnum):
    """Who wrote a text; the values are the provider's words for its direction."""

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
    """One text. It moves through its plan by the clock alone, one step each `step` seconds."""

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
    """One mail as it came; `unsubscribed` is what the web answered when somebody pressed that button."""

    place: int
    received_at: float
    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    unsubscribed: int | None = None


class Memory:
    """Texts are kept in order of arrival, so that a sid is its place and needs no index of its own."""

    def __init__(self) -> None:
        # Texts belong to the event loop alone; mails come in on threads of their own.
        self.mail_lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        self.texts: list[Text] = []
        self.phones: dict[str, list[Text]] = {}
        with self.mail_lock:
            self._mails: list[Mail] = []
            self._inboxes: dict[str, list[Mail]] = {}
        self.blocks: set[tuple[str, str]] = set()
        self.from_service = 0
        # A fresh half per run keeps sids of a run before from naming texts of this one.
        self._run = secrets.token_hex(8)

    def add(
        self, *, kind: Kind, to: str, sender: str, body: str, step: float = 0.0, final: Final = Final.DELIVERED,
        error_code: int | None = None, service: str | None = None, callback: str | None = None,
        validity: int | None = None,
    ) -> Text:  # fmt: skip
        place = len(self.texts)
        text = Text(
            place, f"SM{self._run}{place:016x}", kind, to, sender, body, time.time(), time.monotonic(), step,
            final, error_code, service, callback, validity,
        )  # fmt: skip
        self.texts.append(text)
        self.from_service += kind is Kind.SERVICE
        # Taking the phone out and putting it back keeps the phone with the newest text last.
        thread = self.phones.pop(text.phone, None) or []
        thread.append(text)
        self.phones[text.phone] = thread
        return text

    def find(self, sid: str) -> Text | None:
        """The text with this sid, unless it was deleted at the provider."""
        if len(sid) != 34 or sid[:18] != f"SM{self._run}":
            return None
        try:
            text = self.texts[int(sid[18:], 16)]
        except (ValueError, IndexError):
            return None
        return text if text.sid == sid and not text.deleted else None

    def last_sender(self, phone: str) -> str | None:
        """The number a reply from this phone goes to: whoever texted it last, else whoever texted anybody."""
        for texts in (self.phones.get(phone, []), self.texts):
            for text in reversed(texts):
                if text.kind is Kind.SERVICE:
                    return text.sender
        return None

    def add_mail(self, sender: str, recipients: tuple[str, ...], raw: bytes) -> Mail:
        """Called with the mail lock held."""
        mail = Mail(len(self._mails), time.time(), sender, recipients, raw)
        self._mails.append(mail)
        for address in {recipient.lower() for recipient in recipients}:
            inbox = self._inboxes.pop(address, None) or []
            inbox.append(mail)
            self._inboxes[address] = inbox
        return mail

    @property
    def mail_count(self) -> int:
        return len(self._mails)

    def mails(self, most: int | None = None) -> list[Mail]:
        """The newest mails, newest first; all of them when no number is given."""
        with self.mail_lock:
            return _newest(self._mails, most)

    def inbox(self, address: str, most: int | None = None) -> list[Mail]:
        """The newest mails to this address, newest first."""
        with self.mail_lock:
            return _newest(self._inboxes.get(address.lower(), []), most)

    def inbox_size(self, address: str) -> int:
        return len(self._inboxes.get(address.lower(), []))

    def inboxes(self) -> list[str]:
        """All addresses that got mail, the one with the newest mail first."""
        with self.mail_lock:
            return list(reversed(self._inboxes))


def _newest(mails: list[Mail], most: int | None) -> list[Mail]:
    start = 0 if most is None else max(0, len(mails) - most)
    return mails[start:][::-1]
