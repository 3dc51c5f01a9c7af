"""Tables of the outbox: addresses, deliveries (one message to one recipient each), fan-outs and handovers."""

import uuid
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from ugly_mugs.database.columns import (
    Clear,
    Model,
    UtcDateTime,
    clear,
    keyed,
    partial_index,
    primary_key,
    sealed,
    state_of,
)
from ugly_mugs.database.states import Moves


class Channel(StrEnum):
    SMS = "sms"
    EMAIL = "email"


class AddressState(StrEnum):
    UNPROVED = "unproved"
    PROVED = "proved"
    INVALID = "invalid"
    OPTED_OUT = "opted_out"


_A = AddressState
ADDRESS_MOVES = Moves(
    {
        _A.UNPROVED: frozenset({_A.PROVED, _A.INVALID, _A.OPTED_OUT}),
        _A.PROVED: frozenset({_A.INVALID, _A.OPTED_OUT}),
        _A.INVALID: frozenset({_A.UNPROVED, _A.OPTED_OUT}),
        _A.OPTED_OUT: frozenset({_A.UNPROVED, _A.PROVED}),
    }
)


class Address(Model):
    """A phone number or e-mail address of one owner (a member); only the worker can read it.

    The web writes it sealed to the dispatch key, without a tag. The worker opens it, looks whether the address
    is known already, and sets the tag. `tag` is unique, so an address belongs to one owner.
    """

    __tablename__ = "addresses"
    __table_args__ = (sa.UniqueConstraint("owner_id", "channel"),)

    id: Mapped[uuid.UUID] = primary_key()
    owner_id: Mapped[uuid.UUID] = clear(Clear.ID, sa.Uuid)
    channel: Mapped[Channel] = state_of(Channel)
    state: Mapped[AddressState] = state_of(AddressState, default=AddressState.UNPROVED)
    tag: Mapped[bytes | None] = keyed("contact-tag", nullable=True, unique=True)
    handed: Mapped[bytes | None] = sealed("dispatch key", nullable=True)  # until the worker takes it over
    sealed: Mapped[bytes | None] = sealed("contacts", nullable=True)


class DeliveryState(StrEnum):
    QUEUED = "queued"
    HELD = "held"
    ATTEMPTING = "attempting"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    SENT = "sent"
    UNCONFIRMED = "unconfirmed"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    SUPPRESSED = "suppressed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


_D = DeliveryState
DELIVERY_MOVES = Moves(
    {
        _D.QUEUED: frozenset({_D.ATTEMPTING, _D.HELD, _D.SUPPRESSED, _D.EXPIRED, _D.CANCELLED}),
        _D.HELD: frozenset({_D.QUEUED, _D.SUPPRESSED, _D.EXPIRED, _D.CANCELLED}),
        _D.ATTEMPTING: frozenset(
            {
                _D.ACCEPTED,
                _D.SENT,
                _D.DELIVERED,
                _D.UNDELIVERED,
                _D.FAILED,
                _D.SUPPRESSED,
                _D.UNKNOWN,
                _D.QUEUED,
            }
        ),
        _D.UNKNOWN: frozenset(
            {_D.ACCEPTED, _D.SENT, _D.DELIVERED, _D.UNDELIVERED, _D.FAILED, _D.QUEUED, _D.UNCONFIRMED}
        ),
        _D.ACCEPTED: frozenset({_D.SENT, _D.DELIVERED, _D.UNDELIVERED, _D.FAILED, _D.QUEUED}),
        _D.SENT: frozenset({_D.DELIVERED, _D.UNDELIVERED, _D.FAILED, _D.QUEUED}),
        _D.UNCONFIRMED: frozenset({_D.ACCEPTED, _D.SENT, _D.DELIVERED, _D.UNDELIVERED, _D.FAILED}),
        _D.DELIVERED: frozenset(),
        _D.UNDELIVERED: frozenset(),
        _D.FAILED: frozenset(),
        _D.SUPPRESSED: frozenset(),
        _D.EXPIRED: frozenset(),
        _D.CANCELLED: frozenset(),
    }
)
WAITING = frozenset({_D.QUEUED, _D.HELD})
FINAL = DELIVERY_MOVES.final()


class MessageKind(StrEnum):
    """Only kinds registered in `outbox.registry` are claimed."""

    ALERT = "alert"
    CODE = "code"
    STOP_ANSWER = "stop_answer"
    HELP_ANSWER = "help_answer"


class Delivery(Model):
    """One message to one recipient by one channel. Features insert it as `queued`; the worker moves it on.

    Unique by (kind, subject, recipient, channel), so that a second click or a repeated statement adds nothing.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        sa.UniqueConstraint("kind", "subject_id", "recipient_id", "channel"),
        partial_index("ix_deliveries_waiting", "channel", "priority", "not_before", where="state = 'queued'"),
        partial_index(
            "ix_deliveries_under_way", "state", "lease_ends_at", where="state IN ('attempting', 'unknown')"
        ),
        partial_index("ix_deliveries_held", "subject_id", where="state = 'held'"),
        sa.Index("ix_deliveries_recipient_id", "recipient_id"),
        # Both are partial, so that inserting a delivery does not touch them.
        partial_index(
            "ix_deliveries_at_the_provider", "state", "attempted_at", where="provider_id IS NOT NULL"
        ),
        partial_index("ix_deliveries_own_words", "expires_at", where="body IS NOT NULL"),
    )

    id: Mapped[uuid.UUID] = primary_key()
    kind: Mapped[MessageKind] = state_of(MessageKind)
    subject_id: Mapped[uuid.UUID] = clear(Clear.ID, sa.Uuid)
    recipient_id: Mapped[uuid.UUID] = clear(Clear.ID, sa.Uuid)
    channel: Mapped[Channel] = state_of(Channel)
    # The web's database role may not write this column; INSERT … SELECT relies on the server default.
    state: Mapped[DeliveryState] = state_of(
        DeliveryState, default=DeliveryState.QUEUED, server_default="queued"
    )
    # The shard: which of a channel's senders takes it. There is one so far.
    sender: Mapped[int] = clear(Clear.COUNT, sa.SmallInteger, default=0)
    priority: Mapped[int] = clear(Clear.COUNT, sa.SmallInteger)
    wakes: Mapped[bool] = clear(Clear.FLAG, sa.Boolean, default=True)  # may leave in quiet hours
    not_before: Mapped[datetime] = clear(Clear.NAMED, UtcDateTime)
    expires_at: Mapped[datetime | None] = clear(Clear.NAMED, UtcDateTime, nullable=True)
    language: Mapped[str] = clear(Clear.NAMED, sa.String(8), default="en")
    level: Mapped[str] = clear(Clear.NAMED, sa.String(8), default="neutral")
    segments: Mapped[int] = clear(Clear.COUNT, sa.SmallInteger, default=1)
    attempt: Mapped[int] = clear(Clear.COUNT, sa.SmallInteger, default=0, server_default="0")
    # Further attempts after one that certainly failed.
    retries: Mapped[int] = clear(Clear.COUNT, sa.SmallInteger, default=0, server_default="0")
    # In `attempting`: until when its worker may send it. In `unknown`: when to look for it next. In any other
    # state, with a provider id: when to ask the provider next to empty it.
    lease_ends_at: Mapped[datetime | None] = clear(Clear.NAMED, UtcDateTime, nullable=True)
    attempted_at: Mapped[datetime | None] = clear(Clear.NAMED, UtcDateTime, nullable=True)
    # The address of the latest attempt; the owner may have another address by now.
    address_id: Mapped[uuid.UUID | None] = clear(Clear.ID, sa.Uuid, nullable=True)
    # Kept until the provider has emptied the message.
    provider_id: Mapped[str | None] = clear(Clear.NAMED, sa.String(64), nullable=True)
    error_code: Mapped[int | None] = clear(Clear.COUNT, sa.Integer, nullable=True)
    # Only for kinds whose text is different for each person, such as a code.
    body: Mapped[bytes | None] = sealed("contacts", nullable=True)


class FanOut(Model):
    """Progress of a large fan-out, which the worker continues in slices."""

    __tablename__ = "fan_outs"
    __table_args__ = (sa.UniqueConstraint("kind", "subject_id"),)

    id: Mapped[uuid.UUID] = primary_key()
    kind: Mapped[MessageKind] = state_of(MessageKind)
    subject_id: Mapped[uuid.UUID] = clear(Clear.ID, sa.Uuid)
    last_recipient_id: Mapped[uuid.UUID | None] = clear(Clear.ID, sa.Uuid, nullable=True)
    done: Mapped[bool] = clear(Clear.FLAG, sa.Boolean, default=False)


class HandoverKind(StrEnum):
    """What the web hands over to the worker; each kind has one handler."""

    ADDRESS_GIVEN = "address_given"  # an address row waits to be taken over
    CODE_WANTED = "code_wanted"
    MESSAGE_CAME = "message_came"  # inbound SMS
    STATUS_CAME = "status_came"  # status callback
    OPTED_OUT = "opted_out"  # one-click link; the web has closed the address already


class HandoverState(StrEnum):
    WAITING = "waiting"
    DONE = "done"
    REFUSED = "refused"  # wrong signature, unreadable, or it failed for too long


_H = HandoverState
HANDOVER_MOVES = Moves(
    {
        _H.WAITING: frozenset({_H.DONE, _H.REFUSED}),
        _H.DONE: frozenset(),
        _H.REFUSED: frozenset(),
    }
)


class Handover(Model):
    """Something the web accepted and cannot open. The worker opens and applies it, then deletes its contents."""

    # The former name: what is sealed in it is bound to the name of its table.
    __tablename__ = "requests"
    __table_args__ = (partial_index("ix_requests_waiting", "received_at", where="state = 'waiting'"),)

    id: Mapped[uuid.UUID] = primary_key()
    kind: Mapped[HandoverKind] = state_of(HandoverKind)
    state: Mapped[HandoverState] = state_of(HandoverState, default=HandoverState.WAITING)
    sealed: Mapped[bytes | None] = sealed("dispatch key", nullable=True)
    received_at: Mapped[datetime] = clear(Clear.NAMED, UtcDateTime)
