"""Reads about members."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from alerts.membership.models import Level, Member, MemberState, Subscription
from ugly_mugs.database.engine import db
from ugly_mugs.database.statements import count
from ugly_mugs.outbox.models import Address, AddressState, Channel

PAGE = 50

ACCEPTED = frozenset({MemberState.ACTIVE, MemberState.PAUSED, MemberState.LAPSED})
"""States of accepted members, who see the members' pages. Others see only the state of their application."""

LISTED_AS_MEMBERS = ACCEPTED | {MemberState.VETTED}


def receives(
    member_id: sa.ColumnElement[uuid.UUID], channel: sa.ColumnElement[Channel]
) -> sa.ColumnElement[bool]:
    """For gates and audiences: the member is active, agrees to this channel now, and has a proved address for it."""
    # Select the id: EXISTS (SELECT *) needs the right to read all columns, which the worker does not have.
    return sa.exists(Member.id).where(
        Member.id == member_id,
        Member.state == MemberState.ACTIVE,
        Subscription.member_id == Member.id,
        Subscription.channel == channel,
        Subscription.live,
        Address.owner_id == Member.id,
        Address.channel == channel,
        Address.state == AddressState.PROVED,
    )


def wants_to_be_woken(member_id: sa.ColumnElement[uuid.UUID]) -> sa.ColumnElement[bool]:
    """For gates: the member agrees now to be woken for danger."""
    return sa.exists(Member.id).where(Member.id == member_id, Member.wake_for_danger)


def levels_of(member_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Level]:
    """How much a message may say to each of these members now."""
    rows = db.session.execute(sa.select(Member.id, Member.level).where(Member.id.in_(member_ids)))
    return dict(rows.all())


def state_of_member(member_id: uuid.UUID) -> MemberState | None:
    return db.session.scalar(sa.select(Member.state).where(Member.id == member_id))


def addresses_of(member_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, dict[Channel, AddressState]]:
    """The state of each address, by member and channel; never the address itself."""
    states: dict[uuid.UUID, dict[Channel, AddressState]] = defaultdict(dict)
    rows = db.session.execute(
        sa.select(Address.owner_id, Address.channel, Address.state).where(
            Address.owner_id.in_(list(member_ids))
        )
    )
    for owner_id, channel, state in rows:
        states[owner_id][channel] = state
    return states


def live_channels(member_id: uuid.UUID) -> set[Channel]:
    return set(
        db.session.scalars(
            sa.select(Subscription.channel).where(Subscription.member_id == member_id, Subscription.live)
        )
    )


def members_in(states: Collection[MemberState], *, page: int) -> tuple[Sequence[Member], bool]:
    """One page of members, the earliest application first, and whether there are more."""
    members = db.session.scalars(
        sa.select(Member)
        .where(Member.state.in_(states))
        .options(selectinload(Member.regions), selectinload(Member.sectors))
        .order_by(Member.applied_on, Member.id)
        .offset((page - 1) * PAGE)
        .limit(PAGE + 1)
    ).all()
    return members[:PAGE], len(members) > PAGE


def count_applications() -> int:
    """The number of applications that nobody has decided about."""
    # A literal: the planner uses a partial index only if the query repeats its condition.
    return count(Member.state == sa.literal_column(f"'{MemberState.APPLIED.value}'"))
