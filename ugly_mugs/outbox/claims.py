"""Claiming: which deliveries leave next, decided and committed in one statement before anything is sent.

These functions begin and commit transactions of their own, because what they write must stand before the
provider hears of a message, and no transaction may be open while it does.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from ugly_mugs.database.engine import db, reading
from ugly_mugs.outbox.ledger import is_one_of, under_way
from ugly_mugs.outbox.models import Address, Channel, Delivery, DeliveryState
from ugly_mugs.outbox.registry import (
    CLAIM_TIME,
    FIRST_CLASS_BELOW,
    IS_QUIET,
    Claimed,
    MessageKindSpec,
    Registry,
)
from ugly_mugs.vault import Where, WorkerVault

COLUMNS = (
    Delivery.id,
    Delivery.kind,
    Delivery.subject_id,
    Delivery.recipient_id,
    Delivery.channel,
    Delivery.priority,
    Delivery.attempt,
    Delivery.retries,
    Delivery.segments,
    Delivery.language,
    Delivery.level,
    Delivery.expires_at,
    Delivery.body,
)


@dataclass(frozen=True, slots=True)
class Allowance:
    """How much may be claimed now: `whole` says that no larger allowance will ever come."""

    segments: int
    rows: int
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Reachable:
    """Where a claimed delivery goes; what is not reachable any more has none."""

    address_id: uuid.UUID
    sealed: bytes = field(repr=False)


def claim(
    registry: Registry,
    *,
    channel: Channel,
    allowance: Allowance,
    now: datetime,
    lease_ends_at: datetime,
    quiet: bool,
    first_class_only: bool = False,
) -> list[Claimed]:
    """Move what may leave next to `attempting`, the most urgent first, and commit that.

    Nothing is claimed whose kind is not registered or whose gate does not hold at this moment, nothing for an
    address the kind does not reach, nothing before its time or after its end, and while it is quiet only what
    may wake people. All that is claimed together fits the allowance of segments.
    """
    if not registry.kinds or allowance.segments < 1 or allowance.rows < 1:
        return []
    statement = _claim_statement(registry, first_class_only)
    with db.engine.begin() as connection:
        rows = connection.execute(
            statement,
            {
                "the_channel": channel,
                "the_time": now,
                "the_lease": lease_ends_at,
                "is_quiet": quiet,
                "most_rows": allowance.rows,
                "most_segments": allowance.segments,
                "is_whole": allowance.whole,
            },
        ).all()
    claimed = [Claimed(*row) for row in rows]
    claimed.sort(key=lambda each: each.priority)
    return claimed


def last_look(
    registry: Registry, claimed: Sequence[Claimed], *, now: datetime, lease_ends_at: datetime, quiet: bool
) -> tuple[dict[uuid.UUID, Reachable], set[uuid.UUID]]:
    """Where each of these goes, seen after the claim was committed; and those that must wait after all.

    What somebody stopped since (the address opted out or gone) is in neither; what its gate holds back now
    (a paused alert) is in the second, as is what was claimed for an address that another has replaced since.
    """
    mine = {each.id for each in claimed}
    with reading(), db.engine.connect() as connection:
        rows = connection.execute(
            _look_statement(registry), {"the_lease": lease_ends_at, "the_time": now, "is_quiet": quiet}
        ).all()
    reachable: dict[uuid.UUID, Reachable] = {}
    waits: set[uuid.UUID] = set()
    for delivery_id, address_id, sealed, gate_holds in rows:
        if delivery_id not in mine:
            continue
        if not gate_holds:
            waits.add(delivery_id)
        elif sealed is not None:
            reachable[delivery_id] = Reachable(address_id, sealed)
    return reachable, waits


def with_body(claimed: Claimed, vault: WorkerVault) -> Claimed:
    """The same with its own words opened, where it has any; CannotOpen when they are damaged."""
    if claimed.body is None:
        return claimed
    return replace(claimed, body=vault.open_contact(claimed.body, Where("deliveries", "body", claimed.id)))


def is_anything_waiting(channel: Channel, *, now: datetime, quiet: bool = False) -> bool:
    """Whether a claim could find something; gates are not asked and no lock is taken."""
    waits = sa.exists().where(
        is_one_of([DeliveryState.QUEUED]), Delivery.channel == channel, Delivery.not_before <= now
    )
    with reading(), db.engine.connect() as connection:
        return bool(connection.scalar(sa.select(waits.where(Delivery.wakes) if quiet else waits)))


def is_anything_due(registry: Registry, *, now: datetime, quiet: bool) -> bool:
    """Whether a claim of any channel would find something."""
    may_leave = (
        sa.or_(*(_may_leave(spec) for spec in registry.kinds.values())) if registry.kinds else sa.false()
    )
    asked = sa.select(
        sa.exists().where(
            is_one_of([DeliveryState.QUEUED]),
            Delivery.not_before <= CLAIM_TIME,
            sa.or_(Delivery.expires_at.is_(None), Delivery.expires_at > CLAIM_TIME),
            sa.or_(Delivery.wakes, sa.not_(IS_QUIET)),
            may_leave,
        )
    )
    with reading(), db.engine.connect() as connection:
        return bool(connection.scalar(asked, {"the_time": now, "is_quiet": quiet}))


def _claim_statement(registry: Registry, first_class_only: bool) -> sa.Executable:
    built = _statements(registry)
    key = f"claim {first_class_only}"
    if key not in built:
        built[key] = _build_claim(registry.kinds.values(), first_class_only)
    statement: sa.Executable = built[key]
    return statement


def _look_statement(registry: Registry) -> sa.Executable:
    built = _statements(registry)
    if "look" not in built:
        built["look"] = _build_look(registry.kinds.values())
    statement: sa.Executable = built["look"]
    return statement


@cache
def _statements(registry: Registry) -> dict[str, Any]:
    """Statements are built once for each registry: building them anew would cost more than running them."""
    return {}


def _reaches(spec: MessageKindSpec) -> sa.ColumnElement[bool]:
    return Address.state.in_(sorted(spec.reaches))


def _may_leave(spec: MessageKindSpec) -> sa.ColumnElement[bool]:
    address = sa.exists().where(
        Address.owner_id == Delivery.recipient_id,
        Address.channel == Delivery.channel,
        Address.sealed.is_not(None),
        _reaches(spec),
    )
    return sa.and_(Delivery.kind == spec.kind, address, spec.gate())


def _build_claim(specs: Iterable[MessageKindSpec], first_class_only: bool) -> sa.Executable:
    pick = (
        sa.select(Delivery.id, Delivery.segments, Delivery.priority, Delivery.not_before)
        .where(
            is_one_of([DeliveryState.QUEUED]),
            Delivery.channel == sa.bindparam("the_channel"),
            Delivery.sender == 0,
            Delivery.not_before <= CLAIM_TIME,
            sa.or_(Delivery.expires_at.is_(None), Delivery.expires_at > CLAIM_TIME),
            sa.or_(Delivery.wakes, sa.not_(IS_QUIET)),
            sa.or_(*(_may_leave(spec) for spec in specs)),
        )
        .order_by(Delivery.priority, Delivery.not_before)
        .limit(sa.bindparam("most_rows", type_=sa.Integer))
        .with_for_update(of=Delivery, skip_locked=True)
    )
    if first_class_only:
        pick = pick.where(Delivery.priority < int(FIRST_CLASS_BELOW))
    picked = pick.cte("pick").prefix_with("MATERIALIZED")
    running = sa.func.sum(picked.c.segments).over(
        order_by=(picked.c.priority, picked.c.not_before, picked.c.id)
    )
    fits = sa.select(picked.c.id, picked.c.segments, running.label("running")).cte("fits")
    return (
        sa.update(Delivery)
        .where(
            Delivery.id == fits.c.id,
            sa.or_(
                fits.c.running <= sa.bindparam("most_segments", type_=sa.Integer),
                # A message larger than a whole second's pace leaves alone, or it never would.
                sa.and_(fits.c.running == fits.c.segments, sa.bindparam("is_whole", type_=sa.Boolean)),
            ),
        )
        .values(
            state=DeliveryState.ATTEMPTING,
            attempt=Delivery.attempt + 1,
            attempted_at=CLAIM_TIME,
            lease_ends_at=sa.bindparam("the_lease"),
            address_id=sa.select(Address.id)
            .where(Address.owner_id == Delivery.recipient_id, Address.channel == Delivery.channel)
            .scalar_subquery(),
        )
        .returning(*COLUMNS)
    )


def _build_look(specs: Iterable[MessageKindSpec]) -> sa.Executable:
    specs = list(specs)
    gate_holds = sa.or_(*(sa.and_(Delivery.kind == spec.kind, spec.gate()) for spec in specs))
    reached = sa.or_(*(sa.and_(Delivery.kind == spec.kind, _reaches(spec)) for spec in specs))
    return (
        sa.select(
            Delivery.id, Address.id, Address.sealed, sa.and_(gate_holds, Address.id == Delivery.address_id)
        )
        .join(
            Address,
            sa.and_(Address.owner_id == Delivery.recipient_id, Address.channel == Delivery.channel, reached),
        )
        # The claim is found by its lease, which is quicker than by five hundred ids; what another claim of the
        # same microsecond took is left out by whoever asked.
        .where(under_way(DeliveryState.ATTEMPTING), Delivery.lease_ends_at == sa.bindparam("the_lease"))
    )
