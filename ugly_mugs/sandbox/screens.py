"""What the page shows of one phone and of one inbox."""

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from ugly_mugs.sandbox.memory import Kind, Mail, Memory, Text
from ugly_mugs.sandbox.reading import Letter, read
from ugly_mugs.sandbox.replies import can_be_answered
from ugly_mugs.sandbox.segments import count_segments

SIDES = {Kind.SERVICE: "theirs", Kind.PERSON: "mine", Kind.PROVIDER: "provider"}


@dataclass(frozen=True, slots=True)
class Bubble:
    side: str
    sender: str
    body: str
    at: str
    note: str
    arrived: bool


@dataclass(frozen=True, slots=True)
class Phone:
    number: str
    link: str
    bubbles: list[Bubble]
    earlier: int
    stopped: bool
    sender: str | None
    can_reply: bool


@dataclass(frozen=True, slots=True)
class Envelope:
    place: int
    at: str
    letter: Letter
    said: str | None


@dataclass(frozen=True, slots=True)
class Inbox:
    address: str
    link: str
    envelopes: list[Envelope]
    earlier: int


def phone_screen(memory: Memory, number: str, most: int) -> Phone:
    """The newest texts of a phone, newest first, and whether a reply could reach anybody."""
    thread = memory.phones.get(number, [])
    sender = memory.last_sender(number)
    return Phone(
        number=number,
        link=f"/phones/{quote(number)}",
        bubbles=[_bubble(text) for text in reversed(thread[-most:])],
        earlier=max(0, len(thread) - most),
        stopped=any(stopped == number for _, stopped in memory.blocks),
        sender=sender,
        can_reply=sender is not None and can_be_answered(sender),
    )


def inbox_screen(memory: Memory, address: str, most: int) -> Inbox:
    """The newest mails of an inbox, newest first."""
    mails = memory.inbox(address, most)
    return Inbox(
        address=address,
        link=f"/inboxes/{quote(address)}",
        envelopes=[_envelope(mail) for mail in mails],
        earlier=memory.inbox_size(address) - len(mails),
    )


def _envelope(mail: Mail) -> Envelope:
    return Envelope(mail.place, _clock(mail.received_at), read(mail), _said(mail.unsubscribed))


def _bubble(text: Text) -> Bubble:
    status = text.status()
    notes = [status] if text.kind is Kind.SERVICE else []
    if status in ("undelivered", "failed"):
        notes.append(f"error {text.error_code}")
    parts = count_segments(text.body)
    if parts > 1:
        notes.append(f"{parts} parts")
    if text.deleted or text.redacted:
        notes.append("deleted at the provider" if text.deleted else "emptied at the provider")
    return Bubble(
        side=SIDES[text.kind],
        sender=text.sender,
        body=text.body,
        at=_clock(text.accepted_at),
        note=" · ".join(notes),
        arrived=status not in ("undelivered", "failed"),
    )


def _said(status: int | None) -> str | None:
    if status is None:
        return None
    return f"The website answered {status}." if status else "Nobody answered there."


def _clock(moment: float) -> str:
    """The time of day where this machine is; a sandbox seldom lives longer than that."""
    return datetime.fromtimestamp(moment, UTC).astimezone().strftime("%H:%M:%S")
