"""Members, their preferences, and the append-only record of their consents."""

import uuid
from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, relationship

from ugly_mugs.accounts.models import MemberKind
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
from ugly_mugs.outbox.models import Channel


class MemberState(StrEnum):
    APPLIED = "applied"
    VETTED = "vetted"  # accepted, no address proved yet
    REJECTED = "rejected"
    ACTIVE = "active"
    PAUSED = "paused"
    LAPSED = "lapsed"
    REMOVED = "removed"


_M = MemberState
MEMBER_MOVES = Moves(
    {
        _M.APPLIED: frozenset({_M.VETTED, _M.REJECTED, _M.REMOVED}),
        _M.VETTED: frozenset({_M.ACTIVE, _M.REMOVED}),
        _M.REJECTED: frozenset({_M.REMOVED}),
        _M.ACTIVE: frozenset({_M.PAUSED, _M.LAPSED, _M.REMOVED}),
        _M.PAUSED: frozenset({_M.ACTIVE, _M.REMOVED}),
        _M.LAPSED: frozenset({_M.ACTIVE, _M.REMOVED}),
        _M.REMOVED: frozenset(),
    }
)


class Level(StrEnum):
    """How much a message may say."""

    NEUTRAL = "neutral"  # a reference and the service's short address
    FULL = "full"


class Sector(StrEnum):
    ONLINE = "online"  # independent escort or online
    AGENCY = "agency"
    PARLOUR = "parlour"
    STREET = "street"
    CONTENT = "content"  # webcam, phone or content
    BDSM = "bdsm"
    OTHER = "other"


class Member(Model):
    """A member or applicant, with a random id; the working name is sealed to the vetting key."""

    __tablename__ = "members"
    __table_args__ = (
        # Partial: only applications are looked up by state. Nearly all members are active, and alerts find those by id.
        partial_index("ix_members_applied", "applied_on", where="state = 'applied'"),
    )

    id: Mapped[uuid.UUID] = primary_key()
    state: Mapped[MemberState] = state_of(MemberState, default=MemberState.APPLIED)
    kind: Mapped[MemberKind] = state_of(MemberKind, default=MemberKind.INDIVIDUAL)
    organisation_id: Mapped[uuid.UUID | None] = clear(
        Clear.ID, sa.Uuid, sa.ForeignKey("organisations.id"), nullable=True
    )
    language: Mapped[str] = clear(Clear.NAMED, sa.String(8))
    level: Mapped[Level] = state_of(Level, default=Level.NEUTRAL)
    wake_for_danger: Mapped[bool] = clear(Clear.FLAG, sa.Boolean)
    locator: Mapped[bytes] = keyed("form-token", unique=True)  # the same application sent twice is one
    epoch_id: Mapped[uuid.UUID] = clear(Clear.ID, sa.Uuid, sa.ForeignKey("key_epochs.id"))
    working_name: Mapped[bytes | None] = sealed("vetting epoch", nullable=True)
    applied_on: Mapped[date] = clear(Clear.DAY, sa.Date)

    regions: Mapped[list["MemberRegion"]] = relationship(cascade="all, delete-orphan")
    sectors: Mapped[list["MemberSector"]] = relationship(cascade="all, delete-orphan")
    subscriptions: Mapped[list["Subscription"]] = relationship(cascade="all, delete-orphan")


class MemberRegion(Model):
    __tablename__ = "member_regions"
    __table_args__ = (sa.Index("ix_member_regions_region_member_id", "region", "member_id"),)

    member_id: Mapped[uuid.UUID] = clear(Clear.ID, sa.Uuid, sa.ForeignKey("members.id"), primary_key=True)
    region: Mapped[str] = clear(Clear.NAMED, sa.String(24), primary_key=True)


class MemberSector(Model):
    __tablename__ = "member_sectors"

    member_id: Mapped[uuid.UUID] = clear(Clear.ID, sa.Uuid, sa.ForeignKey("members.id"), primary_key=True)
    sector: Mapped[Sector] = state_of(Sector, primary_key=True)


class Subscription(Model):
    """Whether a member agrees right now to alerts by one channel; the records behind it are `MemberConsent`."""

    __tablename__ = "subscriptions"

    member_id: Mapped[uuid.UUID] = clear(Clear.ID, sa.Uuid, sa.ForeignKey("members.id"), primary_key=True)
    channel: Mapped[Channel] = state_of(Channel, primary_key=True)
    live: Mapped[bool] = clear(Clear.FLAG, sa.Boolean)


class ConsentEvent(StrEnum):
    GIVEN = "given"
    WITHDRAWN = "withdrawn"
    STOPPED = "stopped"  # STOP from that number, or the one-click link of a message
    RESTARTED = "restarted"  # START from that number


class MemberConsent(Model):
    """Append-only proof of each opt-in and opt-out. `number` counts from 1 for each member and channel."""

    __tablename__ = "member_consents"
    __table_args__ = (sa.UniqueConstraint("member_id", "channel", "number"),)

    id: Mapped[uuid.UUID] = primary_key()
    member_id: Mapped[uuid.UUID] = clear(Clear.ID, sa.Uuid, sa.ForeignKey("members.id"))
    channel: Mapped[Channel] = state_of(Channel)
    number: Mapped[int] = clear(Clear.VERSION, sa.Integer)
    event: Mapped[ConsentEvent] = state_of(ConsentEvent)
    wording: Mapped[int] = clear(Clear.VERSION, sa.Integer)
    language: Mapped[str] = clear(Clear.NAMED, sa.String(8))
    at: Mapped[datetime] = clear(Clear.NAMED, UtcDateTime)


class SignInCode(Model):
    """A six-digit code drawn by the web; valid only in the browser session that requested it, and deleted on use.

    `address_id` is the address the worker sends it to; while it is empty, any digits are wrong.
    """

    __tablename__ = "sign_in_codes"

    id: Mapped[uuid.UUID] = primary_key()
    code: Mapped[bytes] = keyed("code")
    tries_left: Mapped[int] = clear(Clear.COUNT, sa.SmallInteger, default=5)
    expires_at: Mapped[datetime] = clear(Clear.NAMED, UtcDateTime)
    address_id: Mapped[uuid.UUID | None] = clear(Clear.ID, sa.Uuid, nullable=True)  # filled in by the worker
    # Member proving a second address.
    wanted_by: Mapped[uuid.UUID | None] = clear(Clear.ID, sa.Uuid, nullable=True)
