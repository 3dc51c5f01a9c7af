"""The phones and inboxes of people: handed over sealed by the web, known again and opened by the worker only."""

import uuid

import sqlalchemy as sa

from ugly_mugs.database.engine import db
from ugly_mugs.outbox.models import ADDRESS_MOVES, Address, AddressState, Channel
from ugly_mugs.vault import ServiceVault, Where, WorkerVault
from ugly_mugs.vault.padding import CONTACT


def give(*, vault: ServiceVault, owner_id: uuid.UUID, channel: Channel, address: str) -> Address:
    """Add an owner's address to the session, sealed to the worker; `address` is normalised by the caller.

    The web does this without knowing whether anybody has that address already. It replaces none: an owner has
    one address of each channel.
    """
    address_id = uuid.uuid4()
    handed = vault.dispatch().seal(address.encode(), Where("addresses", "handed", address_id), sizes=CONTACT)
    row = Address(
        id=address_id, owner_id=owner_id, channel=channel, state=AddressState.UNPROVED, handed=handed
    )
    db.session.add(row)
    return row


def take_over(*, vault: WorkerVault, address: Address) -> Address | None:
    """Give a handed-over address its tag and re-seal it under the worker's contacts key.

    None when that is done (or was done before). Otherwise the row that has this address already, which stays
    as it is; the caller decides what becomes of the new one, whose contents are deleted here.
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
    """Whoever's address this is; `address` is normalised by the caller."""
    return _tagged(vault.contact_tag(channel.value, address))


def opened(*, vault: WorkerVault, address_id: uuid.UUID, sealed: bytes) -> str:
    """The address itself."""
    return vault.open_contact(sealed, Where("addresses", "sealed", address_id)).decode()


def of_owner(owner_id: uuid.UUID, channel: Channel, *, for_update: bool = False) -> Address | None:
    """An owner's address of one channel; `for_update` gives it as it is once the lock is there."""
    asked = sa.select(Address).where(Address.owner_id == owner_id, Address.channel == channel)
    if for_update:
        # What this session read of it before the lock may be over.
        asked = asked.with_for_update().execution_options(populate_existing=True)
    return db.session.scalar(asked)


def prove(address: Address) -> None:
    """Its code was typed, so it is the owner's. One that was opted out meanwhile stays opted out."""
    if address.state is AddressState.UNPROVED:
        ADDRESS_MOVES.move(address, AddressState.PROVED)


def start_again(address: Address) -> None:
    """An invalid or opted-out address whose owner means to prove it anew; others stay as they are."""
    if address.state in (AddressState.INVALID, AddressState.OPTED_OUT):
        ADDRESS_MOVES.move(address, AddressState.UNPROVED)


def invalidate(address: Address) -> None:
    """The provider says that nothing reaches it; its owner may prove it again."""
    if address.state is not AddressState.INVALID and ADDRESS_MOVES.allows(
        address.state, AddressState.INVALID
    ):
        ADDRESS_MOVES.move(address, AddressState.INVALID)


def _tagged(tag: bytes) -> Address | None:
    return db.session.scalar(sa.select(Address).where(Address.tag == tag))
