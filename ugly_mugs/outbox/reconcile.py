"""Reconciling SMS of unknown fate: after waiting for callbacks, each is looked for in the provider's list.

Found: it was accepted and is never sent again. Certainly not in the list: it is queued again. Undecided: it stays
`unknown` and becomes `unconfirmed` after a while.
"""

import logging
import threading
import uuid
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

import sqlalchemy as sa

from ugly_mugs.clock import Clock
from ugly_mugs.database.engine import brief_reading, db
from ugly_mugs.outbox import addresses, attempts, claims, ledger, texts
from ugly_mugs.outbox.gateways.transport import NotSent
from ugly_mugs.outbox.gateways.twilio import LOOKED_UP_AT_ONCE, Listed
from ugly_mugs.outbox.inbound import status_updates
from ugly_mugs.outbox.inbound.status_updates import STATES, StatusUpdate
from ugly_mugs.outbox.models import Address, Channel, Delivery, DeliveryState
from ugly_mugs.outbox.registry import Claimed, Registry
from ugly_mugs.vault import CannotOpen, WorkerVault

log = logging.getLogger(__name__)

BATCH = 50
# How far the provider's clock may differ from ours.
SKEW = timedelta(seconds=60)
SHORTEST_PAUSE = timedelta(seconds=2)


class Listing(Protocol):
    def sent_to(self, phone: str, *, since: datetime) -> Iterable[Listed]:
        """What the provider has accepted for this phone since then; raises NotSent when it cannot say."""
        ...


@dataclass(frozen=True, slots=True)
class _Sought:
    """One SMS to look for: where it was sent and its exact text."""

    claimed: Claimed
    attempted_at: datetime
    phone: str = field(repr=False)
    body: str = field(repr=False)
    known_ids: frozenset[str]


def reconcile(
    *,
    registry: Registry,
    vault: WorkerVault,
    listing: Listing,
    clock: Clock,
    unknown_wait: timedelta,
    unknown_give_up: timedelta,
    stop: threading.Event,
) -> None:
    """Look for every SMS that is due, then give up on those that have been unknown for too long.

    Commits after each, so that what was found out is not lost with the next.
    """
    while not stop.is_set():
        look_again = max(unknown_wait, SHORTEST_PAUSE)
        taken = attempts.take_unknown(now=clock.now(), look_again=look_again, most=BATCH)
        all_sought = _sought(taken, registry=registry, vault=vault)
        with ThreadPoolExecutor(LOOKED_UP_AT_ONCE) as lookers:
            findings = lookers.map(partial(_look_for, listing=listing), all_sought)
            for sought, finding in zip(all_sought, findings, strict=True):
                if finding.is_certain:
                    _conclude(sought, finding.listed, registry=registry, now=clock.now())
        if len(taken) < BATCH:
            break
    attempts.give_up(now=clock.now(), unknown_give_up=unknown_give_up)


@dataclass(frozen=True, slots=True)
class _Finding:
    """What the list says, if `is_certain`: the SMS is there, or (`listed` is None) it is not."""

    is_certain: bool
    listed: Listed | None = None


def _look_for(sought: _Sought, *, listing: Listing) -> _Finding:
    try:
        return _find(sought, listing)
    except NotSent as trouble:
        log.warning("the provider cannot list texts just now", extra={"code": trouble.code})
        return _Finding(False)


def _find(sought: _Sought, listing: Listing) -> _Finding:
    """Compare phone, time and text, because the list does not show the callback address, which names the delivery.

    Known ids are left out. They belong to other deliveries, or to earlier attempts at this one: as soon as the id of
    the latest attempt is known, the delivery is no longer `unknown`. In doubt the SMS counts as found: one that is
    missing can be noticed and sent by a person, one too many cannot be taken back. An emptied SMS whose id is not
    known may be this one, so beside it nothing is proved absent.
    """
    is_readable = True
    for listed in listing.sent_to(sought.phone, since=sought.attempted_at - SKEW):
        if listed.provider_id in sought.known_ids:
            continue
        if listed.body.strip() == sought.body.strip():
            return _Finding(True, listed)
        is_readable = is_readable and bool(listed.body.strip())
    return _Finding(is_readable)


def _conclude(sought: _Sought, listed: Listed | None, *, registry: Registry, now: datetime) -> None:
    claimed = sought.claimed
    if listed is not None:
        update = StatusUpdate(
            delivery_id=claimed.id,
            attempt=claimed.attempt,
            state=STATES.get(listed.status, DeliveryState.ACCEPTED),
            provider_id=listed.provider_id,
            error_code=listed.error_code,
        )
        status_updates.apply(registry, update, now=now)
    else:
        ledger.move(
            DeliveryState.QUEUED,
            Delivery.id == claimed.id,
            Delivery.attempt == claimed.attempt,
            sources={DeliveryState.UNKNOWN},
            not_before=now,
            error_code=None,
            lease_ends_at=None,
        )
    # A service may commit here: see `reconcile`.
    db.session.commit()


def _sought(taken: Sequence[uuid.UUID], *, registry: Registry, vault: WorkerVault) -> list[_Sought]:
    """What to look for, without those whose phone or text is no longer known; these are given up later."""
    if not taken:
        return []
    with brief_reading():
        rows = db.session.execute(
            sa.select(*claims.COLUMNS, Delivery.attempted_at, Address.id, Address.sealed)
            .join(
                Address,
                # Only the address it was sent to: the list of a newer number says nothing about it.
                sa.and_(
                    Address.id == Delivery.address_id,
                    Address.owner_id == Delivery.recipient_id,
                    Address.channel == Delivery.channel,
                ),
            )
            .where(Delivery.id.in_(taken), Delivery.channel == Channel.SMS, Address.sealed.is_not(None))
        ).all()
        known_ids = _known_ids({row.recipient_id for row in rows})
    sought: list[_Sought] = []
    for *columns, attempted_at, address_id, sealed in rows:
        claimed = Claimed(*columns)
        try:
            phone = addresses.opened(vault=vault, address_id=address_id, sealed=sealed)
            body = _body(claimed, registry=registry, vault=vault)
        except CannotOpen:
            log.error("a text of unknown fate cannot be looked for")
            continue
        if body is not None:
            ids_of_recipient = frozenset(known_ids.get(claimed.recipient_id, ()))
            sought.append(_Sought(claimed, attempted_at, phone, body, ids_of_recipient))
    return sought


def _body(claimed: Claimed, *, registry: Registry, vault: WorkerVault) -> str | None:
    spec = registry.kinds.get(claimed.kind)
    if spec is None:
        return None
    text = texts.texts_of(spec, [claims.with_body(claimed, vault)]).get(claimed.id)
    return None if text is None else text.text


def _known_ids(recipients: set[uuid.UUID]) -> dict[uuid.UUID, set[str]]:
    """The provider's ids, as far as still kept, of what these people were sent."""
    known: dict[uuid.UUID, set[str]] = {}
    query = sa.select(Delivery.recipient_id, Delivery.provider_id).where(
        Delivery.recipient_id.in_(recipients), Delivery.provider_id.is_not(None)
    )
    for recipient_id, provider_id in db.session.execute(query):
        if provider_id is not None:
            known.setdefault(recipient_id, set()).add(provider_id)
    return known
