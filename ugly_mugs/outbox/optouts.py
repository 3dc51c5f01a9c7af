"""Nobody is written to who does not want it: opting out, coming back, and addresses that nothing reaches.

Whoever calls commits. The address, the person's waiting messages and their consent change in one transaction,
so that after it nothing is claimed for them; at most what was already on its way may still arrive.
"""

import uuid
from datetime import datetime

from ugly_mugs.outbox import addresses, ledger
from ugly_mugs.outbox.models import ADDRESS_MOVES, Address, AddressState, Channel
from ugly_mugs.outbox.registry import HandedOver, Refused, Registry


def close(*, registry: Registry, address: Address, now: datetime) -> bool:
    """The address wants no more and its owner's consent ends; False when that was so already.

    The web may do this much. What still waits is left to the worker, whose claims the address refuses already.
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
    """What waits for somebody who opted out, but for the answers that tell them so: they go to nobody else."""
    sparing = [kind for kind, spec in registry.kinds.items() if spec.reaches == {AddressState.OPTED_OUT}]
    ledger.suppress(recipient_id=owner_id, channel=channel, sparing=sparing)


def start_again(*, registry: Registry, address: Address, now: datetime) -> bool:
    """START came from this number: it is its owner's. What they hear about again is for the hook to decide."""
    if address.state is not AddressState.OPTED_OUT:
        return False
    ADDRESS_MOVES.move(address, AddressState.PROVED)
    registry.on_start(address.owner_id, address.channel, now)
    return True


def nothing_arrives(*, owner_id: uuid.UUID, channel: Channel) -> None:
    """The provider says that this address does not exist: what waits for it would not arrive either."""
    address = addresses.of_owner(owner_id, channel, for_update=True)
    if address is not None:
        addresses.invalidate(address)
    ledger.suppress(recipient_id=owner_id, channel=channel)


def apply_opt_out(registry: Registry, request: HandedOver) -> None:
    """The web closed an address by a one-click link; the rest of the opt-out is the worker's."""
    try:
        owner_id, channel = uuid.UUID(request.payload["owner_id"]), Channel(request.payload["channel"])
    except (KeyError, TypeError, ValueError):
        raise Refused("an opt-out without an owner") from None
    suppress_waiting(registry=registry, owner_id=owner_id, channel=channel)
