"""The worker's part in proving addresses: find an address by its tag, and send a code to it.

The result stays hidden from the web: whether an address is unknown, over its budget, opted out or sent a code, the
rows that the web can read are the same.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from alerts.membership import code_kind
from alerts.membership.models import Member, SignInCode
from alerts.membership.sign_in import services
from ugly_mugs.database.engine import db, is_sqlite
from ugly_mugs.database.statements import count
from ugly_mugs.outbox import addresses, ledger
from ugly_mugs.outbox.models import Address, AddressState, Channel, Delivery, HandoverKind, MessageKind
from ugly_mugs.outbox.registry import Handler, OpenedHandover, Priority, Refused
from ugly_mugs.runtime import runtime
from ugly_mugs.settings import Settings
from ugly_mugs.text import identifiers
from ugly_mugs.text.identifiers import NotAnIdentifier
from ugly_mugs.vault import Where, WorkerVault

BUDGET_PERIOD = timedelta(days=1)

# The key of an advisory lock: arbitrary, but used for nothing else in the service.
_CODES_LOCK = 0x636F6465


def address_given(handover: OpenedHandover) -> None:
    """Tag an applicant's address. If the address is known already, the new row is deleted: an address has one owner.

    The applicant becomes the owner of the known row if it is only claimed: a signed-in member typed it and has not
    proved it, or it is the unproved second address of an application whose other address is proved. A proved address
    stays with its owner, and an unproved first address with the application that gave it first.
    """
    address = db.session.get(Address, _id(handover, "address_id"))
    if address is None:
        return
    known = addresses.take_over(vault=runtime().worker_vault, address=address)
    if known is None:
        return
    owner_id = address.owner_id
    db.session.delete(address)
    db.session.flush()
    # Locked, because its owner may be typing the right code at this moment.
    db.session.refresh(known, with_for_update=True)
    only_claimed = known.state is AddressState.UNPROVED and services.is_unproved_extra(known)
    if only_claimed or not _is_member(known.owner_id):
        known.owner_id = owner_id


def code_wanted(handover: OpenedHandover) -> None:
    """Queue the code for sending if the address may get one."""
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
    _lock_budgets()
    address = _addressee(vault=vault, channel=channel, written=written, wanted_by=code.wanted_by)
    if address is None or not _is_within_budget(address, settings=settings, now=handover.now):
        return
    if address.state is AddressState.INVALID:
        # Locked, because the web or another worker may be opting it out at this moment.
        db.session.refresh(address, with_for_update=True)
    if address.state is AddressState.INVALID:
        # An opted-out address, however, stays opted out until the code is typed: anybody can request a code.
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
        segments=code_kind.segments_of(digits, language) if channel is Channel.SMS else 1,
        body=digits.encode(),
        vault=vault,
    )


def placeholder_owner(member_id: uuid.UUID, channel: Channel) -> uuid.UUID:
    """The owner id of an address that a signed-in member typed and has not proved; one for each member and channel."""
    return uuid.uuid5(member_id, f"new {channel.value}")


def _addressee(
    *, vault: WorkerVault, channel: Channel, written: str, wanted_by: uuid.UUID | None
) -> Address | None:
    """The address row that may get a code, or None.

    A number that sent STOP gets no text, not even a code; its way back is START. An e-mail address has no such way
    back, so it may get a code, which only its owner can read.
    """
    known = addresses.find(vault=vault, channel=channel, address=written)
    if known is not None and known.state is AddressState.OPTED_OUT and channel is Channel.SMS:
        return None
    if wanted_by is None:
        if known is None or not _is_member(known.owner_id) or services.is_unproved_extra(known):
            return None
        return known
    if not _is_member(wanted_by):
        return None
    if known is None:
        return _new_address(wanted_by, vault=vault, channel=channel, written=written)
    if known.owner_id == wanted_by or known.state in (AddressState.UNPROVED, AddressState.INVALID):
        # An address that another member only claims goes to whoever proves it.
        return known
    return None


def _new_address(member_id: uuid.UUID, *, vault: WorkerVault, channel: Channel, written: str) -> Address:
    """A new address under the placeholder owner; it replaces one that the member typed before and never proved."""
    owner_id = placeholder_owner(member_id, channel)
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
    recent = sa.and_(Delivery.kind == MessageKind.CODE, Delivery.not_before > now - BUDGET_PERIOD)
    of_address = (Delivery.recipient_id == address.owner_id, Delivery.channel == address.channel)
    return count(recent, *of_address) < settings.codes_per_address and count(recent) < settings.codes_per_day


def _lock_budgets() -> None:
    """Serialise workers, so that two cannot both count before either adds the last code. SQLite has one writer."""
    if not is_sqlite():
        db.session.execute(sa.select(sa.func.pg_advisory_xact_lock(_CODES_LOCK)))


def _is_member(owner_id: uuid.UUID) -> bool:
    # Select the id only: the worker may not read every column of a member.
    return db.session.scalar(sa.select(Member.id).where(Member.id == owner_id)) is not None


def _id(handover: OpenedHandover, name: str) -> uuid.UUID:
    try:
        return uuid.UUID(hex=handover.payload[name])
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Refused("a handover that names no row") from None


HANDLERS: Final[Mapping[HandoverKind, Handler]] = {
    HandoverKind.ADDRESS_GIVEN: address_given,
    HandoverKind.CODE_WANTED: code_wanted,
}
