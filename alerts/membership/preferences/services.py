"""Changes that signed-in members make: preferences, consents, addresses, and a pause."""

import uuid
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from flask_babel import gettext as _

from alerts.membership import consents
from alerts.membership.models import (
    MEMBER_MOVES,
    Level,
    Member,
    MemberRegion,
    MemberSector,
    MemberState,
    Sector,
)
from alerts.membership.proving import placeholder_owner
from alerts.membership.sign_in.services import become_active, locked_member, prove
from ugly_mugs.database.engine import db
from ugly_mugs.database.statements import change_rows
from ugly_mugs.errors import Conflict
from ugly_mugs.outbox import addresses
from ugly_mugs.outbox.inbound import handovers
from ugly_mugs.outbox.models import Address, AddressState, Channel, HandoverKind
from ugly_mugs.vault import ServiceVault


@dataclass(frozen=True)
class Wishes:
    regions: tuple[str, ...]
    sectors: tuple[Sector, ...]
    language: str
    level: Level
    wake_for_danger: bool


def change(*, member: Member, wishes: Wishes) -> None:
    """Store the member's preferences; region and sector rows that stay are reused."""
    member.language = wishes.language
    member.level = wishes.level
    member.wake_for_danger = wishes.wake_for_danger
    regions = {row.region: row for row in member.regions}
    member.regions = [regions.get(region) or MemberRegion(region=region) for region in wishes.regions]
    sectors = {row.sector: row for row in member.sectors}
    member.sectors = [sectors.get(sector) or MemberSector(sector=sector) for sector in wishes.sectors]


def tick(
    *, vault: ServiceVault, member: Member, channel: Channel, wanted: bool, language: str, now: datetime
) -> None:
    """Give or withdraw consent for one channel. Conflict without an address, or after STOP: a tick cannot undo it."""
    if not wanted:
        if consents.withdraw(member_id=member.id, channel=channel, language=language, now=now):
            suppress_waiting(vault=vault, owner_id=member.id, channel=channel, now=now)
        return
    address = addresses.of_owner(member.id, channel, for_update=True)
    if address is None:
        raise Conflict(_("Please add an address for this first."))
    if address.state is AddressState.OPTED_OUT:
        raise Conflict(
            _(
                "You replied STOP from this number. To get texts again, send START to the number our texts come from."
            )
            if channel is Channel.SMS
            else _("You stopped these e-mails. To get them again, prove the address once more.")
        )
    consents.give(member_id=member.id, channel=channel, language=language, now=now)


def pause(*, member: Member) -> None:
    """Send no warnings until the member resumes; they can still sign in."""
    _move(member, MemberState.PAUSED)


def resume(*, member: Member) -> None:
    _move(member, MemberState.ACTIVE)


def take_address(*, member_id: uuid.UUID, address_id: uuid.UUID) -> bool:
    """After the right code: the address is proved and becomes the member's, and replaces a former one.

    False when somebody else proved it first.
    """
    member = locked_member(member_id)
    address = db.session.get(Address, address_id, with_for_update=True, populate_existing=True)
    if member is None or address is None:
        return False
    if address.owner_id != member.id:
        if address.state is not AddressState.UNPROVED:
            return False
        former = addresses.of_owner(member.id, address.channel)
        if former is not None:
            db.session.delete(former)
            db.session.flush()
        address.owner_id = member.id
    prove(address)
    db.session.flush()
    become_active(member)
    return True


def suppress_waiting(*, vault: ServiceVault, owner_id: uuid.UUID, channel: Channel, now: datetime) -> None:
    """Have the worker suppress the deliveries that wait; their gate is closed already."""
    payload = {"owner_id": owner_id.hex, "channel": channel.value}
    handovers.hand_over(vault=vault, kind=HandoverKind.OPTED_OUT, payload=payload, now=now)


def forget_addresses(member_id: uuid.UUID) -> None:
    """Delete every address of a member, including those typed and never proved."""
    owners = [member_id, *(placeholder_owner(member_id, channel) for channel in Channel)]
    change_rows(sa.delete(Address).where(Address.owner_id.in_(owners)))


def _move(member: Member, wanted: MemberState) -> None:
    if not MEMBER_MOVES.allows(member.state, wanted):
        raise Conflict(_("That has changed meanwhile. Please look at the page again."))
    MEMBER_MOVES.move(member, wanted)
