"""What the web hands over is applied once, in its order, and one that fails delays no other."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.conftest import MovableClock
from tests.outbox.posting import Post
from ugly_mugs.db import db, reading
from ugly_mugs.outbox import requests
from ugly_mugs.outbox.kinds import HandedOver
from ugly_mugs.outbox.models import Request, RequestKind, RequestState
from ugly_mugs.outbox.requests import GIVEN_UP_AFTER, KEPT, REST, Refused
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import CannotOpen

WANTED = RequestKind.CODE_WANTED


def _hand_over(post: Post, **payload: Any) -> uuid.UUID:
    request = requests.hand_over(vault=runtime().vault, kind=WANTED, payload=payload, now=post.now())
    request_id = request.id
    db.session.commit()
    return request_id


def _apply(post: Post, handler: Any, resting: dict[uuid.UUID, Any] | None = None) -> int:
    vault = runtime().become_worker()
    return requests.apply_waiting(vault=vault, handlers={WANTED: handler}, now=post.now(), resting=resting)


def _states() -> list[RequestState]:
    with reading():
        states = list(db.session.scalars(sa.select(Request.state).order_by(Request.received_at)))
        db.session.rollback()
    return states


def test_what_was_handed_over_arrives_whole_and_once(post: Post) -> None:
    seen: list[HandedOver] = []
    _hand_over(post, address="person@example.org", words=["ă", "你好"])

    assert _apply(post, seen.append) == 1
    assert _apply(post, seen.append) == 0

    assert [dict(each.payload) for each in seen] == [
        {"address": "person@example.org", "words": ["ă", "你好"]}
    ]
    assert _states() == [RequestState.DONE]


def test_the_web_cannot_read_what_it_handed_over(post: Post) -> None:
    _hand_over(post, address="person@example.org")

    with reading():
        sealed = db.session.scalars(sa.select(Request.sealed)).one()
        db.session.rollback()
    assert sealed is not None
    assert b"example" not in sealed
    assert not hasattr(runtime().vault, "open_dispatch")


def test_a_request_moved_to_another_row_is_refused(post: Post) -> None:
    first, second = _hand_over(post, number=1), _hand_over(post, number=2)
    sealed = db.session.scalars(sa.select(Request.sealed).where(Request.id == first)).one()
    db.session.execute(sa.update(Request).where(Request.id == second).values(sealed=sealed))
    db.session.commit()
    seen: list[HandedOver] = []

    _apply(post, seen.append)

    assert [each.payload["number"] for each in seen] == [1]
    assert sorted(_states()) == [RequestState.DONE, RequestState.REFUSED]


def test_one_that_fails_delays_no_other_and_is_tried_again_after_a_rest(
    post: Post, clock: MovableClock
) -> None:
    seen: list[int] = []
    resting: dict[uuid.UUID, Any] = {}
    broken = True

    def handler(request: HandedOver) -> None:
        if request.payload["number"] == 1 and broken:
            raise CannotOpen
        seen.append(request.payload["number"])

    for number in range(3):
        _hand_over(post, number=number)
        clock.forward(seconds=1)

    assert _apply(post, handler, resting) == 2
    assert _apply(post, handler, resting) == 0
    broken = False
    clock.forward(seconds=REST.total_seconds())
    assert _apply(post, handler, resting) == 1

    assert seen[-1] == 1
    assert set(_states()) == {RequestState.DONE}


def test_what_a_failing_handler_wrote_is_undone(post: Post) -> None:
    def handler(request: HandedOver) -> None:
        db.session.execute(sa.delete(Request))
        raise ValueError

    _hand_over(post)

    _apply(post, handler)

    assert _states() == [RequestState.WAITING]


def test_one_that_fails_for_an_hour_is_put_aside(post: Post, clock: MovableClock) -> None:
    def handler(request: HandedOver) -> None:
        raise ValueError

    _hand_over(post)
    clock.forward(seconds=GIVEN_UP_AFTER.total_seconds() + 1)

    _apply(post, handler)

    assert _states() == [RequestState.REFUSED]


def test_a_refused_one_is_not_tried_again(post: Post) -> None:
    def handler(request: HandedOver) -> None:
        raise Refused("not what it should be")

    _hand_over(post)

    assert _apply(post, handler) == 1
    assert _apply(post, handler) == 0
    assert _states() == [RequestState.REFUSED]


def test_a_kind_that_nobody_handles_is_refused(post: Post) -> None:
    _hand_over(post)

    requests.apply_waiting(vault=runtime().become_worker(), handlers={}, now=post.now())

    assert _states() == [RequestState.REFUSED]


@pytest.mark.parametrize(("after", "left"), [(timedelta(), 1), (KEPT + timedelta(seconds=1), 0)])
def test_what_is_done_is_forgotten_after_a_while(
    post: Post, clock: MovableClock, after: timedelta, left: int
) -> None:
    _hand_over(post)
    _apply(post, lambda request: None)
    clock.forward(seconds=after.total_seconds())

    requests.sweep(post.now())

    assert len(_states()) == left


def test_what_still_waits_is_never_forgotten(post: Post, clock: MovableClock) -> None:
    _hand_over(post)
    clock.forward(days=30)

    requests.sweep(post.now())

    assert _states() == [RequestState.WAITING]
