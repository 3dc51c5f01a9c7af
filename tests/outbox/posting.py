"""People with phones and inboxes, and messages for them, for the tests of the outbox."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from flask import Flask

from tests.make.databases import execute
from tests.make.wiring import rewire
from ugly_mugs.database.engine import db, reading
from ugly_mugs.outbox import addresses, ledger
from ugly_mugs.outbox.inbound.keyword_replies import HELP_ANSWER, STOP_ANSWER
from ugly_mugs.outbox.models import (
    Address,
    AddressState,
    Channel,
    Delivery,
    DeliveryState,
    FanOut,
    MessageKind,
)
from ugly_mugs.outbox.registry import (
    Claimed,
    MessageKindSpec,
    MessageText,
    Priority,
    Registry,
    registry,
)
from ugly_mugs.outbox.worker import Worker, the_worker
from ugly_mugs.runtime import runtime

Row = TypeVar("Row", Delivery, Address)


def is_open() -> sa.ColumnElement[bool]:
    """A gate: what a subject of these tests says may leave as long as its row says that it is not done."""
    return sa.exists().where(FanOut.subject_id == Delivery.subject_id, sa.not_(FanOut.done))


def says_its_subject(claimed: Sequence[Claimed]) -> Mapping[uuid.UUID, MessageText | None]:
    texts = {delivery.subject_id: text_of(delivery.subject_id) for delivery in claimed}
    return {delivery.id: texts[delivery.subject_id] for delivery in claimed}


def text_of(subject_id: uuid.UUID) -> MessageText:
    return MessageText(text=f"Notice {subject_id.hex[:8]}", subject="A notice for you")


def says_its_body(claimed: Sequence[Claimed]) -> Mapping[uuid.UUID, MessageText | None]:
    return {
        delivery.id: MessageText(text=(delivery.body or b"").decode(), subject="Your code")
        for delivery in claimed
    }


@dataclass
class Heard:
    """The calls that the features above have had."""

    stopped: list[tuple[uuid.UUID, Channel]] = field(default_factory=list)
    started: list[tuple[uuid.UUID, Channel]] = field(default_factory=list)
    stopped_subjects: list[uuid.UUID] = field(default_factory=list)


def wire_for(app: Flask, heard: Heard) -> None:
    rewire(
        app,
        kinds=[
            MessageKindSpec(MessageKind.ALERT, is_open, says_its_subject, stop=heard.stopped_subjects.append),
            MessageKindSpec(
                MessageKind.CODE,
                sa.true,
                says_its_body,
                first_class=True,
                reaches=frozenset({AddressState.UNPROVED, AddressState.PROVED}),
            ),
            STOP_ANSWER,
            HELP_ANSWER,
        ],
        handlers={},
        on_stop=lambda owner, channel, now: heard.stopped.append((owner, channel)),
        on_start=lambda owner, channel, now: heard.started.append((owner, channel)),
    )


def phone(number: int) -> str:
    """One of the thousand numbers that Ofcom keeps for drama."""
    return f"+447700900{number:03d}"


class Seconds:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Post:
    """The outbox of one application, as tests use it; everything is committed. `seconds` is the circuits' clock."""

    app: Flask
    heard: Heard
    seconds: Seconds

    @property
    def worker(self) -> Worker:
        return the_worker(self.app)

    @property
    def registry(self) -> Registry:
        return registry(self.app)

    def now(self) -> datetime:
        return runtime().clock.now()

    def people(
        self, count: int, *, channel: Channel = Channel.SMS, state: AddressState = AddressState.PROVED
    ) -> list[uuid.UUID]:
        """That many owners, the first with phone 0 or the inbox person0@example.org."""
        people = [self._person(number, channel, state) for number in range(count)]
        db.session.commit()
        return people

    def person(
        self, number: int, *, channel: Channel = Channel.SMS, state: AddressState = AddressState.PROVED
    ) -> uuid.UUID:
        person = self._person(number, channel, state)
        db.session.commit()
        return person

    def _person(self, number: int, channel: Channel, state: AddressState) -> uuid.UUID:
        text = phone(number) if channel is Channel.SMS else f"person{number}@example.org"
        owner = uuid.uuid4()
        address = addresses.give(vault=runtime().vault, owner_id=owner, channel=channel, address=text)
        assert addresses.take_over(vault=runtime().become_worker(), address=address) is None
        if state is not AddressState.UNPROVED:
            addresses.prove(address)
        return owner

    def subject(self) -> uuid.UUID:
        """Something to tell, whose gate is open."""
        subject_id = uuid.uuid4()
        db.session.add(FanOut(kind=MessageKind.ALERT, subject_id=subject_id, done=False))
        db.session.commit()
        return subject_id

    def close(self, subject_id: uuid.UUID, *, done: bool = True) -> None:
        execute(sa.update(FanOut).where(FanOut.subject_id == subject_id).values(done=done))

    def queue(
        self,
        subject_id: uuid.UUID,
        people: Sequence[uuid.UUID],
        *,
        channel: Channel = Channel.SMS,
        kind: MessageKind = MessageKind.ALERT,
        priority: int = Priority.DANGER,
        wakes: bool = True,
        segments: int = 1,
        not_before: datetime | None = None,
        expires_at: datetime | None = None,
        body: bytes | None = None,
    ) -> None:
        for person in people:
            ledger.enqueue(
                kind=kind,
                subject_id=subject_id,
                recipient_id=person,
                channel=channel,
                priority=priority,
                not_before=not_before or self.now(),
                expires_at=expires_at,
                wakes=wakes,
                segments=segments,
                body=body,
                vault=runtime().become_worker(),
            )
        db.session.commit()

    def queue_one(self, **named: Any) -> uuid.UUID:
        """A message for somebody new, with phone 0; gives the person."""
        person = self.person(0)
        self.queue(self.subject(), [person], **named)
        return person

    def send_one(self, **named: Any) -> uuid.UUID:
        """The same, accepted by the provider."""
        person = self.queue_one(**named)
        self.worker.texts.drain()
        return person

    def states(self) -> dict[DeliveryState, int]:
        """How many deliveries are in each state."""
        query = sa.select(Delivery.state, sa.func.count()).group_by(Delivery.state)
        with reading():
            counted = dict(db.session.execute(query).all())
            db.session.rollback()
        return counted

    def delivery(self, person: uuid.UUID) -> Delivery:
        """A copy of the row as it is now."""
        return _copy(Delivery, Delivery.recipient_id == person)

    def address(self, person: uuid.UUID) -> Address:
        """A copy of the row as it is now."""
        return _copy(Address, Address.owner_id == person)


def _copy(model: type[Row], condition: sa.ColumnElement[bool]) -> Row:
    """No transaction stays open behind it: on SQLite that would keep the worker from writing."""
    db.session.rollback()
    with reading():
        row = db.session.scalars(sa.select(model).where(condition)).one()
        db.session.refresh(row)
        db.session.expunge(row)
        db.session.rollback()
    return row


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, 21, hour, minute, tzinfo=UTC)
