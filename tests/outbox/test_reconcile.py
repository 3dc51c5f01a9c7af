"""A text of unknown fate is looked for at the provider; only what is surely not there is sent again."""

import threading
import uuid
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.make.databases import execute
from tests.make.sandbox import Sandbox
from tests.outbox.posting import Post, phone
from ugly_mugs.clock import Clock, SystemClock
from ugly_mugs.outbox import attempts
from ugly_mugs.outbox.inbound import status_updates
from ugly_mugs.outbox.inbound.status_updates import StatusUpdate
from ugly_mugs.outbox.models import Channel, Delivery, DeliveryState, MessageKind
from ugly_mugs.outbox.reconcile import reconcile
from ugly_mugs.outbox.registry import MessageKindSpec, Unfit
from ugly_mugs.runtime import runtime

D = DeliveryState


@pytest.fixture
def clock() -> Clock:
    """The provider's list says when each text was taken, so both must live in the same time."""
    return SystemClock()


def _look(post: Post, *, give_up: timedelta = timedelta(hours=1)) -> None:
    execute(
        sa.update(Delivery)
        .where(Delivery.state == D.UNKNOWN)
        .values(lease_ends_at=post.now() - timedelta(seconds=1))
    )
    reconcile(
        registry=post.registry,
        vault=runtime().worker_vault,
        listing=post.worker.text_gateway,
        clock=runtime().clock,
        unknown_wait=timedelta(seconds=1),
        unknown_give_up=give_up,
        stop=threading.Event(),
    )


def _lost(post: Post, sandbox: Sandbox, *, taken: bool, person: uuid.UUID | None = None) -> uuid.UUID:
    """Somebody whose text got lost on the way there, or (`taken`) whose answer got lost on the way back."""
    person = person or post.person(0)
    post.queue(post.subject(), [person])
    sandbox.behave(fail=[{"drop": True, "after_accepting": taken, "times": 1}])
    post.worker.texts.drain()
    return person


def test_a_text_in_the_providers_list_was_sent_and_is_not_sent_again(post: Post, sandbox: Sandbox) -> None:
    sandbox.behave(callback_delay_ms=60_000)
    person = _lost(post, sandbox, taken=True)

    _look(post)
    post.worker.texts.drain()

    (text,) = sandbox.texts_to(phone(0))
    delivery = post.delivery(person)
    assert (delivery.state, delivery.provider_id) == (D.ACCEPTED, text["sid"])


def test_what_became_of_it_meanwhile_is_taken_over(post: Post, sandbox: Sandbox) -> None:
    person = _lost(post, sandbox, taken=True)

    _look(post)

    assert post.delivery(person).state is D.DELIVERED


def test_a_text_that_is_not_in_the_list_is_sent_again(post: Post, sandbox: Sandbox) -> None:
    person = _lost(post, sandbox, taken=False)

    _look(post)
    assert post.delivery(person).state is D.QUEUED

    post.worker.texts.drain()
    sent = post.delivery(person)
    assert (sent.state, sent.attempt) == (D.ACCEPTED, 2)
    assert len(sandbox.texts_to(phone(0))) == 1


def test_another_text_to_the_same_phone_is_not_taken_for_it(post: Post, sandbox: Sandbox) -> None:
    person = post.send_one()

    _lost(post, sandbox, taken=False, person=person)
    _look(post)

    assert post.states() == {D.ACCEPTED: 1, D.QUEUED: 1}


def test_a_text_of_long_ago_is_not_taken_for_it(post: Post, sandbox: Sandbox) -> None:
    """The same words went to the same phone before, in an attempt that failed."""
    person = _lost(post, sandbox, taken=True)
    execute(sa.update(Delivery).values(attempted_at=post.now() + timedelta(minutes=5)))

    _look(post)

    assert post.delivery(person).state is D.QUEUED


def test_an_id_that_belongs_to_another_delivery_is_not_taken_for_it(post: Post, sandbox: Sandbox) -> None:
    """Two codes with the same words, of which one is known to have been taken."""
    person = post.person(0)
    sandbox.behave(callback_delay_ms=60_000)
    for _ in range(2):
        post.queue(uuid.uuid4(), [person], kind=MessageKind.CODE, body=b"The same text")
        post.worker.texts.drain()
        sandbox.behave(fail=[{"drop": True, "times": 1}])

    _look(post)

    assert post.states() == {D.ACCEPTED: 1, D.QUEUED: 1}


@pytest.mark.parametrize("is_emptied", [False, True])
@pytest.mark.parametrize(("taken", "wanted"), [(False, D.QUEUED), (True, D.ACCEPTED)])
def test_an_earlier_attempt_that_failed_is_not_taken_for_the_later_one(
    post: Post, sandbox: Sandbox, taken: bool, wanted: DeliveryState, is_emptied: bool
) -> None:
    """The provider's clock is ahead of ours, so its list still shows the first one beside the second."""
    person = post.send_one()
    first = post.delivery(person)
    failed = StatusUpdate(
        first.id, first.attempt, D.UNDELIVERED, provider_id=first.provider_id, error_code=30003
    )
    assert status_updates.apply(post.registry, failed, now=post.now())
    execute(sa.update(Delivery).values(not_before=post.now()))
    if is_emptied:
        assert post.worker.forgetting.run() == 1
    sandbox.behave(callback_delay_ms=60_000, fail=[{"drop": True, "after_accepting": taken, "times": 1}])
    post.worker.texts.drain()
    assert (post.delivery(person).state, post.delivery(person).attempt) == (D.UNKNOWN, 2)

    _look(post)

    later = post.delivery(person)
    sids = {text["sid"] for text in sandbox.texts_to(phone(0))}
    assert later.state is wanted and first.provider_id in sids
    assert {later.provider_id} == (sids - {first.provider_id} if taken else {first.provider_id})


def test_beside_a_text_that_was_emptied_nothing_is_proved_absent(post: Post, sandbox: Sandbox) -> None:
    """Nobody can say whether the emptied one was this one; it ends as unconfirmed and is never sent again."""
    person = _lost(post, sandbox, taken=True)
    (text,) = sandbox.texts_to(phone(0))
    assert post.worker.text_gateway.forget(text["sid"])

    _look(post)
    assert post.delivery(person).state is D.UNKNOWN

    _look(post, give_up=timedelta())
    assert post.delivery(person).state is D.UNCONFIRMED
    assert len(sandbox.texts_to(phone(0))) == 1


def test_a_text_is_found_beside_one_that_was_emptied(post: Post, sandbox: Sandbox) -> None:
    person = post.send_one()
    (first,) = sandbox.texts_to(phone(0))
    assert post.worker.text_gateway.forget(first["sid"])
    execute(sa.update(Delivery).values(state=D.DELIVERED, provider_id=None))

    _lost(post, sandbox, taken=True, person=person)
    _look(post)

    assert post.states() == {D.DELIVERED: 2}


def test_an_emptied_text_of_before_the_attempt_does_not_keep_a_lost_one_from_going(
    post: Post, sandbox: Sandbox
) -> None:
    person = post.send_one()
    (first,) = sandbox.texts_to(phone(0))
    assert post.worker.text_gateway.forget(first["sid"])
    execute(sa.update(Delivery).values(state=D.DELIVERED, provider_id=None))

    _lost(post, sandbox, taken=False, person=person)
    execute(
        sa.update(Delivery)
        .where(Delivery.state == D.UNKNOWN)
        .values(attempted_at=post.now() + timedelta(minutes=5))
    )
    _look(post)

    assert post.states() == {D.DELIVERED: 1, D.QUEUED: 1}


def test_while_the_provider_cannot_tell_it_stays_unknown_and_then_unconfirmed(
    post: Post, sandbox: Sandbox
) -> None:
    person = _lost(post, sandbox, taken=False)
    post.worker.text_gateway._client.api.base_url = "http://127.0.0.1:9"

    _look(post)
    assert post.delivery(person).state is D.UNKNOWN

    _look(post, give_up=timedelta())
    assert post.delivery(person).state is D.UNCONFIRMED


def test_a_text_whose_kind_gives_none_is_never_taken_for_absent(post: Post, sandbox: Sandbox) -> None:
    person = _lost(post, sandbox, taken=False)
    post.registry.kinds[MessageKind.ALERT] = MessageKindSpec(MessageKind.ALERT, sa.true, lambda claimed: {})

    _look(post)

    assert post.delivery(person).state is D.UNKNOWN


def test_a_text_whose_subject_is_unfit_is_never_taken_for_absent_and_its_subject_is_stopped(
    post: Post, sandbox: Sandbox
) -> None:
    person = _lost(post, sandbox, taken=False)
    post.registry.kinds[MessageKind.ALERT] = MessageKindSpec(
        MessageKind.ALERT,
        sa.true,
        lambda claimed: {delivery.id: Unfit("not_as_approved") for delivery in claimed},
        stop=post.heard.stopped_subjects.append,
    )

    _look(post)

    lost = post.delivery(person)
    assert lost.state is D.UNKNOWN
    assert post.heard.stopped_subjects == [lost.subject_id]


def test_nobody_looks_before_callbacks_had_their_time(post: Post, sandbox: Sandbox) -> None:
    person = _lost(post, sandbox, taken=False)

    assert attempts.take_unknown(now=post.now(), look_again=timedelta(seconds=1), most=10) == []
    lost = post.delivery(person)
    assert lost.lease_ends_at is not None and lost.attempted_at is not None
    assert lost.lease_ends_at - lost.attempted_at >= timedelta(seconds=runtime().settings.unknown_wait)


def test_two_workers_do_not_look_for_the_same_text(post: Post, sandbox: Sandbox) -> None:
    _lost(post, sandbox, taken=False)
    later = post.now() + timedelta(hours=1)

    first = attempts.take_unknown(now=later, look_again=timedelta(minutes=1), most=10)
    second = attempts.take_unknown(now=later, look_again=timedelta(minutes=1), most=10)

    assert (len(first), second) == (1, [])


def _claimed(post: Post, channel: Channel) -> uuid.UUID:
    (person,) = post.people(1, channel=channel)
    post.queue(post.subject(), [person], channel=channel)
    execute(
        sa.update(Delivery).values(
            state=D.ATTEMPTING,
            attempt=1,
            attempted_at=post.now(),
            lease_ends_at=post.now() + timedelta(minutes=1),
        )
    )
    return person


def test_a_lease_that_runs_out_makes_a_text_unknown_and_never_queues_it(post: Post) -> None:
    person = _claimed(post, Channel.SMS)
    wait = timedelta(minutes=2)

    assert attempts.end_leases(now=post.now(), unknown_wait=wait) == 0
    assert attempts.end_leases(now=post.now() + timedelta(minutes=2), unknown_wait=wait) == 1

    assert post.delivery(person).state is D.UNKNOWN


def test_an_email_whose_lease_ran_out_is_sent_again_twice_at_most(post: Post) -> None:
    person = _claimed(post, Channel.EMAIL)
    states = []
    for _ in range(3):
        attempts.end_leases(now=post.now() + timedelta(minutes=2), unknown_wait=timedelta(minutes=2))
        states.append(post.delivery(person).state)
        execute(sa.update(Delivery).values(state=D.ATTEMPTING, lease_ends_at=post.now()))

    assert states == [D.QUEUED, D.QUEUED, D.UNKNOWN]
