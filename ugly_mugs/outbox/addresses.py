"""Addresses: sealed by the web when they are given, recognised by tag and opened by the worker only."""

import uuid

import sqlalchemy as sa

from ugly_mugs.database.engine import db
from ugly_mugs.outbox.models import ADDRESS_MOVES, Address, AddressState, Channel
from ugly_mugs.vault import ServiceVault, Where, WorkerVault
from ugly_mugs.vault.padding import CONTACT


def give(*, vault: ServiceVault, owner_id: uuid.UUID, channel: Channel, address: str) -> Address:
    """Add an owner's address to the session, sealed to the worker; the caller normalises `address`.

    The web cannot know whether somebody else has the address. An owner has at most one address of each channel.
    """
    address_id = uuid.uuid4()
    handed = vault.dispatch.seal(address.encode(), Where("addresses", "handed", address_id), sizes=CONTACT)
    row = Address(
        id=address_id, owner_id=owner_id, channel=channel, state=AddressState.UNPROVED, handed=handed
    )
    db.session.add(row)
    return row


def take_over(*, vault: WorkerVault, address: Address) -> Address | None:
    """Tag an address that was given and seal it under the worker's contacts key.

    Returns None when that is done, now or before. Otherwise another row has this address already: it is returned
    unchanged, and the contents of the new row are deleted. The caller decides what becomes of the new row.
    """
    if address.handed is None:
        return None
    text = vault.open_dispatch(address.handed, Where("addresses", "handed", address.id)).decode()
    tag = vault.contact_tag(address.channel.value, text)
    other = _tagged(tag)
    if other is not None and other.id != address.id:
        address.handed = None
        return other
    address.tag = tag
    address.sealed = vault.seal_contact(text.encode(), Where("addresses", "sealed", address.id))
    address.handed = None
    return None


def find(*, vault: WorkerVault, channel: Channel, address: str) -> Address | None:
    """The row that has this address; the caller normalises it."""
    return _tagged(vault.contact_tag(channel.value, address))


def opened(*, vault: WorkerVault, address_id: uuid.UUID, sealed: bytes) -> str:
    return vault.open_contact(sealed, Where("addresses", "sealed", address_id)).decode()


def of_owner(owner_id: uuid.UUID, channel: Channel, *, for_update: bool = False) -> Address | None:
    """An owner's address of one channel; with `for_update`, locked and read after the lock was granted."""
    query = sa.select(Address).where(Address.owner_id == owner_id, Address.channel == channel)
    if for_update:
        # What this session read before it had the lock may be outdated.
        query = query.with_for_update().execution_options(populate_existing=True)
    return db.session.scalar(query)


def prove(address: Address) -> None:
    """Its code was entered, so it is the owner's. An address that was opted out meanwhile stays opted out."""
    if address.state is AddressState.UNPROVED:
        ADDRESS_MOVES.move(address, AddressState.PROVED)


def start_again(address: Address) -> None:
    """Let the owner prove an invalid or opted-out address again; others stay as they are."""
    if address.state in (AddressState.INVALID, AddressState.OPTED_OUT):
        ADDRESS_MOVES.move(address, AddressState.UNPROVED)


def invalidate(address: Address) -> None:
    """Nothing reaches this address; its owner may prove it again."""
    if address.state is not AddressState.INVALID and ADDRESS_MOVES.allows(
        address.state, AddressState.INVALID
    ):
        ADDRESS_MOVES.move(address, AddressState.INVALID)


def _tagged(tag: bytes) -> Address | None:
    return db.session.scalar(sa.select(Address).where(Address.tag == tag))
