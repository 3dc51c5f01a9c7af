"""Who an alert concerns: a rule that people read and approve, and the same rule as a condition of the database."""

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

    No sectors means all of them, and a member who named no sector is never left out for that. `online` adds
    everybody who works online, wherever they are: what happened online has no place.
    """

    kinds: frozenset[MemberKind]
    regions: frozenset[str] = frozenset()
    sectors: frozenset[Sector] = frozenset()
    online: bool = False

    def __bool__(self) -> bool:
        """Whether the rule can concern anybody at all."""
        return bool(self.kinds and (self.regions or self.online))

    def canonical(self) -> bytes:
        """One and the same bytes for one rule: part of what an approval binds."""
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
        """The inverse of `canonical`; ValueError or KeyError for what it could not have written."""
        found = json.loads(canonical)
        return cls(
            kinds=frozenset(map(MemberKind, found["kinds"])),
            regions=frozenset(found["regions"]),
            sectors=frozenset(map(Sector, found["sectors"])),
            online=bool(found["online"]),
        )


@dataclass(frozen=True)
class Members:
    """A range of member ids, in the order of the database: behind `after`, up to and with `upto`.

    Each table of a statement is narrowed by itself. PostgreSQL does not pass a range on from one side of a join to
    the other, and would read all of the other table for every slice.
    """

    after: UUID | None = None
    upto: UUID | None = None

    def hold(self, column: InstrumentedAttribute[UUID]) -> list[sa.ColumnElement[bool]]:
        found: list[sa.ColumnElement[bool]] = []
        if self.after is not None:
            found.append(column > self.after)
        if self.upto is not None:
            found.append(column <= self.upto)
        return found


EVERYBODY = Members()


@dataclass(frozen=True)
class Reach:
    """How many members get one text of an alert."""

    channel: Channel
    language: str
    level: Level
    members: int


def concerns(audience: Audience, members: Members = EVERYBODY) -> sa.ColumnElement[bool]:
    """The rule as a condition over `Member`; it asks nothing about their state or their subscriptions.

    `members` says which of them are asked about at all, so that no more is read than that.
    """
    places = []
    if audience.regions:
        here = sa.exists().where(
            MemberRegion.member_id == Member.id,
            MemberRegion.region.in_(sorted(audience.regions)),
            *members.hold(MemberRegion.member_id),
        )
        places.append(sa.and_(here, _works_in(audience.sectors, members)) if audience.sectors else here)
    if audience.online:
        places.append(_has_sector({Sector.ONLINE}, members))
    return sa.and_(Member.kind.in_(sorted(audience.kinds)), sa.or_(sa.false(), *places))


def reachable(channels: Iterable[Channel], members: Members = EVERYBODY) -> sa.Select[*tuple[Any, ...]]:
    """Every active member with every one of these channels that they want and have proved; to be narrowed."""
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
    """How many members would get it now, by channel, language and how much it may say."""
    asked = (
        reachable(channels)
        .where(concerns(audience))
        .with_only_columns(Subscription.channel, Member.language, Member.level, sa.func.count())
        .group_by(Subscription.channel, Member.language, Member.level)
        .order_by(Subscription.channel, Member.language, Member.level)
    )
    return [Reach(*row) for row in db.session.execute(asked)]


def _works_in(sectors: Iterable[Sector], members: Members) -> sa.ColumnElement[bool]:
    silent = ~sa.exists().where(MemberSector.member_id == Member.id, *members.hold(MemberSector.member_id))
    return sa.or_(_has_sector(sectors, members), silent)


def _has_sector(sectors: Iterable[Sector], members: Members) -> sa.ColumnElement[bool]:
    return sa.exists().where(
        MemberSector.member_id == Member.id,
        MemberSector.sector.in_(sorted(sectors)),
        *members.hold(MemberSector.member_id),
    )
