"""Writes the deliveries of one subject with one INSERT … SELECT, however many members it concerns.

Running it again or concurrently adds no duplicates. Above `IN_ONE_GO` rows only a cursor is written; the worker then
writes slices of members, so that the first messages leave while later slices are written.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, aliased

from alerts.delivery.audience import EVERYBODY, Audience, Members, concerns, reachable
from alerts.membership.models import Level, Member, Subscription
from ugly_mugs.database.columns import UtcDateTime, random_id
from ugly_mugs.database.engine import db, is_sqlite
from ugly_mugs.database.statements import change_rows, exists, insert, rows_of
from ugly_mugs.outbox.models import Channel, Delivery, DeliveryState, FanOut, MessageKind
from ugly_mugs.quiet_hours import when_not_quiet
from ugly_mugs.settings import QuietHours

IN_ONE_GO = 50_000
# On PostgreSQL rows are not stored in the order of their random ids, so any slice reads nearly all pages of the tables:
# only the first slice, for which people wait, is small. On SQLite nothing else can write during a slice.
SLICE, SLICE_ON_SQLITE = 250_000, 50_000

# States of deliveries that were never sent; any other may have reached the member.
_D = DeliveryState
UNSENT = frozenset({_D.QUEUED, _D.HELD, _D.SUPPRESSED, _D.EXPIRED, _D.CANCELLED})

_WRITTEN = (
    "id kind subject_id recipient_id channel sender priority wakes not_before expires_at language level segments"
).split()


@dataclass(frozen=True)
class Sending:
    """Everything that the deliveries of one subject need; not its texts.

    `segments` is the number of SMS segments of each text, by channel, language and level; its languages are those the
    subject is written in. Recipients of the subjects in `corrects` get this one too, even outside the audience.
    """

    kind: MessageKind
    subject_id: UUID
    audience: Audience
    channels: frozenset[Channel]
    priority: int
    danger: bool
    not_before: datetime | None
    expires_at: datetime | None
    segments: Mapping[tuple[Channel, str, Level], int]
    default_language: str
    corrects: tuple[UUID, ...] = ()


def begin(sending: Sending, *, now: datetime, hours: QuietHours) -> int | None:
    """Write all deliveries, or a cursor for a large audience; gives the number of rows, None for a cursor.

    The caller commits, in the transaction that decides to send.
    """
    if expected(sending) > IN_ONE_GO:
        statement = insert(FanOut).values(
            id=uuid4(), kind=sending.kind, subject_id=sending.subject_id, done=False, last_recipient_id=None
        )
        db.session.execute(statement.on_conflict_do_nothing(index_elements=["kind", "subject_id"]))
        return None
    return write(sending, now=now, hours=hours)


def repeat(sending: Sending, *, now: datetime, hours: QuietHours) -> int | None:
    """Write again when sending starts, for members who joined since; a cursor restarts from the beginning.

    Only for the worker, which alone may move cursors.
    """
    cursor = sa.update(FanOut).where(FanOut.kind == sending.kind, FanOut.subject_id == sending.subject_id)
    change_rows(cursor.values(done=False, last_recipient_id=None))
    return begin(sending, now=now, hours=hours)


def advance(cursor: FanOut, sending: Sending, *, now: datetime, hours: QuietHours) -> int:
    """Write the next slice and move the cursor; gives the number of new rows. The caller locks it and commits."""
    rest = Members(after=cursor.last_recipient_id)
    next_size = SLICE_ON_SQLITE if is_sqlite() else SLICE
    size = IN_ONE_GO if cursor.last_recipient_id is None else next_size
    last_of_slice = (
        sa.select(Member.id).where(*rest.hold(Member.id)).order_by(Member.id).offset(size - 1).limit(1)
    )
    upto = db.session.scalar(last_of_slice)
    rows = write(sending, now=now, hours=hours, members=Members(cursor.last_recipient_id, upto))
    cursor.last_recipient_id = upto
    cursor.done = upto is None
    return rows


def write(sending: Sending, *, now: datetime, hours: QuietHours, members: Members = EVERYBODY) -> int:
    """Write the deliveries of this range of members; gives the number of new rows."""
    rows = _insert(sending, concerns(sending.audience, members), members, now=now, hours=hours)
    if sending.corrects:
        rows += _insert(sending, _may_have_received(sending, members), members, now=now, hours=hours)
    return rows


def expected(sending: Sending) -> int:
    """The number of deliveries if all were written now."""
    concerned = concerns(sending.audience)
    if sending.corrects:
        concerned = sa.or_(concerned, _may_have_received(sending, EVERYBODY))
    query = reachable(sending.channels).where(concerned).with_only_columns(sa.func.count())
    return db.session.scalar(query) or 0


def is_under_way(kind: MessageKind, subject_id: UUID) -> bool:
    return exists(FanOut.kind == kind, FanOut.subject_id == subject_id, sa.not_(FanOut.done))


def may_have_left(delivery: type[Delivery]) -> sa.ColumnElement[bool]:
    """Whether this delivery may have been sent.

    A delivery that waits for a retry counts: the provider had accepted it before it reported the failure.
    """
    return sa.or_(delivery.state.not_in(sorted(UNSENT)), delivery.retries > 0)


def _may_have_received(sending: Sending, members: Members) -> sa.ColumnElement[bool]:
    former = aliased(Delivery)
    return sa.exists().where(
        former.kind == sending.kind,
        former.subject_id.in_(sending.corrects),
        former.recipient_id == Member.id,
        former.channel == Subscription.channel,
        may_have_left(former),
        *members.hold(former.recipient_id),
    )


def _insert(
    sending: Sending,
    concerned: sa.ColumnElement[bool],
    members: Members,
    *,
    now: datetime,
    hours: QuietHours,
) -> int:
    start = now if sending.not_before is None else max(now, sending.not_before)
    wakes = sa.and_(Member.wake_for_danger, sa.literal(sending.danger))
    languages = sorted({language for _channel, language, _level in sending.segments})
    language = sa.case((Member.language.in_(languages), Member.language), else_=sending.default_language)
    costs = [
        (sa.and_(Subscription.channel == channel, language == written, Member.level == level), segments)
        for (channel, written, level), segments in sending.segments.items()
        if segments != 1
    ]
    rows = (
        reachable(sending.channels, members)
        .where(concerned)
        .with_only_columns(
            random_id(),
            _literal(sending.kind, Delivery.kind),
            _literal(sending.subject_id, Delivery.subject_id),
            Member.id,
            Subscription.channel,
            _literal(0, Delivery.sender),
            _literal(sending.priority, Delivery.priority),
            wakes,
            sa.case(
                (wakes, sa.literal(start, UtcDateTime())),
                else_=sa.literal(when_not_quiet(start, hours), UtcDateTime()),
            ),
            _literal(sending.expires_at, Delivery.expires_at),
            language,
            Member.level,
            sa.case(*costs, else_=1) if costs else _literal(1, Delivery.segments),
        )
        # Insert in the order of two of the indexes, so that they grow at their ends: a third faster.
        .order_by(Member.id)
    )
    # No other columns: the web may not write the state, whose database default is `queued`.
    statement = (
        insert(Delivery)
        .from_select(_WRITTEN, rows, include_defaults=False)
        .on_conflict_do_nothing(index_elements=["kind", "subject_id", "recipient_id", "channel"])
    )
    # Without this option psycopg reports -1 rows for INSERT … SELECT.
    return rows_of(db.session.execute(statement, execution_options={"preserve_rowcount": True}))


def _literal(value: object, column: InstrumentedAttribute[Any]) -> sa.ColumnElement[Any]:
    """A literal of the column's type: PostgreSQL does not accept text for a UUID."""
    return sa.literal(value, column.type)
