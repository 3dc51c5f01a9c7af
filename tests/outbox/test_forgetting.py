"""A settled text is emptied at the provider, and its number there is kept exactly until then."""

import uuid
from collections.abc import Sequence
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.make.clock import MovableClock
from tests.make.databases import execute
from tests.make.sandbox import Sandbox
from tests.outbox import plans
from tests.outbox.posting import Post, phone
from ugly_mugs.database.engine import db
from ugly_mugs.outbox import forgetting, ledger
from ugly_mugs.outbox.forgetting import Forgetting
from ugly_mugs.outbox.inbound import status_updates
from ugly_mugs.outbox.inbound.status_updates import StatusUpdate
from ugly_mugs.outbox.jobs import forget_texts, tidy_ledger
from ugly_mugs.outbox.models import Channel, Delivery, DeliveryState, MessageKind
from ugly_mugs.outbox.pace import Circuit
from ugly_mugs.runtime import runtime

D = DeliveryState


def _sent(post: Post, people: Sequence[uuid.UUID]) -> None:
    post.queue(post.subject(), people, expires_at=post.now() + timedelta(days=9))
    post.worker.texts.drain()


def _settle(
    post: Post, person: uuid.UUID, state: DeliveryState = D.DELIVERED, code: int | None = None
) -> None:
    delivery = post.delivery(person)
    update = StatusUpdate(
        delivery.id, delivery.attempt, state, provider_id=delivery.provider_id, error_code=code
    )
    assert status_updates.apply(post.registry, update, now=post.now())
    db.session.commit()


def _settled(post: Post, count: int) -> list[uuid.UUID]:
    people = post.people(count)
    _sent(post, people)
    for person in people:
        _settle(post, person)
    return people


def _kept(post: Post, people: Sequence[uuid.UUID]) -> int:
    """How many of these the ledger still knows by their number at the provider."""
    return sum(post.delivery(person).provider_id is not None for person in people)


def _emptied(sandbox: Sandbox, count: int) -> int:
    return sum(text["redacted"] for number in range(count) for text in sandbox.texts_to(phone(number)))


def _turn(post: Post) -> int:
    """One turn, without the rest after one that found nothing."""
    post.worker.forgetting._rest_until = 0.0
    return post.worker.forgetting.run()


def test_a_settled_text_is_emptied_at_the_provider_and_then_its_number_goes(
    post: Post, sandbox: Sandbox, clock: MovableClock
) -> None:
    (person,) = _settled(post, 1)
    (text,) = sandbox.texts_to(phone(0))
    assert post.delivery(person).provider_id == text["sid"]
    clock.forward(minutes=15)

    forget_texts()

    assert _emptied(sandbox, 1) == 1
    left = post.delivery(person)
    assert (left.state, left.provider_id, left.lease_ends_at) == (D.DELIVERED, None, None)


def test_it_stays_readable_while_a_lost_text_might_be_looked_for_beside_it(
    post: Post, sandbox: Sandbox, clock: MovableClock
) -> None:
    people = _settled(post, 1)
    clock.forward(minutes=9)

    assert _turn(post) == 0

    assert (_kept(post, people), _emptied(sandbox, 1)) == (1, 0)


@pytest.mark.parametrize("state", [D.ATTEMPTING, D.UNKNOWN])
def test_nothing_of_a_person_is_emptied_while_a_text_to_them_is_of_unknown_fate(
    post: Post, sandbox: Sandbox, clock: MovableClock, state: DeliveryState
) -> None:
    person, _other = _settled(post, 2)
    post.queue(post.subject(), [person])
    execute(sa.update(Delivery).where(Delivery.state == D.QUEUED).values(state=state))
    clock.forward(minutes=15)

    assert _turn(post) == 1

    assert [text["redacted"] for text in sandbox.texts_to(phone(0))] == [False]
    assert [text["redacted"] for text in sandbox.texts_to(phone(1))] == [True]


def test_what_the_provider_has_not_finished_with_is_asked_for_again_later(
    post: Post, sandbox: Sandbox, clock: MovableClock
) -> None:
    sandbox.behave(callback_delay_ms=600_000)
    people = _settled(post, 1)
    clock.forward(minutes=15)

    assert (_turn(post), _kept(post, people)) == (0, 1)
    clock.forward(hours=5)
    assert _taken(post) == 0
    clock.forward(hours=2)
    assert _taken(post) == 1


def test_what_is_refused_for_a_month_is_given_up(post: Post, sandbox: Sandbox, clock: MovableClock) -> None:
    sandbox.behave(callback_delay_ms=600_000)
    people = _settled(post, 1)
    clock.forward(days=31)

    assert (_turn(post), _kept(post, people)) == (0, 0)


def test_a_text_the_provider_does_not_have_is_gone(post: Post, sandbox: Sandbox, clock: MovableClock) -> None:
    people = _settled(post, 2)
    sandbox.reset()
    clock.forward(minutes=15)

    assert (_turn(post), _kept(post, people)) == (2, 0)


def test_a_provider_that_does_not_answer_is_asked_little_and_nothing_is_lost(
    post: Post, sandbox: Sandbox, clock: MovableClock, caplog: pytest.LogCaptureFixture
) -> None:
    people = _settled(post, 20)
    clock.forward(minutes=15)
    post.worker.forgetting.circuit = Circuit(monotonic=post.seconds)
    post.worker.text_gateway._client.api.base_url = "http://127.0.0.1:9"

    assert (_turn(post), _kept(post, people)) == (0, 20)
    assert caplog.text.count("cannot be asked to forget") == 1
    assert post.worker.forgetting.circuit.is_open
    assert not post.registry.circuits[Channel.SMS].is_open

    post.worker.text_gateway._client.api.base_url = sandbox.url
    post.seconds.now += 1_000
    clock.forward(minutes=15)
    assert [_turn(post), _turn(post)] == [1, 19]
    assert (_kept(post, people), _emptied(sandbox, 20)) == (0, 20)


@pytest.mark.parametrize("changed_settings", [{"SMS_PACE": "10"}])
def test_no_more_are_asked_for_than_the_pace_allows_and_few_while_texts_wait(
    post: Post, clock: MovableClock
) -> None:
    _settled(post, 25)
    clock.forward(minutes=15)

    assert _turn(post) == 10

    post.queue(post.subject(), [post.person(100)])
    assert _turn(post) == 1


@pytest.mark.parametrize("changed_settings", [{"SMS_PACE": "10"}])
@pytest.mark.parametrize(("wakes", "forgotten"), [(True, 1), (False, 10)])
def test_what_waits_for_the_morning_slows_nothing(
    post: Post, clock: MovableClock, wakes: bool, forgotten: int
) -> None:
    _settled(post, 15)
    clock.forward(hours=12)
    post.queue(post.subject(), [post.person(100)], wakes=wakes)

    assert _turn(post) == forgotten


def test_a_text_that_never_settled_is_emptied_after_days(
    post: Post, sandbox: Sandbox, clock: MovableClock
) -> None:
    people = post.people(3)
    _sent(post, people)
    for person, state in zip(people, [D.ACCEPTED, D.SENT, D.UNCONFIRMED], strict=True):
        db.session.execute(sa.update(Delivery).where(Delivery.recipient_id == person).values(state=state))
    db.session.commit()

    clock.forward(days=2)
    assert _turn(post) == 0
    clock.forward(days=2)
    assert _turn(post) == 3

    assert post.states() == {D.ACCEPTED: 1, D.SENT: 1, D.UNCONFIRMED: 1}
    assert (_kept(post, people), _emptied(sandbox, 3)) == (0, 3)


def test_an_attempt_that_failed_is_emptied_before_the_next_and_each_by_its_own_number(
    post: Post, sandbox: Sandbox, clock: MovableClock
) -> None:
    person = post.person(0)
    _sent(post, [person])
    _settle(post, person, D.UNDELIVERED, 30003)
    assert post.delivery(person).state is D.QUEUED

    first = post.delivery(person).provider_id
    assert _turn(post) == 1
    # Until the next attempt has one of its own, its number tells the emptied text from a lost one.
    assert (post.delivery(person).provider_id, _turn(post)) == (first, 0)
    clock.forward(minutes=5)
    post.worker.texts.drain()
    assert [text["redacted"] for text in sandbox.texts_to(phone(0))] == [False, True]

    _settle(post, person)
    clock.forward(minutes=15)
    assert _turn(post) == 1
    assert [text["redacted"] for text in sandbox.texts_to(phone(0))] == [True, True]


def test_the_number_of_an_emptied_attempt_goes_when_no_other_follows(post: Post, clock: MovableClock) -> None:
    person = post.person(0)
    _sent(post, [person])
    _settle(post, person, D.UNDELIVERED, 30003)
    assert _turn(post) == 1

    ledger.suppress(recipient_id=person, channel=Channel.SMS)
    db.session.commit()
    clock.forward(minutes=15)

    assert (_turn(post), _kept(post, [person])) == (1, 0)


def test_a_delivery_claimed_meanwhile_keeps_its_lease_and_its_number(post: Post, clock: MovableClock) -> None:
    person = post.person(0)
    _sent(post, [person])
    _settle(post, person, D.UNDELIVERED, 30003)
    gateway, engine = post.worker.text_gateway, db.engine

    class Slow:
        """While the provider forgets the first attempt, the second is claimed."""

        def __init__(self, **values: object) -> None:
            self.values = values

        def forget(self, provider_id: str) -> bool:
            forgotten = gateway.forget(provider_id)
            with engine.begin() as connection:
                connection.execute(sa.update(Delivery).values(**self.values))
            return forgotten

    lease = post.now() + timedelta(minutes=2)
    for values, kept in (
        ({"state": D.ATTEMPTING, "lease_ends_at": lease}, ("SM1", lease)),
        ({"state": D.ACCEPTED, "lease_ends_at": None, "provider_id": "SM2"}, ("SM2", None)),
    ):
        execute(sa.update(Delivery).values(state=D.QUEUED, lease_ends_at=None, provider_id="SM1"))
        Forgetting(
            provider=Slow(**values),
            pace=10,
            lease=timedelta(),
            quiet_hours=runtime().settings.quiet_hours,
            clock=clock,
            stop=post.worker.stop,
        ).run()
        left = post.delivery(person)
        assert (left.provider_id, left.lease_ends_at) == kept


def _taken(post: Post, most: int = 10) -> int:
    return len(forgetting._take(most, now=post.now(), readable_for=forgetting.READABLE_FOR))


def test_two_workers_do_not_ask_for_the_same_text_until_one_is_overdue(
    post: Post, clock: MovableClock
) -> None:
    _settled(post, 3)
    clock.forward(minutes=15)

    assert [_taken(post, 2), _taken(post, 2), _taken(post)] == [2, 1, 0]
    clock.forward(minutes=6)
    assert _taken(post) == 3


def test_each_look_is_by_an_index_however_much_was_sent(post: Post) -> None:
    plans.fill_ledger(post)
    query = forgetting._candidates(sa.true(), 10, now=post.now(), readable_for=timedelta())

    plan = plans.plan_of(query)

    assert "ix_deliveries_at_the_provider" in plan
    assert plans.whole_reads(plan) == []


def _code(post: Post, person: uuid.UUID, state: DeliveryState) -> None:
    ends = post.now() + timedelta(minutes=10)
    post.queue(uuid.uuid4(), [person], kind=MessageKind.CODE, expires_at=ends, body=b"314159")
    execute(sa.update(Delivery).where(Delivery.recipient_id == person).values(state=state))


@pytest.mark.parametrize("state", [D.ACCEPTED, D.SENT, D.UNCONFIRMED])
def test_a_code_is_forgotten_when_it_is_over_although_nobody_said_that_it_came(
    post: Post, clock: MovableClock, state: DeliveryState
) -> None:
    person = post.person(0)
    _code(post, person, state)

    tidy_ledger()
    assert post.delivery(person).body is not None
    clock.forward(minutes=11)
    tidy_ledger()

    left = post.delivery(person)
    assert (left.state, left.body) == (state, None)


def test_a_code_of_unknown_fate_keeps_the_body_it_is_looked_for_by(post: Post, clock: MovableClock) -> None:
    person = post.person(0)
    _code(post, person, D.UNKNOWN)
    clock.forward(minutes=11)

    assert ledger.delete_expired_bodies(runtime().clock.now()) == 0
    db.session.commit()

    assert post.delivery(person).body is not None
