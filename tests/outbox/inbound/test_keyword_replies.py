"""Somebody replies a text: STOP ends it at once and for everything, START begins it again, HELP is answered."""

import uuid

import pytest
from flask.testing import FlaskClient

from tests.make.sandbox import Sandbox
from tests.outbox import webhooks
from tests.outbox.posting import Post, phone
from ugly_mugs.outbox.models import AddressState, Channel, DeliveryState

D = DeliveryState


@pytest.mark.parametrize("body", ["STOP", "stop please", "Stop.", "PARAR", "退订", "No more texts"])
def test_stop_in_any_words_ends_everything_that_waits(post: Post, client: FlaskClient, body: str) -> None:
    person, other = post.people(2)
    post.queue(post.subject(), [person, other])
    post.queue(post.subject(), [person])

    webhooks.text(client, phone(0), body)
    webhooks.apply(post)

    assert post.address(person).state is AddressState.OPTED_OUT
    assert post.heard.stopped == [(person, Channel.SMS)]
    assert post.delivery(other).state is D.QUEUED
    assert post.states()[D.SUPPRESSED] == 2


def test_stop_from_a_phone_nobody_knows_is_no_error(post: Post, client: FlaskClient) -> None:
    post.people(1)

    webhooks.text(client, phone(555), "STOP")
    webhooks.apply(post)

    assert post.heard.stopped == []


@pytest.mark.parametrize(
    ("body", "more", "replies"),
    [("STOP", {}, 0), ("stop please", {}, 1), ("Please stop", {"OptOutType": "STOP"}, 0)],
)
def test_a_stop_is_confirmed_only_where_the_provider_has_not_done_so(
    post: Post, client: FlaskClient, sandbox: Sandbox, body: str, more: dict[str, str], replies: int
) -> None:
    post.people(1)

    webhooks.text(client, phone(0), body, **more)
    webhooks.apply(post)
    post.worker.texts.drain()

    sent = sandbox.texts_to(phone(0))
    assert len(sent) == replies
    assert all("START" in text["body"] for text in sent)


def test_stopping_twice_is_confirmed_once(post: Post, client: FlaskClient, sandbox: Sandbox) -> None:
    post.people(1)

    for _ in range(2):
        webhooks.text(client, phone(0), "stop please")
        webhooks.apply(post)
    post.worker.texts.drain()

    assert len(sandbox.texts_to(phone(0))) == 1
    assert len(post.heard.stopped) == 1


def test_start_takes_the_number_up_again(post: Post, client: FlaskClient, sandbox: Sandbox) -> None:
    person = post.person(0)
    webhooks.text(client, phone(0), "STOP")
    webhooks.apply(post)

    webhooks.text(client, phone(0), "START")
    webhooks.apply(post)
    post.queue(post.subject(), [person])
    post.worker.texts.drain()

    assert post.heard.started == [(person, Channel.SMS)]
    assert len(sandbox.texts_to(phone(0))) == 1


def test_start_from_somebody_who_never_stopped_changes_nothing(post: Post, client: FlaskClient) -> None:
    person = post.person(0, state=AddressState.UNPROVED)

    webhooks.text(client, phone(0), "START")
    webhooks.apply(post)

    assert post.address(person).state is AddressState.UNPROVED
    assert post.heard.started == []


@pytest.mark.parametrize(("body", "replies"), [("HELP", 0), ("ajuda", 1)])
def test_help_gets_one_reply_from_us_or_from_the_provider(
    post: Post, client: FlaskClient, sandbox: Sandbox, body: str, replies: int
) -> None:
    post.people(1)

    webhooks.text(client, phone(0), body)
    webhooks.apply(post)
    post.worker.texts.drain()

    sent = sandbox.texts_to(phone(0))
    assert len(sent) == replies
    assert all("STOP" in text["body"] and text["segments"] == 1 for text in sent)


def test_an_ordinary_reply_is_kept_nowhere(post: Post, client: FlaskClient) -> None:
    person = post.person(0)

    webhooks.text(client, phone(0), "Thank you, take care")
    webhooks.apply(post)

    assert post.address(person).state is AddressState.PROVED
    assert post.states() == {}


def test_a_reply_to_a_stop_is_never_sent_to_somebody_who_came_back(
    post: Post, client: FlaskClient, sandbox: Sandbox
) -> None:
    post.people(1)
    webhooks.text(client, phone(0), "stop please")
    webhooks.apply(post)
    webhooks.text(client, phone(0), "START")
    webhooks.apply(post)

    post.worker.texts.drain()

    assert sandbox.texts_to(phone(0)) == []


def test_each_person_is_known_by_their_own_number(post: Post, client: FlaskClient) -> None:
    people: list[uuid.UUID] = post.people(3)

    webhooks.text(client, phone(1), "STOP")
    webhooks.apply(post)

    assert [post.address(person).state for person in people] == [
        AddressState.PROVED,
        AddressState.OPTED_OUT,
        AddressState.PROVED,
    ]
