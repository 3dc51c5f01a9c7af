"""Fan-out: each delivery once, whatever runs twice, at once or in slices."""

import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask

from alerts.delivery import fanout, jobs, queries
from alerts.delivery.fanout import Sending
from alerts.membership.models import Level
from tests.make.alerts import member
from tests.make.clock import MovableClock
from tests.make.databases import count, execute, set_row
from tests.make.threads import at_once
from ugly_mugs.database.engine import db
from ugly_mugs.outbox.models import AddressState, Channel, Delivery, DeliveryState, FanOut, MessageKind
from ugly_mugs.runtime import runtime

Make = Callable[..., Sending]


def begin(sending: Sending, clock: MovableClock) -> int | None:
    written = fanout.begin(sending, now=clock.now(), hours=runtime().settings.quiet_hours)
    db.session.commit()
    return written


def rows(sending: Sending) -> Sequence[Delivery]:
    query = (
        sa.select(Delivery).where(Delivery.subject_id == sending.subject_id).order_by(Delivery.recipient_id)
    )
    return db.session.scalars(query, execution_options={"populate_existing": True}).all()


def test_each_channel_a_member_wants_gets_one(sending: Make, clock: MovableClock) -> None:
    both, text = member(channels=Channel), member()
    made = sending()

    assert begin(made, clock) == 3

    assert {(delivery.recipient_id, delivery.channel) for delivery in rows(made)} == {
        (both, Channel.SMS),
        (both, Channel.EMAIL),
        (text, Channel.SMS),
    }
    assert {delivery.state for delivery in rows(made)} == {DeliveryState.QUEUED}
    assert len({delivery.id for delivery in rows(made)}) == 3


def test_a_row_knows_all_that_sending_needs(sending: Make, clock: MovableClock) -> None:
    member(level=Level.FULL, wake=False, language="pt")
    ends = clock.now() + timedelta(days=3)
    made = sending(expires_at=ends)

    begin(made, clock)

    (row,) = rows(made)
    assert (row.kind, row.priority, row.language, row.level) == (MessageKind.ALERT, 10, "en", "full")
    assert (row.segments, row.wakes, row.not_before, row.expires_at) == (3, False, clock.now(), ends)
    assert (row.sender, row.attempt, row.retries, row.provider_id) == (0, 0, 0, None)


def test_nobody_without_a_live_consent_and_a_proved_address_gets_one(
    sending: Make, clock: MovableClock
) -> None:
    member(live=False)
    for state in set(AddressState) - {AddressState.PROVED}:
        member(address=state)

    assert begin(sending(), clock) == 0


def test_only_the_channels_that_were_approved(sending: Make, clock: MovableClock) -> None:
    member(channels=Channel)
    made = sending(channels=frozenset({Channel.EMAIL}))

    begin(made, clock)

    assert [delivery.channel for delivery in rows(made)] == [Channel.EMAIL]


def test_a_second_run_adds_nothing_and_changes_nothing(sending: Make, clock: MovableClock) -> None:
    for _number in range(3):
        member()
    made = sending()
    begin(made, clock)
    before = [(delivery.id, delivery.not_before) for delivery in rows(made)]
    clock.forward(minutes=5)

    assert begin(made, clock) == 0

    assert [(delivery.id, delivery.not_before) for delivery in rows(made)] == before


def test_a_second_run_adds_those_who_joined_since(sending: Make, clock: MovableClock) -> None:
    member()
    made = sending()
    begin(made, clock)
    late = member()

    written = fanout.repeat(made, now=clock.now(), hours=runtime().settings.quiet_hours)
    db.session.commit()

    assert written == 1
    assert late in {delivery.recipient_id for delivery in rows(made)}


def test_runs_at_the_same_moment_write_each_row_once(app: Flask, sending: Make, clock: MovableClock) -> None:
    for _number in range(40):
        member(channels=Channel)
    made = sending()

    written = at_once([partial(begin, made, clock)] * 4, app)

    assert sum(rows or 0 for rows in written) == 80
    assert len(rows(made)) == 80


class TestLarge:
    @pytest.fixture(autouse=True)
    def small_slices(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Seven members instead of fifty thousand, which would take minutes; the statement is the same."""
        monkeypatch.setattr(fanout, "IN_ONE_GO", 7)
        monkeypatch.setattr(fanout, "SLICE", 7)
        monkeypatch.setattr(fanout, "SLICE_ON_SQLITE", 7)

    def advance(self, made: Sending, clock: MovableClock) -> tuple[int, bool]:
        cursor = db.session.scalars(sa.select(FanOut).where(FanOut.subject_id == made.subject_id)).one()
        written = fanout.advance(cursor, made, now=clock.now(), hours=runtime().settings.quiet_hours)
        done = cursor.done
        db.session.commit()
        return written, done

    def test_a_cursor_is_written_instead_of_rows(self, sending: Make, clock: MovableClock) -> None:
        for _number in range(8):
            member()
        made = sending()

        assert begin(made, clock) is None

        assert rows(made) == []
        assert fanout.is_under_way(MessageKind.ALERT, made.subject_id)
        assert queries.unfinished(MessageKind.ALERT) == [made.subject_id]

    @pytest.mark.parametrize("crowd", [8, 14, 20])
    def test_slices_reach_everybody_once(self, sending: Make, clock: MovableClock, crowd: int) -> None:
        everybody = {member() for _number in range(crowd)}
        member(regions=["wales"])
        made = sending()
        begin(made, clock)

        written, done = [], False
        while not done:
            more, done = self.advance(made, clock)
            written.append(more)

        assert sum(written) == crowd and max(written) <= 7
        assert {delivery.recipient_id for delivery in rows(made)} == everybody
        assert not fanout.is_under_way(MessageKind.ALERT, made.subject_id)

    def test_a_repeat_begins_again_and_finds_who_joined_before_the_cursor(
        self, sending: Make, clock: MovableClock
    ) -> None:
        for _number in range(8):
            member()
        made = sending()
        begin(made, clock)
        while not self.advance(made, clock)[1]:
            pass
        late = {member() for _number in range(5)}

        fanout.repeat(made, now=clock.now(), hours=runtime().settings.quiet_hours)
        db.session.commit()
        while not self.advance(made, clock)[1]:
            pass

        assert late <= {delivery.recipient_id for delivery in rows(made)}
        assert len(rows(made)) == 13

    def test_a_finished_cursor_is_forgotten(self, sending: Make, clock: MovableClock) -> None:
        for _number in range(8):
            member()
        begin(sending(), clock)
        waiting = sending()
        begin(waiting, clock)
        execute(sa.update(FanOut).where(FanOut.subject_id != waiting.subject_id).values(done=True))

        jobs.forget_finished()

        assert queries.unfinished(MessageKind.ALERT) == [waiting.subject_id]
        assert count(FanOut) == 1


class TestQuietHours:
    NIGHT = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)

    def times(self, made: Sending) -> dict[uuid.UUID, tuple[bool, datetime]]:
        return {delivery.recipient_id: (delivery.wakes, delivery.not_before) for delivery in rows(made)}

    def test_danger_wakes_only_those_who_asked(self, sending: Make, clock: MovableClock) -> None:
        clock.moment = self.NIGHT
        awake, asleep = member(wake=True), member(wake=False)
        made = sending()

        begin(made, clock)

        assert self.times(made) == {
            awake: (True, self.NIGHT),
            asleep: (False, datetime(2026, 11, 22, 8, tzinfo=UTC)),
        }

    def test_a_risk_wakes_nobody(self, sending: Make, clock: MovableClock) -> None:
        clock.moment = self.NIGHT
        awake = member(wake=True)
        made = sending(danger=False)

        begin(made, clock)

        assert self.times(made) == {awake: (False, datetime(2026, 11, 22, 8, tzinfo=UTC))}

    def test_by_day_everybody_gets_it_at_once(self, sending: Make, clock: MovableClock) -> None:
        asleep = member(wake=False)
        made = sending()

        begin(made, clock)

        assert self.times(made) == {asleep: (False, clock.now())}

    def test_a_later_start_is_the_one_that_counts(self, sending: Make, clock: MovableClock) -> None:
        asleep, awake = member(wake=False), member(wake=True)
        starts = datetime(2026, 11, 24, 0, 0, tzinfo=UTC)
        made = sending(not_before=starts)

        begin(made, clock)

        assert self.times(made) == {
            awake: (True, starts),
            asleep: (False, datetime(2026, 11, 24, 8, tzinfo=UTC)),
        }


def test_counts_are_by_channel_and_state(sending: Make, clock: MovableClock) -> None:
    member(channels=Channel), member()
    made = sending()
    begin(made, clock)
    one = next(delivery for delivery in rows(made) if delivery.channel is Channel.EMAIL)
    set_row(Delivery, one.id, state=DeliveryState.DELIVERED, attempt=1)

    counted = queries.counts(MessageKind.ALERT, made.subject_id)

    assert counted.of(Channel.SMS, queries.WAITING) == 2
    assert counted.of(Channel.EMAIL, queries.ARRIVED) == 1
    assert counted.total() == 3
    assert queries.attempted(MessageKind.ALERT, made.subject_id) == 1
    assert queries.has_pending(MessageKind.ALERT, made.subject_id)


def test_each_state_is_told_under_exactly_one_name() -> None:
    groups = (
        queries.WAITING,
        queries.UNDER_WAY,
        queries.ARRIVED,
        queries.UNSURE,
        queries.FAILED,
        queries.NOT_SENT,
    )

    assert sorted(state for group in groups for state in group) == sorted(DeliveryState)
