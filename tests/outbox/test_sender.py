"""A queued message leaves once, in its order, and what became of it is written down."""

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.make.clock import MovableClock
from tests.make.databases import execute
from tests.make.sandbox import Sandbox
from tests.make.wiring import rewire
from tests.outbox.posting import Post, at, is_open, phone, text_of
from ugly_mugs.database.engine import db
from ugly_mugs.outbox import attempts, claims, optouts
from ugly_mugs.outbox.drain import Drain
from ugly_mugs.outbox.gateways.transport import Accepted, Outgoing
from ugly_mugs.outbox.models import (
    Address,
    AddressState,
    Channel,
    Delivery,
    DeliveryState,
    FanOut,
    MessageKind,
)
from ugly_mugs.outbox.registry import Claimed, MessageKindSpec, MessageText, Priority, Unfit
from ugly_mugs.outbox.sender import Finished, Ready, Sender
from ugly_mugs.runtime import runtime

D = DeliveryState


def test_a_text_reaches_everybody_once_and_is_written_down_as_accepted(post: Post, sandbox: Sandbox) -> None:
    people = post.people(30)
    subject = post.subject()
    post.queue(subject, people)

    assert post.worker.texts.drain() == 30

    assert post.states() == {D.ACCEPTED: 30}
    assert sandbox.text_count() == 30
    for number, person in enumerate(people):
        (text,) = sandbox.texts_to(phone(number))
        assert text["body"] == text_of(subject).text
        assert post.delivery(person).provider_id == text["sid"]


def test_draining_again_sends_nothing_twice(post: Post, sandbox: Sandbox) -> None:
    post.queue(post.subject(), post.people(3))
    post.worker.texts.drain()

    assert post.worker.texts.drain() == 0

    assert sandbox.text_count() == 3


def test_the_same_message_is_queued_once(post: Post) -> None:
    people, subject = post.people(1), post.subject()

    post.queue(subject, people)
    post.queue(subject, people)

    assert post.states() == {D.QUEUED: 1}


@pytest.mark.parametrize("changed_settings", [{"SMS_PACE": "2", "SMS_IN_FLIGHT": "1"}])
def test_the_most_urgent_leaves_first(post: Post, sandbox: Sandbox) -> None:
    rest, risk, danger, code = post.people(4)
    post.queue(post.subject(), [rest], priority=Priority.REST)
    post.queue(post.subject(), [risk], priority=Priority.RISK)
    post.queue(post.subject(), [danger], priority=Priority.DANGER)
    post.queue(post.subject(), [code], priority=Priority.FIRST)

    post.worker.texts.drain()

    left = [sandbox.texts_to(phone(number))[0]["sid"] for number in (3, 2, 1, 0)]
    assert left == sorted(left)


def test_nothing_leaves_before_its_time_or_after_its_end(
    post: Post, sandbox: Sandbox, clock: MovableClock
) -> None:
    early, late = post.people(2)
    post.queue(post.subject(), [early], not_before=clock.now() + timedelta(hours=1))
    post.queue(post.subject(), [late], expires_at=clock.now())

    post.worker.texts.drain()
    assert sandbox.text_count() == 0

    clock.forward(hours=1)
    post.worker.texts.drain()
    assert [len(sandbox.texts_to(phone(number))) for number in (0, 1)] == [1, 0]


def test_in_quiet_hours_only_those_are_woken_who_asked_for_it(
    post: Post, sandbox: Sandbox, clock: MovableClock
) -> None:
    sleeper, woken = post.people(2)
    clock.moment = at(22)
    post.queue(post.subject(), [sleeper], wakes=False)
    post.queue(post.subject(), [woken], wakes=True)

    post.worker.texts.drain()
    assert [len(sandbox.texts_to(phone(number))) for number in (0, 1)] == [0, 1]

    clock.moment = at(8) + timedelta(days=1)
    post.worker.texts.drain()
    assert len(sandbox.texts_to(phone(0))) == 1


def test_nothing_leaves_while_its_gate_is_closed(post: Post, sandbox: Sandbox) -> None:
    people, subject = post.people(2), post.subject()
    post.queue(subject, people)
    post.close(subject)

    post.worker.texts.drain()
    assert post.states() == {D.QUEUED: 2}

    post.close(subject, done=False)
    post.worker.texts.drain()
    assert sandbox.text_count() == 2


def test_a_kind_that_nobody_registered_is_never_claimed(app: Flask, post: Post, sandbox: Sandbox) -> None:
    post.queue(post.subject(), post.people(1))
    post.queue(uuid.uuid4(), post.people(0), kind=MessageKind.CODE)
    rewire(app, kinds=[post.registry.kinds[MessageKind.CODE]])

    assert post.worker.texts.drain() == 0

    assert post.states() == {D.QUEUED: 1}
    assert sandbox.text_count() == 0


@pytest.mark.parametrize("state", [AddressState.UNPROVED, AddressState.INVALID, AddressState.OPTED_OUT])
def test_nothing_is_sent_to_an_address_that_the_kind_does_not_reach(
    post: Post, sandbox: Sandbox, state: AddressState
) -> None:
    post.queue_one()
    execute(sa.update(Address).values(state=state))

    post.worker.texts.drain()

    assert sandbox.text_count() == 0
    assert post.states() == {D.QUEUED: 1}


def test_what_was_stopped_after_the_claim_is_not_sent(
    post: Post, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The opt-out and the pause come in the moment between the claim and its last look."""
    stopped, going, paused = post.people(3)
    subject, other = post.subject(), post.subject()
    post.queue(subject, [stopped, going])
    post.queue(other, [paused])
    look = claims.last_look

    def meanwhile(*arguments: object, **named: object) -> object:
        optouts.opt_out(registry=post.registry, owner_id=stopped, channel=Channel.SMS, now=post.now())
        db.session.commit()
        post.close(other)
        return look(*arguments, **named)  # type: ignore[arg-type]  # handed on as it came

    monkeypatch.setattr(claims, "last_look", meanwhile)
    post.worker.texts.drain()

    assert [len(sandbox.texts_to(phone(number))) for number in range(3)] == [0, 1, 0]
    assert post.delivery(stopped).state is D.SUPPRESSED
    assert post.delivery(paused).state is D.QUEUED


def test_an_opt_out_suppresses_everything_that_waits_for_that_person(post: Post) -> None:
    stopped, other = post.people(2)
    post.queue(post.subject(), [stopped, other])
    post.queue(post.subject(), [stopped])

    assert optouts.opt_out(registry=post.registry, owner_id=stopped, channel=Channel.SMS, now=post.now())
    db.session.commit()

    assert post.states() == {D.SUPPRESSED: 2, D.QUEUED: 1}
    assert post.heard.stopped == [(stopped, Channel.SMS)]
    assert not optouts.opt_out(registry=post.registry, owner_id=stopped, channel=Channel.SMS, now=post.now())


def test_a_code_carries_its_own_text_which_is_gone_when_it_has_arrived(post: Post, sandbox: Sandbox) -> None:
    person = post.person(7, state=AddressState.UNPROVED)
    post.queue(uuid.uuid4(), [person], kind=MessageKind.CODE, priority=Priority.FIRST, body=b"Code: 123456")
    waiting = post.delivery(person).body

    post.worker.texts.drain()

    assert waiting is not None and b"123456" not in waiting
    assert sandbox.texts_to(phone(7))[0]["body"] == "Code: 123456"


def test_a_kind_that_has_no_text_for_somebody_sends_them_nothing(app: Flask, post: Post) -> None:
    rewire(app, kinds=[MessageKindSpec(MessageKind.ALERT, sa.true, lambda claimed: {claimed[0].id: None})])
    post.queue(post.subject(), post.people(2))

    post.worker.texts.drain()

    assert post.states() == {D.SUPPRESSED: 2}


def test_a_kind_whose_texts_fail_keeps_its_messages_and_stops_no_other(app: Flask, post: Post) -> None:
    def no_texts(claimed: object) -> dict[uuid.UUID, MessageText | None]:
        raise KeyError("a fault of ours")

    rewire(
        app,
        kinds=[MessageKindSpec(MessageKind.ALERT, sa.true, no_texts), post.registry.kinds[MessageKind.CODE]],
    )
    first, second = post.people(2)
    post.queue(post.subject(), [first])
    post.queue(uuid.uuid4(), [second], kind=MessageKind.CODE, body=b"Code: 123456")

    post.worker.texts.drain()

    assert post.delivery(first).state is D.QUEUED
    assert post.delivery(second).state is D.ACCEPTED


def test_a_message_is_handed_over_only_after_its_claim_stands_and_with_its_row_free(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    post.queue(post.subject(), post.people(3))
    engine, gateway = db.engine, post.worker.text_gateway
    send = gateway.send
    seen: list[DeliveryState] = []

    def watched(message: Outgoing) -> Accepted:
        # Another connection sees the claim, and writes to the row without waiting for anybody.
        with engine.begin() as other:
            if engine.dialect.name == "postgresql":
                other.execute(sa.text("SET LOCAL lock_timeout = '1s'"))
            mine = sa.update(Delivery).where(Delivery.id == message.delivery_id)
            seen.append(other.scalars(mine.values(language="en").returning(Delivery.state)).one())
        return send(message)

    monkeypatch.setattr(gateway, "send", watched)
    post.worker.texts.drain()

    assert seen == [D.ATTEMPTING] * 3
    assert post.states() == {D.ACCEPTED: 3}


@pytest.mark.parametrize("changed_settings", [{"SMS_IN_FLIGHT": "4"}])
def test_a_worker_told_to_stop_finishes_what_is_under_way_and_puts_the_rest_back(
    post: Post, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    post.queue(post.subject(), post.people(100))
    gateway, stop = post.worker.text_gateway, post.worker.stop
    send = gateway.send

    def stopped_meanwhile(message: Outgoing) -> Accepted:
        stop.set()
        return send(message)

    monkeypatch.setattr(gateway, "send", stopped_meanwhile)
    post.worker.texts.drain()

    # Each of the four threads may have begun one when the first of them had the worker stopped.
    accepted = sandbox.text_count()
    assert 1 <= accepted <= 4
    assert post.states() == {D.ACCEPTED: accepted, D.QUEUED: 100 - accepted}


def test_nothing_is_sent_when_too_little_of_the_lease_is_left(post: Post, sandbox: Sandbox) -> None:
    """As after a machine was asleep: another worker may have the rows by now."""
    post.queue(post.subject(), post.people(2))
    worker, late = post.worker, replace(post.worker.texts.settings, lease=2, timeout=2)
    shared: dict[str, Any] = {"settings": late, "registry": post.registry}
    shared |= {"clock": runtime().clock, "stop": worker.stop}

    class StopsAfterOne(Sender):
        """Each is put back and would be claimed again, so the worker is told to stop."""

        def send(self, message: Ready) -> Finished:
            finished = super().send(message)
            worker.stop.set()
            return finished

    sender = StopsAfterOne(vault=runtime().worker_vault, gateway=worker.text_gateway, **shared)
    Drain(sender).drain()

    assert sandbox.text_count() == 0
    assert post.states() == {D.QUEUED: 2}


def test_a_subject_that_its_kind_calls_unfit_is_stopped_and_not_sent(
    app: Flask, post: Post, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    unfit, fit = post.subject(), post.subject()
    people = post.people(2)
    stopped: list[uuid.UUID] = []

    def texts_of(claimed: Sequence[Claimed]) -> dict[uuid.UUID, MessageText | Unfit | None]:
        return {
            delivery.id: Unfit("not_as_approved") if delivery.subject_id == unfit else text_of(fit)
            for delivery in claimed
        }

    def stop(subject_id: uuid.UUID) -> None:
        stopped.append(subject_id)
        db.session.execute(sa.update(FanOut).where(FanOut.subject_id == subject_id).values(done=True))

    rewire(app, kinds=[MessageKindSpec(MessageKind.ALERT, is_open, texts_of, stop=stop)])
    post.queue(unfit, people)
    post.queue(fit, people)

    post.worker.texts.drain()

    assert stopped == [unfit]
    assert post.states() == {D.SUPPRESSED: 2, D.ACCEPTED: 2}
    # What `stop` wrote is committed: more of the same subject cannot be claimed.
    post.queue(unfit, [post.person(2)])
    assert post.worker.texts.drain() == 0
    (line,) = [record for record in caplog.records if "not fit to be sent" in record.msg]
    assert vars(line)["reason"] == "not_as_approved"
    assert sandbox.text_count() == 2


def test_while_an_unfit_subject_cannot_be_stopped_its_messages_wait(
    app: Flask, post: Post, sandbox: Sandbox
) -> None:
    def stop(subject_id: uuid.UUID) -> None:
        raise KeyError("a fault of ours")

    rewire(
        app,
        kinds=[
            MessageKindSpec(
                MessageKind.ALERT,
                sa.true,
                lambda claimed: {delivery.id: Unfit("over_budget") for delivery in claimed},
                stop=stop,
            )
        ],
    )
    post.queue(post.subject(), post.people(2))

    post.worker.texts.drain()

    assert post.states() == {D.QUEUED: 2}
    assert sandbox.text_count() == 0


def test_an_attempt_recorded_after_a_callback_undoes_nothing(post: Post) -> None:
    person = post.queue_one()
    delivery = post.delivery(person)
    execute(sa.update(Delivery).values(state=D.DELIVERED, attempt=1))

    attempts.record([attempts.Attempt(delivery.id, 1, D.ACCEPTED, provider_id="SM1")])

    assert post.delivery(person).state is D.DELIVERED
