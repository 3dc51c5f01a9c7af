"""What the web hands over is applied once, in its order, and one that fails delays no other."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DataError, OperationalError, TimeoutError as PoolTimeout

from tests.make.clock import MovableClock
from tests.make.databases import execute, set_row
from tests.outbox.posting import Post
from ugly_mugs.database.engine import db, reading
from ugly_mugs.operations.logs import KNOWN_KEYS
from ugly_mugs.outbox.inbound import handovers
from ugly_mugs.outbox.inbound.handovers import FIRST, GIVEN_UP_AFTER, KEPT, LONG_REST, REST, Resting
from ugly_mugs.outbox.models import Handover, HandoverKind, HandoverState
from ugly_mugs.outbox.registry import OpenedHandover, Refused
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import CannotOpen

WANTED = HandoverKind.CODE_WANTED


def _hand_over(post: Post, kind: HandoverKind = WANTED, **payload: Any) -> uuid.UUID:
    handover = handovers.hand_over(vault=runtime().vault, kind=kind, payload=payload, now=post.now())
    handover_id = handover.id
    db.session.commit()
    return handover_id


def _apply(post: Post, handler: Any, resting: dict[uuid.UUID, Resting] | None = None) -> int:
    vault, handlers = runtime().become_worker(), dict.fromkeys(HandoverKind, handler)
    return handovers.apply_waiting(vault=vault, handlers=handlers, now=post.now(), resting=resting)


def _states() -> list[HandoverState]:
    with reading():
        states = list(db.session.scalars(sa.select(Handover.state).order_by(Handover.received_at)))
        db.session.rollback()
    return states


def test_what_was_handed_over_arrives_whole_and_once(post: Post) -> None:
    seen: list[OpenedHandover] = []
    _hand_over(post, address="person@example.org", words=["ă", "你好"])

    assert _apply(post, seen.append) == 1
    assert _apply(post, seen.append) == 0

    assert [dict(handover.payload) for handover in seen] == [
        {"address": "person@example.org", "words": ["ă", "你好"]}
    ]
    assert _states() == [HandoverState.DONE]


def test_the_web_cannot_read_what_it_handed_over(post: Post) -> None:
    _hand_over(post, address="person@example.org")

    with reading():
        sealed = db.session.scalars(sa.select(Handover.sealed)).one()
        db.session.rollback()
    assert sealed is not None
    assert b"example" not in sealed
    assert not hasattr(runtime().vault, "open_dispatch")


def test_a_handover_moved_to_another_row_is_refused(post: Post) -> None:
    first, second = _hand_over(post, number=1), _hand_over(post, number=2)
    sealed = db.session.scalars(sa.select(Handover.sealed).where(Handover.id == first)).one()
    set_row(Handover, second, sealed=sealed)
    seen: list[OpenedHandover] = []

    _apply(post, seen.append)

    assert [handover.payload["number"] for handover in seen] == [1]
    assert sorted(_states()) == [HandoverState.DONE, HandoverState.REFUSED]


def _hand_over_sealed(post: Post, plain: bytes) -> None:
    """A handover that holds something else than this release writes."""
    handover_id = _hand_over(post, HandoverKind.OPTED_OUT)
    place = handovers.PAYLOADS.where(handover_id)
    sealed = runtime().vault.dispatch.seal(plain, place, sizes=handovers.SIZES)
    execute(sa.update(Handover).values(sealed=sealed))


def test_what_a_newer_release_handed_over_waits_for_a_worker_that_reads_it(post: Post) -> None:
    _hand_over_sealed(post, b'\x02{"number":1}')

    assert _apply(post, lambda handover: None, {}) == 0

    assert _states() == [HandoverState.WAITING]


@pytest.mark.parametrize("plain", [b"\1[1]", b"\1{", b""])
def test_what_is_no_payload_is_refused(post: Post, plain: bytes) -> None:
    _hand_over_sealed(post, plain)

    assert _apply(post, lambda handover: None) == 1

    assert _states() == [HandoverState.REFUSED]


def test_one_that_fails_delays_no_other_and_is_tried_again_after_a_rest(
    post: Post, clock: MovableClock
) -> None:
    seen: list[int] = []
    resting: dict[uuid.UUID, Resting] = {}
    broken = True

    def handler(handover: OpenedHandover) -> None:
        if handover.payload["number"] == 1 and broken:
            raise CannotOpen
        seen.append(handover.payload["number"])

    for number in range(3):
        _hand_over(post, number=number)
        clock.forward(seconds=1)

    assert _apply(post, handler, resting) == 2
    assert _apply(post, handler, resting) == 0
    broken = False
    clock.forward(seconds=REST.total_seconds())
    assert _apply(post, handler, resting) == 1

    assert seen[-1] == 1
    assert set(_states()) == {HandoverState.DONE}


def test_what_a_failing_handler_wrote_is_undone(post: Post) -> None:
    def handler(handover: OpenedHandover) -> None:
        db.session.execute(sa.delete(Handover))
        raise ValueError

    _hand_over(post)

    _apply(post, handler)

    assert _states() == [HandoverState.WAITING]


LONG = GIVEN_UP_AFTER.total_seconds() + 1
LOST = OperationalError("a statement", {}, Exception("database is locked"))


class Failing:
    """A handler that meets the same fault each time, or none."""

    def __init__(self, fault: Exception | None) -> None:
        self.fault, self.tries = fault, 0

    def __call__(self, handover: OpenedHandover) -> None:
        self.tries += 1
        if self.fault is not None:
            raise self.fault


def _sealed() -> int:
    with reading():
        left = db.session.scalars(sa.select(Handover.sealed)).all()
        db.session.rollback()
    return sum(sealed is not None for sealed in left)


@pytest.mark.parametrize("fault", [ValueError(), DataError("a statement", {}, Exception("out of range"))])
def test_one_that_fails_for_an_hour_is_put_aside_and_said(
    post: Post, clock: MovableClock, caplog: pytest.LogCaptureFixture, fault: Exception
) -> None:
    resting: dict[uuid.UUID, Resting] = {}
    _hand_over(post, address="person@example.org")

    assert _apply(post, Failing(fault), resting) == 0
    clock.forward(seconds=LONG)
    assert _apply(post, Failing(fault), resting) == 1

    assert (_states(), _sealed()) == ([HandoverState.REFUSED], 0)
    (line,) = [record for record in caplog.records if record.msg == "a handover was put aside"]
    assert vars(line)["kind"] == WANTED.value
    assert "kind" in KNOWN_KEYS
    assert "example" not in caplog.text


@pytest.mark.parametrize("kind", HandoverKind)
def test_one_that_waited_while_no_worker_ran_may_fail_like_any_other(
    post: Post, clock: MovableClock, kind: HandoverKind
) -> None:
    """The hour is counted from the first failure, not from when it came."""
    resting: dict[uuid.UUID, Resting] = {}
    _hand_over(post, kind)
    clock.forward(seconds=LONG)

    assert _apply(post, Failing(ValueError()), resting) == 0
    clock.forward(seconds=REST.total_seconds())
    assert (_states(), _sealed()) == ([HandoverState.WAITING], 1)

    assert _apply(post, Failing(None), resting) == 1
    assert _states() == [HandoverState.DONE]


@pytest.mark.parametrize("fault", [LOST, PoolTimeout()])
def test_however_long_the_database_is_lost_nothing_is_put_aside(
    post: Post, clock: MovableClock, fault: Exception
) -> None:
    resting: dict[uuid.UUID, Resting] = {}
    _hand_over(post)

    for met in (ValueError(), fault, fault, ValueError(), fault):
        assert _apply(post, Failing(met), resting) == 0
        clock.forward(seconds=LONG)

    assert (_states(), _sealed()) == ([HandoverState.WAITING], 1)


@pytest.mark.parametrize("kind", FIRST)
def test_what_may_be_a_stop_is_never_put_aside_and_only_rests_longer(
    post: Post, clock: MovableClock, kind: HandoverKind
) -> None:
    resting: dict[uuid.UUID, Resting] = {}
    failing = Failing(ValueError())
    _hand_over(post, kind)
    _apply(post, failing, resting)
    clock.forward(seconds=LONG)

    assert _apply(post, failing, resting) == 0
    assert (_states(), _sealed()) == ([HandoverState.WAITING], 1)

    tries = failing.tries
    clock.forward(seconds=LONG_REST.total_seconds() - 1)
    _apply(post, failing, resting)
    assert failing.tries == tries
    clock.forward(seconds=1)
    failing.fault = None
    assert _apply(post, failing, resting) == 1
    assert _states() == [HandoverState.DONE]


def test_no_memory_of_what_failed_is_kept_for_ever(post: Post, clock: MovableClock) -> None:
    resting: dict[uuid.UUID, Resting] = {}
    _hand_over(post)
    _apply(post, Failing(ValueError()), resting)
    clock.forward(seconds=REST.total_seconds())
    _apply(post, Failing(None), resting)
    clock.forward(seconds=LONG)

    _apply(post, Failing(None), resting)

    assert resting == {}


def test_a_refused_one_is_not_tried_again(post: Post) -> None:
    def handler(handover: OpenedHandover) -> None:
        raise Refused("not what it should be")

    _hand_over(post)

    assert _apply(post, handler) == 1
    assert _apply(post, handler) == 0
    assert _states() == [HandoverState.REFUSED]


def test_a_kind_that_nobody_handles_is_refused(post: Post) -> None:
    _hand_over(post)

    handovers.apply_waiting(vault=runtime().become_worker(), handlers={}, now=post.now())

    assert _states() == [HandoverState.REFUSED]


@pytest.mark.parametrize(("after", "left"), [(timedelta(), 1), (KEPT + timedelta(seconds=1), 0)])
def test_what_is_done_is_forgotten_after_a_while(
    post: Post, clock: MovableClock, after: timedelta, left: int
) -> None:
    _hand_over(post)
    _apply(post, lambda handover: None)
    clock.forward(seconds=after.total_seconds())

    handovers.sweep(post.now())

    assert len(_states()) == left


def test_what_still_waits_is_never_forgotten(post: Post, clock: MovableClock) -> None:
    _hand_over(post)
    clock.forward(days=30)

    handovers.sweep(post.now())

    assert _states() == [HandoverState.WAITING]
