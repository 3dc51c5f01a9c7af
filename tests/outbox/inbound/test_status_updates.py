"""Callbacks come late, twice and in any order: a delivery moves forward only."""

import itertools
import uuid
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from tests.make.clock import MovableClock
from tests.make.databases import execute
from tests.make.sandbox import Sandbox
from tests.outbox import webhooks
from tests.outbox.posting import Post, phone
from ugly_mugs.database.engine import db
from ugly_mugs.outbox.attempts import MOST_RETRIES
from ugly_mugs.outbox.inbound import status_updates
from ugly_mugs.outbox.inbound.status_updates import StatusUpdate
from ugly_mugs.outbox.models import DELIVERY_MOVES, FINAL, AddressState, Delivery, DeliveryState
from ugly_mugs.runtime import runtime

D = DeliveryState


@pytest.fixture
def person(post: Post) -> uuid.UUID:
    """Somebody whose text the provider has accepted."""
    return post.send_one(expires_at=post.now() + timedelta(hours=2))


def _token(post: Post, person: uuid.UUID, attempt: int = 1) -> str:
    return runtime().vault.delivery_token(post.delivery(person).id, attempt)


@pytest.mark.parametrize("order", list(itertools.permutations(["queued", "sent", "delivered"])))
def test_in_any_order_and_twice_they_end_in_delivered(
    post: Post, client: FlaskClient, person: uuid.UUID, order: tuple[str, ...]
) -> None:
    for status in [*order, *order]:
        webhooks.status(client, _token(post, person), status)
        webhooks.apply(post)

    settled = post.delivery(person)
    assert settled.state is D.DELIVERED
    # Kept until the provider has forgotten the words.
    assert settled.provider_id is not None


def test_a_callback_finds_its_row_although_we_never_stored_the_providers_id(
    post: Post, client: FlaskClient, person: uuid.UUID
) -> None:
    execute(sa.update(Delivery).values(state=D.ATTEMPTING, provider_id=None))

    webhooks.status(client, _token(post, person), "sent", sid="SM123")
    webhooks.apply(post)

    delivery = post.delivery(person)
    assert (delivery.state, delivery.provider_id, delivery.lease_ends_at) == (D.SENT, "SM123", None)


def test_an_update_of_another_attempt_is_dropped_and_counted(
    post: Post, client: FlaskClient, person: uuid.UUID
) -> None:
    webhooks.status(client, _token(post, person, attempt=7), "delivered")
    webhooks.apply(post)

    assert post.delivery(person).state is D.ACCEPTED
    assert post.registry.dropped_updates["accepted", "delivered"] == 1


@pytest.mark.parametrize("code", [30003, 30008])
def test_a_text_that_failed_on_its_way_is_sent_twice_more_and_no_more(
    post: Post, client: FlaskClient, sandbox: Sandbox, clock: MovableClock, person: uuid.UUID, code: int
) -> None:
    for attempt in range(1, MOST_RETRIES + 2):
        webhooks.status(client, _token(post, person, attempt), "undelivered", code=code)
        webhooks.apply(post)
        clock.forward(minutes=25)
        post.worker.texts.drain()

    assert post.delivery(person).state is D.UNDELIVERED
    assert len(sandbox.texts_to(phone(0))) == 1 + MOST_RETRIES


def test_a_text_that_failed_is_not_sent_again_after_its_end(
    post: Post, client: FlaskClient, clock: MovableClock, person: uuid.UUID
) -> None:
    clock.forward(hours=3)

    webhooks.status(client, _token(post, person), "undelivered", code=30003)
    webhooks.apply(post)

    assert post.delivery(person).state is D.UNDELIVERED


def test_a_late_update_of_a_failed_attempt_does_not_stop_the_next(
    post: Post, client: FlaskClient, person: uuid.UUID
) -> None:
    webhooks.status(client, _token(post, person), "undelivered", code=30003)
    webhooks.status(client, _token(post, person), "sent")
    webhooks.apply(post)

    assert post.delivery(person).state is D.QUEUED


@pytest.mark.parametrize("status", ["accepted", "sent", "delivered"])
def test_a_text_taken_for_absent_is_not_sent_again_when_it_turns_out_to_have_gone(
    post: Post, client: FlaskClient, sandbox: Sandbox, person: uuid.UUID, status: str
) -> None:
    execute(sa.update(Delivery).values(state=D.QUEUED, provider_id=None))

    webhooks.status(client, _token(post, person), status)
    webhooks.apply(post)
    post.worker.texts.drain()

    assert post.delivery(person).state is D.SUPPRESSED
    assert len(sandbox.texts_to(phone(0))) == 1


def test_a_number_that_does_not_exist_becomes_invalid(
    post: Post, client: FlaskClient, person: uuid.UUID
) -> None:
    webhooks.status(client, _token(post, person), "undelivered", code=30005)
    webhooks.apply(post)

    assert post.address(person).state is AddressState.INVALID
    assert post.delivery(person).state is D.UNDELIVERED


def test_a_filtered_text_stops_its_subject(post: Post, client: FlaskClient, person: uuid.UUID) -> None:
    webhooks.status(client, _token(post, person), "undelivered", code=30007)
    webhooks.apply(post)

    assert post.heard.stopped_subjects == [post.delivery(person).subject_id]


def test_from_every_state_only_legal_moves_happen(post: Post, person: uuid.UUID) -> None:
    delivery_id = post.delivery(person).id
    for was, status in itertools.product(D, sorted(set(status_updates.STATES.values()))):
        execute(sa.update(Delivery).values(state=was))

        moved = status_updates.apply(post.registry, StatusUpdate(delivery_id, 1, status), now=post.now())
        db.session.commit()

        now = post.delivery(person).state
        assert now is was or DELIVERY_MOVES.allows(was, now)
        assert moved is (now is not was)
        assert was not in FINAL or now is was


def test_a_text_that_was_set_aside_and_turns_out_to_have_arrived_does_not_go_again(
    post: Post, client: FlaskClient, person: uuid.UUID
) -> None:
    """Taken for absent, queued again, and then its alert was paused: the proof of arrival still counts."""
    execute(sa.update(Delivery).values(state=D.HELD))

    webhooks.status(client, _token(post, person), "delivered")
    webhooks.apply(post)

    delivery = post.delivery(person)
    assert delivery.state is D.SUPPRESSED
    assert delivery.retries == 1


def test_a_failure_of_a_number_that_was_replaced_does_not_close_the_new_one(
    post: Post, client: FlaskClient, person: uuid.UUID
) -> None:
    execute(sa.update(Delivery).values(address_id=uuid.uuid4()))

    webhooks.status(client, _token(post, person), "failed", code=21610)
    webhooks.apply(post)

    assert post.delivery(person).state is D.FAILED
    assert post.address(person).state is AddressState.PROVED
