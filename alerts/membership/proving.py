"""What only the worker can do with addresses: know them again, and send a code to the one that was typed.

Outside nothing shows what was found: an unknown address, one over its budget, one that opted out and one that
gets a code leave the same rows behind in everything the web reads.
"""

import uuid
from datetime import datetime, timedelta

import sqlalchemy as sa

from alerts.membership import codes
from alerts.membership.models import Member, SignInCode
from alerts.membership.sign_in import services
from ugly_mugs.database.engine import db, is_sqlite
from ugly_mugs.outbox import addresses, ledger
from ugly_mugs.outbox.models import Address, AddressState, Channel, Delivery, MessageKind
from ugly_mugs.outbox.registry import OpenedHandover, Priority, Refused
from ugly_mugs.runtime import runtime
from ugly_mugs.settings import Settings
from ugly_mugs.text import identifiers
from ugly_mugs.text.identifiers import NotAnIdentifier
from ugly_mugs.vault import Where, WorkerVault

BUDGET_PERIOD = timedelta(days=1)

# Any fixed number does, as long as nothing else of the service locks by it.
_CODES_LOCK = 0x636F6465


def address_given(handover: OpenedHandover) -> None:
    """Take an applicant's address over. One that somebody has already is dropped: each belongs to one owner.

    What others only claim to have keeps nobody from joining with it: an address somebody inside has typed and
    not proved yet, or the second one of an application that was proved by another. A first address stays with
    whoever gave it first, as neither has shown anything yet, and one that its owner proved stays theirs.
    """
    address = db.session.get(Address, _id(handover, "address_id"))
    if address is None:
        return
    other = addresses.take_over(vault=runtime().worker_vault, address=address)
    if other is None:
        return
    owner_id = address.owner_id
    db.session.delete(address)
    db.session.flush()
    # Locked, as its owner may be typing the right code at this moment.
    db.session.refresh(other, with_for_update=True)
    only_claimed = other.state is AddressState.UNPROVED and services.is_for_inside(other)
    if only_claimed or not _is_member(other.owner_id):
        other.owner_id = owner_id


def code_wanted(handover: OpenedHandover) -> None:
    """Send the code if the address may have one."""
    vault, settings = runtime().worker_vault, runtime().settings
    code = db.session.get(SignInCode, _id(handover, "code_id"))
    if code is None or code.expires_at <= handover.now:
        return
    try:
        channel = Channel(handover.payload["channel"])
        digits, typed = str(handover.payload["code"]), str(handover.payload["address"])
        written = identifiers.email(typed) if channel is Channel.EMAIL else identifiers.mobile(typed)
    except (KeyError, ValueError, NotAnIdentifier):
        raise Refused("a code for no address") from None
    _one_at_a_time()
    address = _addressee(vault=vault, channel=channel, written=written, wanted_by=code.wanted_by)
    if address is None or not _is_within_budget(address, settings=settings, now=handover.now):
        return
    if address.state is AddressState.INVALID:
        # Held, as the web or another worker may be closing it at this moment.
        db.session.refresh(address, with_for_update=True)
    if address.state is AddressState.INVALID:
        # One that was opted out stays so until the code was typed: anybody may have asked for it.
        addresses.start_again(address)
    code.address_id = address.id
    language = str(handover.payload.get("language", settings.languages[0]))
    db.session.flush()
    ledger.enqueue(
        kind=MessageKind.CODE,
        subject_id=code.id,
        recipient_id=address.owner_id,
        channel=channel,
        priority=Priority.FIRST,
        not_before=handover.now,
        expires_at=code.expires_at,
        language=language,
        segments=codes.segments_of(digits, language) if channel is Channel.SMS else 1,
        body=digits.encode(),
        vault=vault,
    )


def place_holder(member_id: uuid.UUID, channel: Channel) -> uuid.UUID:
    """Owns the address a member typed inside until its code was typed too; one for each member and channel."""
    return uuid.uuid5(member_id, f"new {channel.value}")


def _addressee(
    *, vault: WorkerVault, channel: Channel, written: str, wanted_by: uuid.UUID | None
) -> Address | None:
    """The address row that may get a code; None sends nothing.

    Who stopped our texts gets none, not even a code: START from that number is the way back. An e-mail address
    has no such way, so there a code, which only its owner can read, is it.
    """
    known = addresses.find(vault=vault, channel=channel, address=written)
    if known is not None and known.state is AddressState.OPTED_OUT and channel is Channel.SMS:
        return None
    if wanted_by is None:
        if known is None or not _is_member(known.owner_id) or services.is_for_inside(known):
            return None
        return known
    if not _is_member(wanted_by):
        return None
    if known is None:
        return _held_for(wanted_by, vault=vault, channel=channel, written=written)
    if known.owner_id == wanted_by or known.state in (AddressState.UNPROVED, AddressState.INVALID):
        # What somebody else only claims to have goes to whoever proves it.
        return known
    return None


def _held_for(member_id: uuid.UUID, *, vault: WorkerVault, channel: Channel, written: str) -> Address:
    """A new address that is nobody's yet; it takes the place of one typed before and never proved."""
    owner_id = place_holder(member_id, channel)
    db.session.execute(sa.delete(Address).where(Address.owner_id == owner_id, Address.channel == channel))
    address_id = uuid.uuid4()
    address = Address(
        id=address_id,
        owner_id=owner_id,
        channel=channel,
        state=AddressState.UNPROVED,
        tag=vault.contact_tag(channel.value, written),
        sealed=vault.seal_contact(written.encode(), Where("addresses", "sealed", address_id)),
    )
    db.session.add(address)
    return address


def _is_within_budget(address: Address, *, settings: Settings, now: datetime) -> bool:
    recent = (Delivery.kind == MessageKind.CODE, Delivery.not_before > now - BUDGET_PERIOD)
    everybody = sa.select(sa.func.count()).select_from(Delivery).where(*recent)
    this_one = everybody.where(Delivery.recipient_id == address.owner_id, Delivery.channel == address.channel)
    return (db.session.scalar(this_one) or 0) < settings.codes_per_address and (
        db.session.scalar(everybody) or 0
    ) < settings.codes_per_day


def _one_at_a_time() -> None:
    """Two workers that count at the same moment would both find room for the last code. SQLite has one writer."""
    if not is_sqlite():
        db.session.execute(sa.select(sa.func.pg_advisory_xact_lock(_CODES_LOCK)))


def _is_member(owner_id: uuid.UUID) -> bool:
    # By its id only: the worker may not read every column of a member.
    return db.session.scalar(sa.select(Member.id).where(Member.id == owner_id)) is not None


def _id(handover: OpenedHandover, name: str) -> uuid.UUID:
    try:
        return uuid.UUID(hex=handover.payload[name])
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Refused("a handover that names no row") from None
