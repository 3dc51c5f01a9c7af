"""What each kind of message must say of itself before the outbox sends one, and who is told of what came back."""

import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any

import sqlalchemy as sa
from flask import Flask

from ugly_mugs.database.columns import UtcDateTime
from ugly_mugs.outbox.models import AddressState, Channel, MessageKind, RequestKind
from ugly_mugs.outbox.pace import Circuit
from ugly_mugs.runtime import runtime


class Priority(IntEnum):
    """Which is claimed first; whatever lies below DANGER may use the tenth of the pace kept for the first class."""

    FIRST = 0
    DANGER = 10
    RISK = 20
    REST = 30


FIRST_CLASS_BELOW = Priority.DANGER


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery as it was when it was claimed; `body` is opened already, for kinds that have one."""

    id: uuid.UUID
    kind: MessageKind
    subject_id: uuid.UUID
    recipient_id: uuid.UUID
    channel: Channel
    priority: int
    attempt: int
    retries: int
    segments: int
    language: str
    level: str
    expires_at: datetime | None
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Words:
    """What one message says. A text uses `text` only; `headers` are further lines of an e-mail's head.

    Deliveries with the same words should share one object: an e-mail is rendered once for each.
    """

    text: str = field(repr=False)
    subject: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


# For gates: the moment of the claim. A gate is built once, so a moment taken from a clock in it would stand still.
CLAIM_TIME = sa.bindparam("the_time", type_=UtcDateTime())

# For gates: whether it is quiet at that moment, when only those who still want to be woken are.
IS_QUIET = sa.bindparam("is_quiet", type_=sa.Boolean)

Gate = Callable[[], sa.ColumnElement[bool]]
Wording = Callable[[Sequence[Claimed]], Mapping[uuid.UUID, Words | None]]


@dataclass(frozen=True)
class MessageKindSpec:
    """How one kind of message is sent.

    `gate` gives a condition over `Delivery` (a correlated EXISTS) that must hold at the moment of claiming; it is
    built once for each application, compares times with CLAIM_TIME and may ask IS_QUIET.
    `words` gives the words by delivery id; None there, or no entry, means this one must not be sent.
    `reaches` names the states of an address that this kind may be sent to.
    `refused` is told the subject's id when the provider refuses its words, so that it can be paused; it writes
    to the session and does not commit.
    """

    kind: MessageKind
    gate: Gate
    words: Wording
    first_class: bool = False
    reaches: frozenset[AddressState] = frozenset({AddressState.PROVED})
    refused: Callable[[uuid.UUID], None] | None = None


@dataclass(frozen=True, slots=True)
class HandedOver:
    """A request of the web, opened by the worker."""

    id: uuid.UUID
    kind: RequestKind
    payload: Mapping[str, Any] = field(repr=False)
    received_at: datetime
    now: datetime


class Refused(Exception):
    """Raised by a handler: the request has a wrong signature, or nothing in it can be read."""


Handler = Callable[[HandedOver], None]
AddressHook = Callable[[uuid.UUID, Channel, datetime], None]


def _nobody_to_tell(owner_id: uuid.UUID, channel: Channel, now: datetime) -> None:
    """An outbox without members has no consent to record."""


class Registry:
    """What the outbox knows of the features above it, and what it counts; one for each application.

    `handlers` apply what the web handed over; `on_stop` and `on_start` record that an owner's address was opted
    out or taken up again. All of them write to the session and leave the commit to the caller.
    """

    def __init__(
        self,
        kinds: Iterable[MessageKindSpec] = (),
        handlers: Mapping[RequestKind, Handler] | None = None,
        on_stop: AddressHook = _nobody_to_tell,
        on_start: AddressHook = _nobody_to_tell,
    ) -> None:
        self.kinds = {spec.kind: spec for spec in kinds}
        self.handlers = dict(handlers or {})
        self.on_stop = on_stop
        self.on_start = on_start
        self.circuits = {channel: Circuit() for channel in Channel}
        # News of the provider that was no legal move: (what the delivery was, what it was said to be).
        self.dropped_news: Counter[tuple[str, str]] = Counter()


def registry(app: Flask | None = None) -> Registry:
    """The registry of an application, made from its wiring; without one named, of the running one."""
    wiring = runtime(app).wiring
    return runtime(app).state.of(
        Registry, lambda: Registry(wiring.kinds, wiring.handlers, wiring.on_stop, wiring.on_start)
    )
