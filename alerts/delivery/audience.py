"""Whom an alert concerns: the audience rule that people approve, and the same rule as an SQL condition."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute

from alerts.membership.models import (
    Level,
    Member,
    MemberRegion,
    MemberSector,
    MemberState,
    Sector,
    Subscription,
)
from ugly_mugs.accounts.models import MemberKind
from ugly_mugs.database.engine import db
from ugly_mugs.outbox.models import Address, AddressState, Channel


@dataclass(frozen=True)
class Audience:
    """Members of these kinds who work in one of the regions and one of the sectors.

    No sectors means all, and a member without sectors matches any. `online` adds members who work online in any
    region, for what happened online.
    """

    kinds: frozenset[MemberKind]
    regions: frozenset[str] = frozenset()
    sectors: frozenset[Sector] = frozenset()
    online: bool = False

    def __bool__(self) -> bool:
        """Whether the rule can concern anybody."""
        return bool(self.kinds and (self.regions or self.online))

    def canonical(self) -> bytes:
        """The same bytes for equal rules; an approval covers them."""
        return json.dumps(self.plain(), sort_keys=True, separators=(",", ":")).encode()

    def plain(self) -> dict[str, Any]:
        return {
            "kinds": sorted(self.kinds),
            "regions": sorted(self.regions),
            "sectors": sorted(self.sectors),
            "online": self.online,
        }

    @classmethod
    def read(cls, canonical: bytes) -> "Audience":
        """The inverse of `canonical`; ValueError or KeyError for other input."""
        plain = json.loads(canonical)
        return cls(
            kinds=frozenset(map(MemberKind, plain["kinds"])),
            regions=frozenset(plain["regions"]),
            sectors=frozenset(map(Sector, plain["sectors"])),
            online=bool(plain["online"]),
        )


@dataclass(frozen=True)
class Members:
    """A range of member ids in database order: above `after`, up to and including `upto`.

    A statement applies it to each of its tables: PostgreSQL does not carry a range condition across a join, and would
    read the whole other table for every slice.
    """

    after: UUID | None = None
    upto: UUID | None = None

    def hold(self, column: InstrumentedAttribute[UUID]) -> list[sa.ColumnElement[bool]]:
        conditions: list[sa.ColumnElement[bool]] = []
        if self.after is not None:
            conditions.append(column > self.after)
        if self.upto is not None:
            conditions.append(column <= self.upto)
        return conditions


EVERYBODY = Members()


@dataclass(frozen=True)
class Reach:
    """How many members get one text of an alert."""

    channel: Channel
    language: str
    level: Level
    members: int


def concerns(audience: Audience, members: Members = EVERYBODY) -> sa.ColumnElement[bool]:
    """The rule as a condition on `Member`, without their state and subscriptions.

    `members` limits the rows that its subqueries read.
    """
    alternatives = []
    if audience.regions:
        in_region = sa.exists().where(
            MemberRegion.member_id == Member.id,
            MemberRegion.region.in_(sorted(audience.regions)),
            *members.hold(MemberRegion.member_id),
        )
        alternatives.append(
            sa.and_(in_region, _works_in(audience.sectors, members)) if audience.sectors else in_region
        )
    if audience.online:
        alternatives.append(_has_sector({Sector.ONLINE}, members))
    return sa.and_(Member.kind.in_(sorted(audience.kinds)), sa.or_(sa.false(), *alternatives))


def reachable(channels: Iterable[Channel], members: Members = EVERYBODY) -> sa.Select[*tuple[Any, ...]]:
    """Active members with each of these channels that is live and has a proved address; callers add conditions."""
    return (
        sa.select(Member.id, Subscription.channel)
        .join(Subscription, Subscription.member_id == Member.id)
        .join(Address, sa.and_(Address.owner_id == Member.id, Address.channel == Subscription.channel))
        .where(
            Member.state == MemberState.ACTIVE,
            Subscription.live,
            Subscription.channel.in_(sorted(channels)),
            Address.state == AddressState.PROVED,
            *members.hold(Member.id),
            *members.hold(Subscription.member_id),
            *members.hold(Address.owner_id),
        )
    )


def reach(audience: Audience, channels: Iterable[Channel]) -> list[Reach]:
    """How many members would get an alert now, by channel, language and level."""
    query = (
        reachable(channels)
        .where(concerns(audience))
        .with_only_columns(Subscription.channel, Member.language, Member.level, sa.func.count())
        .group_by(Subscription.channel, Member.language, Member.level)
        .order_by(Subscription.channel, Member.language, Member.level)
    )
    return [Reach(*row) for row in db.session.execute(query)]


def _works_in(sectors: Iterable[Sector], members: Members) -> sa.ColumnElement[bool]:
    names_none = ~sa.exists().where(
        MemberSector.member_id == Member.id, *members.hold(MemberSector.member_id)
    )
    return sa.or_(_has_sector(sectors, members), names_none)


def _has_sector(sectors: Iterable[Sector], members: Members) -> sa.ColumnElement[bool]:
    return sa.exists().where(
        MemberSector.member_id == Member.id,
        MemberSector.sector.in_(sorted(sectors)),
        *members.hold(MemberSector.member_id),
    )
