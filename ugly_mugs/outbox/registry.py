"""What a feature registers with the outbox: its kinds of message, its handlers of handovers, its opt-out hooks."""

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
from ugly_mugs.outbox.models import AddressState, Channel, HandoverKind, MessageKind
from ugly_mugs.outbox.pace import Circuit
from ugly_mugs.runtime import runtime
from ugly_mugs.wiring import nothing_to_do


class Priority(IntEnum):
    """The order of claiming. Below DANGER is the first class, which a tenth of the pace is reserved for."""

    FIRST = 0
    DANGER = 10
    RISK = 20
    REST = 30


FIRST_CLASS_BELOW = Priority.DANGER


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery as it was when it was claimed. `body` is sealed until `claims.with_body` has opened it."""

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
class MessageText:
    """What one message says. An SMS uses `text` only; `headers` are further header fields of an e-mail.

    Deliveries with the same text should share one object, because an e-mail is rendered once for each object.
    """

    text: str = field(repr=False)
    subject: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Unfit:
    """Stands for a text when the whole subject must not be sent; `reason` is one word for the log."""

    reason: str


# For gates: the moment of the claim. A gate is built once, so a time read from the clock in it would never change.
CLAIM_TIME = sa.bindparam("the_time", type_=UtcDateTime())

# For gates: whether the claim is made in quiet hours.
IS_QUIET = sa.bindparam("is_quiet", type_=sa.Boolean)

Gate = Callable[[], sa.ColumnElement[bool]]
TextsOf = Callable[[Sequence[Claimed]], Mapping[uuid.UUID, MessageText | Unfit | None]]


@dataclass(frozen=True)
class MessageKindSpec:
    """How one kind of message is sent.

    `gate` returns a condition over `Delivery` (a correlated EXISTS) that must hold at the moment of claiming. It
    is built once for each application, compares times with CLAIM_TIME and may use IS_QUIET.
    `texts_of` returns the texts by delivery id. None, or no entry, means that this delivery must not be sent;
    Unfit, that nothing of its subject may be. It only reads: what follows from Unfit is decided in `stop`.
    `reaches` names the states of an address that this kind may be sent to.
    `stop` gets the id of a subject that is unfit, or whose text the provider refuses, so that it can be paused.
    It writes to the session and does not commit.
    """

    kind: MessageKind
    gate: Gate
    texts_of: TextsOf
    first_class: bool = False
    reaches: frozenset[AddressState] = frozenset({AddressState.PROVED})
    stop: Callable[[uuid.UUID], None] | None = None


@dataclass(frozen=True, slots=True)
class OpenedHandover:
    id: uuid.UUID
    kind: HandoverKind
    payload: Mapping[str, Any] = field(repr=False)
    received_at: datetime
    now: datetime


class Refused(Exception):
    """Raised by a handler: the handover has a wrong signature or cannot be read."""


Handler = Callable[[OpenedHandover], None]
AddressHook = Callable[[uuid.UUID, Channel, datetime], None]


class Registry:
    """What the outbox knows of the features above it, and what it counts; one for each application.

    `handlers` apply handovers. `on_stop` and `on_start` record that an owner's address was opted out or opted in
    again. All of them write to the session and leave the commit to the caller.
    """

    def __init__(
        self,
        kinds: Iterable[MessageKindSpec] = (),
        handlers: Mapping[HandoverKind, Handler] | None = None,
        on_stop: AddressHook = nothing_to_do,
        on_start: AddressHook = nothing_to_do,
    ) -> None:
        self.kinds = {spec.kind: spec for spec in kinds}
        self.handlers = dict(handlers or {})
        self.on_stop = on_stop
        self.on_start = on_start
        self.circuits = {channel: Circuit() for channel in Channel}
        # Status updates that were no legal move, counted by (state of the delivery, state in the update).
        self.dropped_updates: Counter[tuple[str, str]] = Counter()


def registry(app: Flask | None = None) -> Registry:
    """The registry of an application, made from its wiring; without one named, of the running one."""
    wiring = runtime(app).wiring
    return runtime(app).process_state.of(
        Registry, lambda: Registry(wiring.kinds, wiring.handlers, wiring.on_stop, wiring.on_start)
    )
