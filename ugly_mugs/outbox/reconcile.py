"""Texts of unknown fate: callbacks had their time, now each is looked for in the provider's own list.

Found: it was taken, and is never sent again. Surely not there: it waits again. Nobody can tell: it stays
unknown, and after a while is shown as unconfirmed.
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
from ugly_mugs.database.engine import db, reading
from ugly_mugs.outbox import addresses, attempts, claims, ledger
from ugly_mugs.outbox.gateways.transport import NotSent
from ugly_mugs.outbox.gateways.twilio import LOOKED_UP_AT_ONCE, Listed
from ugly_mugs.outbox.inbound import status_updates
from ugly_mugs.outbox.inbound.status_updates import STATES, News
from ugly_mugs.outbox.models import Address, Channel, Delivery, DeliveryState
from ugly_mugs.outbox.registry import Claimed, Registry
from ugly_mugs.vault import CannotOpen, WorkerVault

log = logging.getLogger(__name__)

SLICE = 50
# How far the provider's clock and ours may differ.
SKEW = timedelta(seconds=60)
SHORTEST_PAUSE = timedelta(seconds=2)


class Listing(Protocol):
    def sent_to(self, phone: str, *, since: datetime) -> Iterable[Listed]:
        """What the provider has taken for this phone since then, or NotSent when it cannot tell."""
        ...


@dataclass(frozen=True, slots=True)
class _Sought:
    """One text to look for: where it went and exactly what it said."""

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
    """Look for every text whose time has come, then give up on those nobody could tell about for too long.

    Commits for each text, because what was found out must not be lost with the next.
    """
    while not stop.is_set():
        look_again = max(unknown_wait, SHORTEST_PAUSE)
        taken = attempts.take_unknown(now=clock.now(), look_again=look_again, most=SLICE)
        all_sought = _sought(taken, registry=registry, vault=vault)
        with ThreadPoolExecutor(LOOKED_UP_AT_ONCE) as lookers:
            answers = lookers.map(partial(_look_for, listing=listing), all_sought)
            for sought, answer in zip(all_sought, answers, strict=True):
                if answer.is_known:
                    _conclude(sought, answer.found, registry=registry, now=clock.now())
        if len(taken) < SLICE:
            break
    attempts.give_up(now=clock.now(), unknown_give_up=unknown_give_up)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the list says: here it is, or (`found` is None) it is surely not there, or nothing at all."""

    is_known: bool
    found: Listed | None = None


def _look_for(sought: _Sought, *, listing: Listing) -> _Answer:
    try:
        return _find(sought, listing)
    except NotSent as trouble:
        log.warning("the provider cannot list texts just now", extra={"code": trouble.code})
        return _Answer(False)


def _find(sought: _Sought, listing: Listing) -> _Answer:
    """What the provider's list says of this text.

    The list does not show the callback address that would name our delivery, so phone, time and exact words must
    do; ids that are known already are left out: they belong to other deliveries, or to earlier attempts at this one,
    because whatever learns the id of the latest attempt ends its being unknown. In doubt it is taken for found: a
    text too few can be seen and sent again by a person, one too many cannot be taken back. An emptied text whose id
    is not known may be any other or this one, so beside it nothing is proved absent.
    """
    is_legible = True
    for each in listing.sent_to(sought.phone, since=sought.attempted_at - SKEW):
        if each.provider_id in sought.known_ids:
            continue
        if each.body.strip() == sought.body.strip():
            return _Answer(True, each)
        is_legible = is_legible and bool(each.body.strip())
    return _Answer(is_legible)


def _conclude(sought: _Sought, found: Listed | None, *, registry: Registry, now: datetime) -> None:
    claimed = sought.claimed
    if found is not None:
        said = News(
            delivery_id=claimed.id,
            attempt=claimed.attempt,
            state=STATES.get(found.status, DeliveryState.ACCEPTED),
            provider_id=found.provider_id,
            error_code=found.error_code,
        )
        status_updates.apply(registry, said, now=now)
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
    # One of the places where a service commits: see `reconcile`.
    db.session.commit()


def _sought(taken: Sequence[uuid.UUID], *, registry: Registry, vault: WorkerVault) -> list[_Sought]:
    """What to look for; a text whose phone or words cannot be known any more is left to be given up."""
    if not taken:
        return []
    with reading():
        rows = db.session.execute(
            sa.select(*claims.COLUMNS, Delivery.attempted_at, Address.id, Address.sealed)
            .join(
                Address,
                # Only where it went: a text that is not in the list of a newer number was not sent to that one.
                sa.and_(
                    Address.id == Delivery.address_id,
                    Address.owner_id == Delivery.recipient_id,
                    Address.channel == Delivery.channel,
                ),
            )
            .where(Delivery.id.in_(taken), Delivery.channel == Channel.SMS, Address.sealed.is_not(None))
        ).all()
        known_ids = _known_ids({row.recipient_id for row in rows})
        db.session.rollback()
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
            mine = frozenset(known_ids.get(claimed.recipient_id, ()))
            sought.append(_Sought(claimed, attempted_at, phone, body, mine))
    return sought


def _body(claimed: Claimed, *, registry: Registry, vault: WorkerVault) -> str | None:
    spec = registry.kinds.get(claimed.kind)
    if spec is None:
        return None
    opened = claims.with_body(claimed, vault)
    try:
        words = spec.words([opened]).get(claimed.id)
    finally:
        db.session.remove()
    return None if words is None else words.text


def _known_ids(recipients: set[uuid.UUID]) -> dict[uuid.UUID, set[str]]:
    """The provider's ids of what these people were sent, as far as they are still kept."""
    known: dict[uuid.UUID, set[str]] = {}
    asked = sa.select(Delivery.recipient_id, Delivery.provider_id).where(
        Delivery.recipient_id.in_(recipients), Delivery.provider_id.is_not(None)
    )
    for recipient_id, provider_id in db.session.execute(asked):
        if provider_id is not None:
            known.setdefault(recipient_id, set()).add(provider_id)
    return known
