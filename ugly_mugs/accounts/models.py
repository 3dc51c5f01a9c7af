"""Organisations, staff and their keys, epochs of the desk's and the vetters' keys, and sessions."""

import uuid
from datetime import date
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, relationship

from ugly_mugs.database.columns import Clear, Model, clear, keyed, primary_key, sealed, state_of
from ugly_mugs.database.states import Moves


class MemberKind(StrEnum):
    """Who receives alerts; an organisation's record and its membership share it."""

    INDIVIDUAL = "individual"
    PROJECT = "project"
    ESTABLISHMENT = "establishment"


class OrganisationState(StrEnum):
    ACTIVE = "active"
    ENDED = "ended"


ORGANISATION_MOVES = Moves(
    {
        OrganisationState.ACTIVE: frozenset({OrganisationState.ENDED}),
        OrganisationState.ENDED: frozenset(),
    }
)


class Organisation(Model):
    """One record for an organisation, whether it has staff here, a membership, or both."""

    __tablename__ = "organisations"

    id: Mapped[uuid.UUID] = primary_key()
    state: Mapped[OrganisationState] = state_of(OrganisationState, default=OrganisationState.ACTIVE)
    kind: Mapped[MemberKind] = state_of(MemberKind)
    name: Mapped[bytes] = sealed("rest")
    created_on: Mapped[date] = clear(Clear.DAY, sa.Date)


class StaffState(StrEnum):
    INVITED = "invited"
    WAITING = "waiting"  # enrolled, with a key of their own, not yet admitted to the desk's
    ACTIVE = "active"
    LEFT = "left"


STAFF_MOVES = Moves(
    {
        StaffState.INVITED: frozenset({StaffState.WAITING, StaffState.ACTIVE, StaffState.LEFT}),
        # Somebody who forgot their passphrase is invited again, and makes a new key.
        StaffState.WAITING: frozenset({StaffState.ACTIVE, StaffState.INVITED, StaffState.LEFT}),
        StaffState.ACTIVE: frozenset({StaffState.INVITED, StaffState.LEFT}),
        StaffState.LEFT: frozenset(),
    }
)


class Role(StrEnum):
    MODERATOR = "moderator"
    CASEWORKER = "caseworker"
    APPROVER = "approver"
    RELEASER = "releaser"
    MEMBER_ADMIN = "member_admin"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"
    ORGANISATION_WORKER = "organisation_worker"


class Staff(Model):
    __tablename__ = "staff"

    id: Mapped[uuid.UUID] = primary_key()
    state: Mapped[StaffState] = state_of(StaffState, default=StaffState.INVITED)
    organisation_id: Mapped[uuid.UUID | None] = clear(
        Clear.ID, sa.Uuid, sa.ForeignKey("organisations.id"), nullable=True
    )
    login: Mapped[bytes] = keyed("rest", unique=True)
    name: Mapped[bytes] = sealed("rest")  # the login as typed, for the pages
    public_key: Mapped[bytes | None] = clear(Clear.PUBLIC_KEY, sa.LargeBinary, nullable=True)
    public_key_mac: Mapped[bytes | None] = keyed("key-mac", nullable=True)
    private_key: Mapped[bytes | None] = sealed("passphrase and password-pepper", nullable=True)
    totp_secret: Mapped[bytes | None] = sealed("rest", nullable=True)
    totp_last_step: Mapped[int] = clear(Clear.COUNT, sa.BigInteger, default=0)
    invitation: Mapped[bytes | None] = keyed("rest", nullable=True, unique=True)
    invitation_ends_on: Mapped[date | None] = clear(Clear.DAY, sa.Date, nullable=True)
    invited_by: Mapped[uuid.UUID | None] = clear(Clear.ID, sa.Uuid, nullable=True)  # None: by a command
    created_on: Mapped[date] = clear(Clear.DAY, sa.Date)
    admitted_on: Mapped[date | None] = clear(Clear.DAY, sa.Date, nullable=True)  # the first time

    roles: Mapped[list["StaffRole"]] = relationship(cascade="all, delete-orphan", lazy="selectin")


class StaffRole(Model):
    __tablename__ = "staff_roles"

    staff_id: Mapped[uuid.UUID] = clear(Clear.ID, sa.Uuid, sa.ForeignKey("staff.id"), primary_key=True)
    role: Mapped[Role] = state_of(Role, primary_key=True)


class EpochKind(StrEnum):
    DESK = "desk"  # opens content keys of reports
    VETTING = "vetting"  # opens working names and vetting notes


class KeyEpoch(Model):
    """A key pair; its private half is stored only in `KeySeal` rows."""

    __tablename__ = "key_epochs"
    __table_args__ = (sa.UniqueConstraint("kind", "number"),)

    id: Mapped[uuid.UUID] = primary_key()
    kind: Mapped[EpochKind] = state_of(EpochKind)
    number: Mapped[int] = clear(Clear.VERSION, sa.Integer)
    public_key: Mapped[bytes] = clear(Clear.PUBLIC_KEY, sa.LargeBinary)
    public_key_mac: Mapped[bytes] = keyed("key-mac")
    created_on: Mapped[date] = clear(Clear.DAY, sa.Date)


class Holder(StrEnum):
    STAFF = "staff"
    RECOVERY = "recovery"
    NEXT_EPOCH = "next_epoch"


class KeySeal(Model):
    """One epoch's private key, sealed to one holder (a person, the recovery key, or the next epoch)."""

    __tablename__ = "key_seals"
    __table_args__ = (sa.UniqueConstraint("epoch_id", "holder", "holder_id"),)

    id: Mapped[uuid.UUID] = primary_key()
    epoch_id: Mapped[uuid.UUID] = clear(Clear.ID, sa.Uuid, sa.ForeignKey("key_epochs.id"))
    holder: Mapped[Holder] = state_of(Holder)
    holder_id: Mapped[uuid.UUID] = clear(Clear.ID, sa.Uuid, index=True)
    sealed: Mapped[bytes] = sealed("the holder's key")


class RecoveryKey(Model):
    """The public half of the ten recovery words. Replaced after each use; the newest row counts."""

    __tablename__ = "recovery_keys"
    __table_args__ = (sa.UniqueConstraint("number"),)

    id: Mapped[uuid.UUID] = primary_key()
    number: Mapped[int] = clear(Clear.VERSION, sa.Integer)
    public_key: Mapped[bytes] = clear(Clear.PUBLIC_KEY, sa.LargeBinary)
    public_key_mac: Mapped[bytes] = keyed("key-mac")
    created_on: Mapped[date] = clear(Clear.DAY, sa.Date)


class SessionKind(StrEnum):
    REPORTER = "reporter"
    MEMBER = "member"
    STAFF = "staff"


class Session(Model):
    """A browser's session; its contents are sealed under the secret in the browser's cookie.

    `owner_id` (member or staff) lets all sessions of an owner be ended; a reporter's session has none.
    """

    __tablename__ = "sessions"

    id: Mapped[uuid.UUID] = primary_key()
    kind: Mapped[SessionKind] = state_of(SessionKind)
    token: Mapped[bytes] = keyed("session", unique=True)
    owner_id: Mapped[uuid.UUID | None] = clear(Clear.ID, sa.Uuid, nullable=True, index=True)
    contents: Mapped[bytes] = sealed("the cookie's secret")
    day: Mapped[date] = clear(Clear.DAY, sa.Date)


class KnownDevice(Model):
    """A browser that signed in as this person before. It has a sign-in budget of its own, so that strangers who try
    passphrases cannot lock the person out."""

    __tablename__ = "known_devices"

    id: Mapped[uuid.UUID] = primary_key()
    staff_id: Mapped[uuid.UUID] = clear(Clear.ID, sa.Uuid, sa.ForeignKey("staff.id"), index=True)
    token: Mapped[bytes] = keyed("session", unique=True)
    day: Mapped[date] = clear(Clear.DAY, sa.Date)
