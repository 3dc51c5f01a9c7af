"""Claiming: which deliveries leave next, decided and committed in one statement before anything is sent.

These functions begin and commit transactions of their own: a claim must be committed before the provider gets the
message, and no transaction may be open while it does.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache

import sqlalchemy as sa

from ugly_mugs.database.engine import db, reading
from ugly_mugs.outbox.ledger import is_one_of, under_way
from ugly_mugs.outbox.models import DELIVERY_MOVES, Address, Channel, Delivery, DeliveryState
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
    """How much may be claimed now; `whole` means that the pace can never allow more than this."""

    segments: int
    rows: int
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Reachable:
    """The address that a claimed delivery goes to, sealed."""

    address_id: uuid.UUID
    sealed: bytes = field(repr=False)


def claim(
    registry: Registry,
    *,
    channel: Channel,
    shard: int = 0,
    allowance: Allowance,
    now: datetime,
    lease_ends_at: datetime,
    quiet: bool,
    first_class_only: bool = False,
) -> list[Claimed]:
    """Move what may leave next to `attempting`, the most urgent first, and commit.

    A delivery is claimed only if its kind is registered, its gate holds now, its kind reaches the address in its
    present state, its time has come and its end has not, and, in quiet hours, it may wake people. The segments of
    all claimed deliveries together fit the allowance.
    """
    if not registry.kinds or allowance.segments < 1 or allowance.rows < 1:
        return []
    statement = _claim_statement(registry, first_class_only=first_class_only)
    with db.engine.begin() as connection:
        rows = connection.execute(
            statement,
            {
                "the_channel": channel,
                "the_shard": shard,
                "the_time": now,
                "the_lease": lease_ends_at,
                "is_quiet": quiet,
                "most_rows": allowance.rows,
                "most_segments": allowance.segments,
                "is_whole": allowance.whole,
            },
        ).all()
    claimed = [Claimed(*row) for row in rows]
    claimed.sort(key=lambda delivery: delivery.priority)
    return claimed


def last_look(
    registry: Registry, claimed: Sequence[Claimed], *, now: datetime, lease_ends_at: datetime, quiet: bool
) -> tuple[dict[uuid.UUID, Reachable], set[uuid.UUID]]:
    """Look once more after the claim was committed: the address of each delivery, and the deliveries to put back.

    In neither: deliveries that were stopped since (the address opted out or gone). To put back: those whose gate
    is closed now (a paused alert), and those whose address was replaced by another since the claim.
    """
    claimed_ids = {delivery.id for delivery in claimed}
    with reading(), db.engine.connect() as connection:
        rows = connection.execute(
            _look_statement(registry), {"the_lease": lease_ends_at, "the_time": now, "is_quiet": quiet}
        ).all()
    reachable: dict[uuid.UUID, Reachable] = {}
    put_back: set[uuid.UUID] = set()
    for delivery_id, address_id, sealed, gate_holds in rows:
        if delivery_id not in claimed_ids:
            continue
        if not gate_holds:
            put_back.add(delivery_id)
        elif sealed is not None:
            reachable[delivery_id] = Reachable(address_id, sealed)
    return reachable, put_back


def with_body(claimed: Claimed, vault: WorkerVault) -> Claimed:
    """The same with its body opened, if it has one; raises CannotOpen when that is damaged."""
    if claimed.body is None:
        return claimed
    return replace(claimed, body=vault.open_contact(claimed.body, Where("deliveries", "body", claimed.id)))


def is_anything_waiting(channel: Channel, *, now: datetime, quiet: bool = False) -> bool:
    """Whether a claim could find something. Gates are not evaluated and no lock is taken."""
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
    query = sa.select(
        sa.exists().where(
            is_one_of([DeliveryState.QUEUED]),
            Delivery.not_before <= CLAIM_TIME,
            sa.or_(Delivery.expires_at.is_(None), Delivery.expires_at > CLAIM_TIME),
            sa.or_(Delivery.wakes, sa.not_(IS_QUIET)),
            may_leave,
        )
    )
    with reading(), db.engine.connect() as connection:
        return bool(connection.scalar(query, {"the_time": now, "is_quiet": quiet}))


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


# Both statements are built once for each registry: building one costs more than running it.


@cache
def _claim_statement(registry: Registry, *, first_class_only: bool) -> sa.Executable:
    pick = (
        sa.select(Delivery.id, Delivery.segments, Delivery.priority, Delivery.not_before)
        .where(
            is_one_of(DELIVERY_MOVES.sources(DeliveryState.ATTEMPTING)),
            Delivery.channel == sa.bindparam("the_channel"),
            Delivery.sender == sa.bindparam("the_shard", type_=sa.SmallInteger),
            Delivery.not_before <= CLAIM_TIME,
            sa.or_(Delivery.expires_at.is_(None), Delivery.expires_at > CLAIM_TIME),
            sa.or_(Delivery.wakes, sa.not_(IS_QUIET)),
            sa.or_(*(_may_leave(spec) for spec in registry.kinds.values())),
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
                # A message with more segments than a whole second's pace is claimed alone; else it never would be.
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


@cache
def _look_statement(registry: Registry) -> sa.Executable:
    specs = registry.kinds.values()
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
        # A claim is found by its lease: faster than by 500 ids. `last_look` leaves out the rows of another claim
        # that has the same lease to the microsecond.
        .where(under_way([DeliveryState.ATTEMPTING]), Delivery.lease_ends_at == sa.bindparam("the_lease"))
    )
