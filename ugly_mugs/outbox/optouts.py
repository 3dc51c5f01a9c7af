"""Opting out, opting in again, and addresses that nothing reaches.

The caller commits. The address, the person's waiting messages and their consent change in one transaction. After it
nothing is claimed for them; only what was already under way may still arrive.
"""

import uuid
from datetime import datetime

from ugly_mugs.outbox import addresses, ledger
from ugly_mugs.outbox.models import ADDRESS_MOVES, Address, AddressState, Channel
from ugly_mugs.outbox.registry import OpenedHandover, Refused, Registry


def close(*, registry: Registry, address: Address, now: datetime) -> bool:
    """Opt the address out and end its owner's consent; False when it was opted out already.

    This is what the web's database role may write. The worker suppresses what waits; it cannot be claimed any more.
    """
    if address.state is AddressState.OPTED_OUT:
        return False
    ADDRESS_MOVES.move(address, AddressState.OPTED_OUT)
    registry.on_stop(address.owner_id, address.channel, now)
    return True


def opt_out(*, registry: Registry, owner_id: uuid.UUID, channel: Channel, now: datetime) -> bool:
    """Close the address and suppress everything that waits for it; False when it was closed already."""
    address = addresses.of_owner(owner_id, channel, for_update=True)
    closed = address is not None and close(registry=registry, address=address, now=now)
    suppress_waiting(registry=registry, owner_id=owner_id, channel=channel)
    return closed


def suppress_waiting(*, registry: Registry, owner_id: uuid.UUID, channel: Channel) -> None:
    """Suppress what waits for somebody who opted out, except the kinds that confirm the opt-out."""
    sparing = [kind for kind, spec in registry.kinds.items() if spec.reaches == {AddressState.OPTED_OUT}]
    ledger.suppress(recipient_id=owner_id, channel=channel, sparing=sparing)


def start_again(*, registry: Registry, address: Address, now: datetime) -> bool:
    """START came from this number, which proves it. The hook decides which messages begin again."""
    if address.state is not AddressState.OPTED_OUT:
        return False
    ADDRESS_MOVES.move(address, AddressState.PROVED)
    registry.on_start(address.owner_id, address.channel, now)
    return True


def nothing_arrives(*, owner_id: uuid.UUID, channel: Channel) -> None:
    """The provider says that this address does not exist: invalidate it and suppress what waits for it."""
    address = addresses.of_owner(owner_id, channel, for_update=True)
    if address is not None:
        addresses.invalidate(address)
    ledger.suppress(recipient_id=owner_id, channel=channel)


def apply_opt_out(registry: Registry, handover: OpenedHandover) -> None:
    """The worker's part of a one-click opt-out; the web has closed the address already."""
    try:
        owner_id, channel = uuid.UUID(handover.payload["owner_id"]), Channel(handover.payload["channel"])
    except (KeyError, TypeError, ValueError):
        raise Refused("an opt-out without an owner") from None
    suppress_waiting(registry=registry, owner_id=owner_id, channel=channel)
