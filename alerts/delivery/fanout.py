"""Writing the deliveries of one thing that is sent: one INSERT … SELECT, however many members it concerns.

Running it twice, or in two places at once, adds nothing. Above `IN_ONE_GO` rows only a cursor is written, and the
worker continues it in slices of members, so that the first messages leave while the last are being written.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import InstrumentedAttribute, aliased

from alerts.delivery.audience import EVERYBODY, Audience, Members, concerns, reachable
from alerts.membership.models import Level, Member, Subscription
from ugly_mugs.database.columns import UtcDateTime, random_id
from ugly_mugs.database.engine import db, is_sqlite
from ugly_mugs.outbox.ledger import rows_of
from ugly_mugs.outbox.models import Channel, Delivery, DeliveryState, FanOut, MessageKind
from ugly_mugs.quiet_hours import when_not_quiet
from ugly_mugs.settings import QuietHours

IN_ONE_GO = 50_000
# Members lie in the database in no order of their ids, so on PostgreSQL every slice reads nearly all of their pages,
# however few it holds: only the first, for which people wait, is small. On SQLite nobody else can write meanwhile.
SLICE, SLICE_ON_SQLITE = 250_000, 50_000

# What never left: anything else may have reached somebody.
_D = DeliveryState
UNSENT = frozenset({_D.QUEUED, _D.HELD, _D.SUPPRESSED, _D.EXPIRED, _D.CANCELLED})

_WRITTEN = (
    "id kind subject_id recipient_id channel sender priority wakes not_before expires_at language level segments"
).split()


@dataclass(frozen=True)
class Sending:
    """Everything the deliveries of one subject need to know of it; nothing of its words.

    `segments` says what each text costs, by channel, language and level; its languages are those there are.
    `corrects` names the subjects whose recipients get this one too, whether or not the rule concerns them.
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
    """Write all deliveries, or for a large audience the cursor for the worker; gives the rows, None for a cursor.

    The caller commits, in the same transaction that decides that it is sent.
    """
    if expected(sending) > IN_ONE_GO:
        insert = sqlite.insert if is_sqlite() else postgresql.insert
        cursor = insert(FanOut).values(
            id=uuid4(), kind=sending.kind, subject_id=sending.subject_id, done=False, last_recipient_id=None
        )
        db.session.execute(cursor.on_conflict_do_nothing(index_elements=["kind", "subject_id"]))
        return None
    return write(sending, now=now, hours=hours)


def once_more(sending: Sending, *, now: datetime, hours: QuietHours) -> int | None:
    """The same again at the moment of leaving, for those who joined since; a cursor starts from the beginning.

    Only the worker may: it is the one that moves cursors.
    """
    db.session.execute(
        sa.update(FanOut)
        .where(FanOut.kind == sending.kind, FanOut.subject_id == sending.subject_id)
        .values(done=False, last_recipient_id=None)
        .execution_options(synchronize_session=False)
    )
    return begin(sending, now=now, hours=hours)


def advance(cursor: FanOut, sending: Sending, *, now: datetime, hours: QuietHours) -> int:
    """Write the next slice and move the cursor, which the caller has locked and commits."""
    rest = Members(after=cursor.last_recipient_id)
    later = SLICE_ON_SQLITE if is_sqlite() else SLICE
    size = IN_ONE_GO if cursor.last_recipient_id is None else later
    following = (
        sa.select(Member.id).where(*rest.hold(Member.id)).order_by(Member.id).offset(size - 1).limit(1)
    )
    upto = db.session.scalar(following)
    rows = write(sending, now=now, hours=hours, members=Members(cursor.last_recipient_id, upto))
    cursor.last_recipient_id = upto
    cursor.done = upto is None
    return rows


def write(sending: Sending, *, now: datetime, hours: QuietHours, members: Members = EVERYBODY) -> int:
    """Write the deliveries of this range of members; gives how many are new."""
    rows = _insert(sending, concerns(sending.audience, members), members, now=now, hours=hours)
    if sending.corrects:
        rows += _insert(sending, _may_have_got(sending, members), members, now=now, hours=hours)
    return rows


def expected(sending: Sending) -> int:
    """How many deliveries there will be, were they all written now."""
    concerned = concerns(sending.audience)
    if sending.corrects:
        concerned = sa.or_(concerned, _may_have_got(sending, EVERYBODY))
    asked = reachable(sending.channels).where(concerned).with_only_columns(sa.func.count())
    return db.session.scalar(asked) or 0


def is_under_way(kind: MessageKind, subject_id: UUID) -> bool:
    """Whether a cursor has not come to its end."""
    asked = sa.exists().where(FanOut.kind == kind, FanOut.subject_id == subject_id, sa.not_(FanOut.done))
    return bool(db.session.scalar(sa.select(asked)))


def may_have_left(delivery: type[Delivery]) -> sa.ColumnElement[bool]:
    """Whether this delivery is not provably unsent.

    One that waits again after a failure the provider told us of had been accepted before, so it counts.
    """
    return sa.or_(delivery.state.not_in(sorted(UNSENT)), delivery.retries > 0)


def _may_have_got(sending: Sending, members: Members) -> sa.ColumnElement[bool]:
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
        (sa.and_(Subscription.channel == channel, language == known, Member.level == level), segments)
        for (channel, known, level), segments in sending.segments.items()
        if segments != 1
    ]
    rows = (
        reachable(sending.channels, members)
        .where(concerned)
        .with_only_columns(
            random_id(),
            _said(sending.kind, Delivery.kind),
            _said(sending.subject_id, Delivery.subject_id),
            Member.id,
            Subscription.channel,
            _said(0, Delivery.sender),
            _said(sending.priority, Delivery.priority),
            wakes,
            sa.case(
                (wakes, sa.literal(start, UtcDateTime())),
                else_=sa.literal(when_not_quiet(start, hours), UtcDateTime()),
            ),
            _said(sending.expires_at, Delivery.expires_at),
            language,
            Member.level,
            sa.case(*costs, else_=1) if costs else _said(1, Delivery.segments),
        )
        # In the order of two of its indexes, which grow at their ends then: that takes a third off the time.
        .order_by(Member.id)
    )
    insert = (sqlite.insert if is_sqlite() else postgresql.insert)(Delivery)
    # No other columns: the web may write no state, and the database says `queued` by itself.
    statement = insert.from_select(_WRITTEN, rows, include_defaults=False).on_conflict_do_nothing(
        index_elements=["kind", "subject_id", "recipient_id", "channel"]
    )
    # Without the option psycopg gives -1 for INSERT … SELECT.
    return rows_of(db.session.execute(statement, execution_options={"preserve_rowcount": True}))


def _said(value: object, column: InstrumentedAttribute[Any]) -> sa.ColumnElement[Any]:
    """A value for a column, in that column's own type: PostgreSQL takes no text for a UUID."""
    return sa.literal(value, column.type)
