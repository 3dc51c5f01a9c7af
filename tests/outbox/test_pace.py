"""How fast messages leave: a second's worth of segments at a time, a tenth of it kept for the first class."""

from typing import Any

import pytest

from tests.make.sandbox import Sandbox
from tests.outbox.posting import Post, Seconds
from ugly_mugs.outbox import claims
from ugly_mugs.outbox.claims import Allowance
from ugly_mugs.outbox.models import Channel, DeliveryState
from ugly_mugs.outbox.pace import LONGEST_PAUSE, Circuit, Pace
from ugly_mugs.outbox.registry import Claimed, Priority, Registry

D = DeliveryState


def test_a_second_allows_a_seconds_worth_and_not_more() -> None:
    seconds = Seconds()
    pace = Pace(10, monotonic=seconds)

    pace.spend(pace.allows(first_class=True), first_class=True)
    assert pace.allows(first_class=True) == 0

    seconds.now += 0.5
    assert pace.allows(first_class=True) == 5
    seconds.now += 3600
    assert pace.allows(first_class=True) == 10


def test_a_tenth_is_kept_for_the_first_class() -> None:
    pace = Pace(10, monotonic=Seconds())

    assert pace.allows(first_class=False) == 9
    pace.spend(9, first_class=False)

    assert pace.allows(first_class=False) == 0
    assert pace.allows(first_class=True) == 1


def test_the_first_class_uses_up_what_others_may_have_too() -> None:
    pace = Pace(10, monotonic=Seconds())

    pace.spend(10, first_class=True)

    assert pace.allows(first_class=False) == 0


def test_the_slowest_sender_still_sends_ordinary_messages() -> None:
    assert Pace(1, monotonic=Seconds()).allows(first_class=False) == 1


def test_over_a_long_time_no_more_leaves_than_the_pace_allows() -> None:
    seconds = Seconds()
    pace = Pace(7, monotonic=seconds)
    left = 0

    for _ in range(1000):
        allowed = pace.allows(first_class=False)
        pace.spend(allowed, first_class=False)
        left += allowed
        seconds.now += 0.1

    assert left <= 7 + 0.9 * 7 * 100
    assert left >= 0.9 * 7 * 100 - 7


def _claim(post: Post, segments: int, *, whole: bool = False, rows: int = 100) -> list[int]:
    now = post.now()
    claimed = claims.claim(
        post.registry,
        channel=Channel.SMS,
        allowance=Allowance(segments=segments, rows=rows, whole=whole),
        now=now,
        lease_ends_at=now,
        quiet=False,
    )
    return [delivery.segments for delivery in claimed]


def test_a_claim_never_holds_more_segments_than_allowed(post: Post) -> None:
    post.queue(post.subject(), post.people(10), segments=3)

    assert _claim(post, 10) == [3, 3, 3]
    assert post.states() == {D.QUEUED: 7, D.ATTEMPTING: 3}


def test_a_message_larger_than_a_whole_second_leaves_alone(post: Post) -> None:
    post.queue(post.subject(), post.people(3), segments=6)

    assert _claim(post, 5) == []
    assert _claim(post, 5, whole=True) == [6]


def test_a_claim_never_holds_more_rows_than_allowed(post: Post) -> None:
    post.queue(post.subject(), post.people(10))

    assert len(_claim(post, 100, rows=4)) == 4


@pytest.mark.parametrize("changed_settings", [{"SMS_PACE": "20"}])
def test_no_claim_of_a_drain_holds_more_than_a_seconds_worth(
    post: Post, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    post.queue(post.subject(), post.people(50), priority=Priority.DANGER)
    allowed: list[int] = []
    claim = claims.claim

    def watched(registry: Registry, *, allowance: Allowance, **named: Any) -> list[Claimed]:
        claimed = claim(registry, allowance=allowance, **named)
        allowed.append(allowance.segments)
        assert len(claimed) <= allowance.segments
        return claimed

    monkeypatch.setattr(claims, "claim", watched)
    post.worker.texts.drain()

    assert sandbox.text_count() == 50
    # 18 of 20 are for others than the first class, so it took three claims at least; those of the reserve get 2.
    assert len(allowed) >= 3
    assert max(allowed) <= 20


def test_a_circuit_stays_open_longer_after_each_failure_in_a_row() -> None:
    seconds = Seconds()
    circuit = Circuit(monotonic=seconds, dice=lambda: 0.5)
    pauses = []

    for _ in range(10):
        assert circuit.failed()
        assert not circuit.failed()
        began = seconds.now
        while circuit.is_open:
            seconds.now += 0.5
        pauses.append(seconds.now - began)

    assert pauses[:3] == [2.0, 4.0, 8.0]
    assert max(pauses) == LONGEST_PAUSE


def test_one_success_forgets_the_failures() -> None:
    seconds = Seconds()
    circuit = Circuit(monotonic=seconds)
    circuit.failed()
    seconds.now += 10
    assert circuit.is_testing

    circuit.worked()

    assert not circuit.is_testing
