"""Whatever happens in whatever order, no message is taken twice unless the first was proved to have failed."""

import uuid
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Event
from typing import Any

import sqlalchemy as sa
from hypothesis import given, settings as trying, strategies as st

from tests.make.clock import MovableClock
from tests.outbox.posting import Post
from ugly_mugs.database.engine import db
from ugly_mugs.outbox import attempts, claims, ledger, optouts
from ugly_mugs.outbox.claims import Allowance
from ugly_mugs.outbox.forgetting import Forgetting
from ugly_mugs.outbox.gateways.transport import Accepted, Ambiguous, Later, Never, NotSent, Outgoing
from ugly_mugs.outbox.gateways.twilio import Listed
from ugly_mugs.outbox.inbound import status_updates
from ugly_mugs.outbox.inbound.status_updates import STATES, StatusUpdate
from ugly_mugs.outbox.models import (
    DELIVERY_MOVES,
    Address,
    AddressState,
    Channel,
    Delivery,
    DeliveryState,
)
from ugly_mugs.outbox.reconcile import reconcile
from ugly_mugs.outbox.sender import Batch, Ready, Sender
from ugly_mugs.runtime import runtime

D = DeliveryState

PEOPLE = 3
WAIT = timedelta(minutes=2)
REFUSALS: tuple[NotSent | None, ...] = (None, Ambiguous(), Later(20429), Never(99999))
FAILURE = 30003


@dataclass
class Provider:
    """A provider that tells the truth, when it can be heard: what it took, and what became of that."""

    clock: MovableClock
    taken: list[tuple[uuid.UUID, int]] = field(default_factory=list)
    texts: dict[str, list[Listed]] = field(default_factory=lambda: defaultdict(list))
    failed: set[tuple[uuid.UUID, int]] = field(default_factory=set)
    takes: bool = True
    refusal: NotSent | None = None

    def send(self, message: Outgoing) -> Accepted:
        refused = self.refusal is not None and not isinstance(self.refusal, Ambiguous)
        if not self.takes or refused:
            raise self.refusal or Ambiguous()
        self.taken.append((message.delivery_id, message.attempt))
        sid = f"SM{len(self.taken)}"
        self.texts[message.to].append(Listed(sid, message.text.text, "queued", None, self.clock.now()))
        if self.refusal is not None:
            raise self.refusal
        return Accepted(sid)

    def hang_up(self) -> None:
        pass

    def forget(self, provider_id: str) -> bool:
        for texts in self.texts.values():
            texts[:] = [replace(text, body="") if text.provider_id == provider_id else text for text in texts]
        return True

    def sent_to(self, phone: str, *, since: datetime) -> Iterator[Listed]:
        return iter([text for text in self.texts[phone] if text.created_at >= since])


class History:
    """One run of things that happen, on the real ledger."""

    def __init__(self, post: Post, clock: MovableClock) -> None:
        db.session.rollback()
        for table in (Delivery, Address):
            db.session.execute(sa.delete(table))
        db.session.commit()
        self.post, self.clock = post, clock
        self.provider = Provider(clock)
        self.people = post.people(PEOPLE)
        post.queue(post.subject(), self.people)
        self.lease = timedelta(seconds=post.worker.texts.settings.lease)
        self.sender = Sender(
            settings=post.worker.texts.settings,
            registry=post.registry,
            vault=runtime().worker_vault,
            gateway=self.provider,
            clock=clock,
            stop=Event(),
        )
        self.forgetting = Forgetting(
            provider=self.provider,
            pace=10,
            lease=self.lease,
            quiet_hours=post.worker.texts.settings.quiet_hours,
            clock=clock,
            stop=Event(),
        )
        self.in_hand: list[Ready] = []
        self.stopped: set[uuid.UUID] = set()
        self.before = self.states()

    def states(self) -> dict[uuid.UUID, DeliveryState]:
        states = dict(db.session.execute(sa.select(Delivery.id, Delivery.state)).all())
        db.session.rollback()
        return states

    def claim(self) -> None:
        now = self.clock.now()
        claimed = claims.claim(
            self.post.registry,
            channel=Channel.SMS,
            allowance=Allowance(segments=10, rows=10),
            now=now,
            lease_ends_at=now + self.lease,
            quiet=False,
        )
        assert not self.stopped & {delivery.recipient_id for delivery in claimed}
        for delivery in claimed:
            self.check_proof(delivery.id)
        prepared = self.sender.prepare(Batch(claimed, now, now + self.lease, begin_by=float("inf")))
        self.sender.record(prepared.finished)
        self.in_hand += prepared.ready

    def check_proof(self, delivery_id: uuid.UUID) -> None:
        """A delivery may be claimed again only when everything the provider took of it has failed."""
        for taken in self.provider.taken:
            assert taken[0] != delivery_id or taken in self.provider.failed

    def hand_over(self, which: int, refusal: int, takes: bool, recorded: bool) -> None:
        """One message leaves; `recorded` says whether its worker lives to write that down."""
        if self.in_hand:
            self.provider.takes, self.provider.refusal = takes, REFUSALS[refusal]
            finished = self.sender.send(self.in_hand.pop(which % len(self.in_hand)))
            if recorded:
                attempts.record([finished.attempt])

    def kill(self) -> None:
        self.in_hand.clear()

    def sleep(self, minutes: int) -> None:
        """Time passes; whoever still has something in hand finds its lease over."""
        self.clock.forward(minutes=minutes)
        self.in_hand = [replace(message, begin_by=0.0) for message in self.in_hand]
        self.post.seconds.now += 1_000
        self.post.registry.circuits[Channel.SMS].worked()
        attempts.end_leases(now=self.clock.now(), unknown_wait=WAIT)

    def reconcile(self) -> None:
        reconcile(
            registry=self.post.registry,
            vault=runtime().worker_vault,
            listing=self.provider,
            clock=self.clock,
            unknown_wait=WAIT,
            unknown_give_up=timedelta(hours=2),
            stop=Event(),
        )

    def hear(self, which: int, status: str) -> None:
        """A callback about anything the provider took, also long ago, also again. It fails only what it failed."""
        if self.provider.taken:
            number = which % len(self.provider.taken)
            delivery_id, attempt = self.provider.taken[number]
            state = STATES[status]
            if state in (D.UNDELIVERED, D.FAILED):
                self.provider.failed.add((delivery_id, attempt))
            code = FAILURE if state in (D.UNDELIVERED, D.FAILED) else None
            update = StatusUpdate(delivery_id, attempt, state, provider_id=f"SM{number + 1}", error_code=code)
            status_updates.apply(self.post.registry, update, now=self.clock.now())
            db.session.commit()

    def forget(self) -> None:
        """What is over is emptied at the provider, so that nobody can tell it from another text."""
        self.forgetting._rest_until = 0.0
        self.forgetting.run()

    def opt_out(self, which: int) -> None:
        person = self.people[which % PEOPLE]
        optouts.opt_out(
            registry=self.post.registry, owner_id=person, channel=Channel.SMS, now=self.clock.now()
        )
        db.session.commit()
        self.stopped.add(person)

    def expire(self) -> None:
        ledger.expire(self.clock.now())
        db.session.commit()

    def check_moves(self) -> None:
        now = self.states()
        for delivery_id, state in now.items():
            assert state in _reachable(self.before[delivery_id])
        self.before = now

    def check_taken(self) -> None:
        for number, (delivery_id, attempt) in enumerate(self.provider.taken):
            for other, its_attempt in self.provider.taken[:number]:
                assert other != delivery_id or (
                    its_attempt != attempt and (other, its_attempt) in self.provider.failed
                )


def _reachable(state: DeliveryState) -> set[DeliveryState]:
    reachable = {state}
    while (
        more := {wanted for wanted in D for was in reachable if DELIVERY_MOVES.allows(was, wanted)}
        - reachable
    ):
        reachable |= more
    return reachable


some = st.integers(0, 9)
leaving = st.tuples(
    st.just("hand_over"),
    some,
    st.sampled_from([0, 1, 1, 1, 2, 3]),
    st.sampled_from([True, True, False]),
    st.booleans(),
)
between = st.one_of(
    st.tuples(st.just("kill")),
    st.tuples(st.just("hear"), some, st.sampled_from(sorted(STATES))),
    st.tuples(st.just("opt_out"), some),
    st.tuples(st.just("expire")),
    st.tuples(st.just("reconcile")),
    st.tuples(st.just("forget")),
)
passing = st.tuples(st.just("sleep"), st.sampled_from([1, 3, 20]))


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[Any, ...]]:
    """A few rounds of what workers do, with anything that may happen between."""
    happens: list[tuple[Any, ...]] = []
    for _ in range(draw(st.integers(2, 6))):
        happens.append(("claim",))
        happens += draw(st.lists(leaving, max_size=3))
        happens += draw(st.lists(between, max_size=2))
        happens.append(draw(passing))
        happens += draw(st.lists(st.one_of(between, passing), max_size=2))
        happens.append(("reconcile",))
    return [*happens, ("claim",)]


@trying(max_examples=60)
@given(happens=histories())
def test_no_message_is_taken_twice_without_proof_that_it_failed(
    post: Post, clock: MovableClock, happens: list[tuple[Any, ...]]
) -> None:
    history = History(post, clock)

    for name, *arguments in happens:
        getattr(history, name)(*arguments)
        history.check_moves()
        history.check_taken()

    assert {post.address(person).state for person in history.stopped} <= {AddressState.OPTED_OUT}
