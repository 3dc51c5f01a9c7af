"""Claiming on both databases: never the same row twice, and by an index however long the queue is."""

import uuid
from datetime import timedelta

import sqlalchemy as sa
from flask import Flask

from tests.make.threads import at_once
from tests.outbox import plans
from tests.outbox.posting import Post
from ugly_mugs.database.engine import db
from ugly_mugs.outbox import claims, optouts
from ugly_mugs.outbox.claims import Allowance
from ugly_mugs.outbox.ledger import is_one_of, under_way
from ugly_mugs.outbox.models import Channel, Delivery, DeliveryState, MessageKind

D = DeliveryState


def _claim(post: Post, rows: int = 10, *, first_class_only: bool = False) -> list[uuid.UUID]:
    claimed = claims.claim(
        post.registry,
        channel=Channel.SMS,
        allowance=Allowance(segments=1_000, rows=rows),
        now=post.now(),
        lease_ends_at=post.now() + timedelta(minutes=1),
        quiet=False,
        first_class_only=first_class_only,
    )
    return [delivery.id for delivery in claimed]


def test_workers_that_claim_at_once_never_get_the_same_message(app: Flask, post: Post) -> None:
    post.queue(post.subject(), post.people(120))
    claimed: list[uuid.UUID] = []

    def work() -> None:
        while mine := _claim(post):
            claimed.extend(mine)

    at_once([work] * 4, app)

    assert len(claimed) == 120
    assert len(set(claimed)) == 120


def test_opt_outs_and_claims_at_once_leave_nothing_claimable(app: Flask, post: Post) -> None:
    """After an opt-out is committed nothing is claimed for that person, whoever claims beside it."""
    people = post.people(40)
    post.queue(post.subject(), people)
    claimed_after: list[uuid.UUID] = []
    stopped: set[uuid.UUID] = set()

    def claim() -> None:
        for _ in range(60):
            gone = set(stopped)
            for delivery_id in _claim(post, 1):
                with db.engine.connect() as connection:
                    query = sa.select(Delivery.recipient_id).where(Delivery.id == delivery_id)
                    if connection.scalar(query) in gone:
                        claimed_after.append(delivery_id)

    def stop() -> None:
        for person in reversed(people):
            optouts.opt_out(registry=post.registry, owner_id=person, channel=Channel.SMS, now=post.now())
            db.session.commit()
            stopped.add(person)

    at_once([claim, stop], app)

    assert claimed_after == []
    assert set(post.states()) <= {D.ATTEMPTING, D.SUPPRESSED}


def test_the_reserve_is_only_for_the_first_class(post: Post) -> None:
    people = post.people(2)
    post.queue(post.subject(), people[:1])
    post.queue(uuid.uuid4(), people[1:], kind=MessageKind.CODE, priority=0, body=b"123456")

    (claimed,) = _claim(post, first_class_only=True)

    assert claimed == post.delivery(people[1]).id


def test_what_waits_is_found_by_its_index_in_its_order(post: Post) -> None:
    plans.fill_ledger(post)
    query = (
        sa.select(Delivery.id)
        .where(is_one_of([D.QUEUED]), Delivery.channel == Channel.SMS)
        .order_by(Delivery.priority, Delivery.not_before)
        .limit(10)
    )

    plan = plans.plan_of(query)

    assert "ix_deliveries_waiting" in plan
    assert plans.whole_reads(plan) == []
    assert "sort" not in plan.lower() and "temp b-tree" not in plan.lower()


def test_what_is_under_way_is_found_by_its_index(post: Post) -> None:
    plans.fill_ledger(post)
    query = sa.select(Delivery.id).where(under_way([D.ATTEMPTING]), Delivery.lease_ends_at == post.now())

    plan = plans.plan_of(query)

    assert "ix_deliveries_under_way" in plan
    assert plans.whole_reads(plan) == []


def test_whether_anything_is_due_asks_the_gates(post: Post) -> None:
    subject = post.subject()
    post.queue(subject, post.people(1))

    assert claims.is_anything_due(post.registry, now=post.now(), quiet=False)
    post.close(subject)
    assert not claims.is_anything_due(post.registry, now=post.now(), quiet=False)
