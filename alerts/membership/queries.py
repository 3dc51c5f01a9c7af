"""What is asked about members."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from alerts.membership.models import Level, Member, MemberState, Subscription
from ugly_mugs.database.engine import db
from ugly_mugs.outbox.models import Address, AddressState, Channel

PAGE = 50

ACCEPTED = frozenset({MemberState.ACTIVE, MemberState.PAUSED, MemberState.LAPSED})
"""Who has been let in; everybody else sees no more than how their application stands."""

BELONGING = frozenset({MemberState.VETTED, MemberState.ACTIVE, MemberState.PAUSED, MemberState.LAPSED})


def receives(
    member_id: sa.ColumnElement[uuid.UUID], channel: sa.ColumnElement[Channel]
) -> sa.ColumnElement[bool]:
    """For gates and audiences: an active member, who agrees to this channel now, at an address they proved."""
    # The worker may not read every column of a member, and EXISTS (SELECT *) asks for all of them.
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
    """For gates: the member still says that danger may wake them."""
    return sa.exists(Member.id).where(Member.id == member_id, Member.wake_for_danger)


def levels_of(member_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Level]:
    """How much a message may say to each of these now."""
    rows = db.session.execute(sa.select(Member.id, Member.level).where(Member.id.in_(member_ids)))
    return dict(rows.all())


def state_of_member(member_id: uuid.UUID) -> MemberState | None:
    return db.session.scalar(sa.select(Member.state).where(Member.id == member_id))


def addresses_of(member_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, dict[Channel, AddressState]]:
    """By member and channel, whether there is an address and what is known of it; never the address."""
    found: dict[uuid.UUID, dict[Channel, AddressState]] = defaultdict(dict)
    rows = db.session.execute(
        sa.select(Address.owner_id, Address.channel, Address.state).where(
            Address.owner_id.in_(list(member_ids))
        )
    )
    for owner_id, channel, state in rows:
        found[owner_id][channel] = state
    return found


def live_channels(member_id: uuid.UUID) -> set[Channel]:
    """The channels a member agrees to now."""
    return set(
        db.session.scalars(
            sa.select(Subscription.channel).where(Subscription.member_id == member_id, Subscription.live)
        )
    )


def members_in(states: Collection[MemberState], *, page: int) -> tuple[Sequence[Member], bool]:
    """One page of members, whoever came first on top, and whether there are more."""
    found = db.session.scalars(
        sa.select(Member)
        .where(Member.state.in_(states))
        .options(selectinload(Member.regions), selectinload(Member.sectors))
        .order_by(Member.applied_on, Member.id)
        .offset((page - 1) * PAGE)
        .limit(PAGE + 1)
    ).all()
    return found[:PAGE], len(found) > PAGE


def how_many_wait() -> int:
    """Applications nobody has decided about."""
    return (
        db.session.scalar(
            # Written out: an index of some rows is found only by its own words.
            sa.select(sa.func.count())
            .select_from(Member)
            .where(Member.state == sa.literal_column(f"'{MemberState.APPLIED.value}'"))
        )
        or 0
    )
