"""What the provider answers decides what becomes of a text: later, never, by somebody else, or nobody knows."""

import socket
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.make.clock import MovableClock
from tests.make.sandbox import Sandbox
from tests.outbox.posting import Post, phone
from ugly_mugs.database.engine import db
from ugly_mugs.outbox.models import AddressState, Channel, Delivery, DeliveryState
from ugly_mugs.outbox.pace import AMBIGUOUS_IN_A_ROW
from ugly_mugs.runtime import runtime

D = DeliveryState


@pytest.mark.parametrize(("status", "code"), [(429, 20429), (400, 14107), (400, 21611)])
def test_a_text_that_was_not_processed_waits_and_leaves_later(
    post: Post, sandbox: Sandbox, clock: MovableClock, status: int, code: int
) -> None:
    person = post.queue_one()
    sandbox.behave(fail=[{"status": status, "code": code, "times": 1}])

    post.worker.texts.drain()
    waiting = post.delivery(person)
    assert (waiting.state, waiting.error_code, waiting.retries) == (D.QUEUED, code, 0)
    assert waiting.not_before > clock.now()

    clock.forward(minutes=10)
    post.worker.texts.drain()
    assert len(sandbox.texts_to(phone(0))) == 1
    assert post.delivery(person).state is D.ACCEPTED


@pytest.mark.parametrize(
    "rule",
    [
        {"status": 500},
        {"status": 503, "code": 20503},
        {"drop": True},
        {"nonsense": True},
        {"drop": True, "after_accepting": True},
        {"status": 500, "after_accepting": True},
    ],
)
def test_a_text_of_which_nobody_knows_whether_it_left_is_not_sent_again(
    post: Post, sandbox: Sandbox, clock: MovableClock, rule: dict[str, object]
) -> None:
    person = post.queue_one()
    sandbox.behave(fail=[{**rule, "times": 1}])
    post.worker.texts.drain()

    clock.forward(minutes=5)
    post.worker.texts.drain()

    assert post.delivery(person).state is D.UNKNOWN
    assert len(sandbox.texts_to(phone(0))) == (1 if rule.get("after_accepting") else 0)


@pytest.mark.parametrize("changed_settings", [{"SMS_TIMEOUT": "1"}])
def test_a_provider_too_slow_to_answer_leaves_a_text_unknown(post: Post, sandbox: Sandbox) -> None:
    person = post.queue_one()
    sandbox.behave(latency_ms=3000)

    post.worker.texts.drain()

    assert post.delivery(person).state is D.UNKNOWN


def test_many_texts_of_unknown_fate_in_a_row_make_the_sender_pause(post: Post, sandbox: Sandbox) -> None:
    post.queue(post.subject(), post.people(200))
    sandbox.behave(fail=[{"drop": True}])

    post.worker.texts.drain()

    states = post.states()
    assert post.registry.circuits[Channel.SMS].is_open
    assert AMBIGUOUS_IN_A_ROW <= states[D.UNKNOWN] < 100
    assert states[D.QUEUED] == 200 - states[D.UNKNOWN]


def test_somebody_the_provider_knows_to_have_stopped_is_opted_out(post: Post, sandbox: Sandbox) -> None:
    person, other = post.people(2)
    post.queue(post.subject(), [person, other])
    sandbox.behave(fail=[{"status": 400, "code": 21610, "to": phone(0)}])
    post.worker.texts.drain()
    post.queue(post.subject(), [person, other])

    post.worker.texts.drain()

    assert post.address(person).state is AddressState.OPTED_OUT
    assert post.heard.stopped == [(person, Channel.SMS)]
    assert post.address(other).state is AddressState.PROVED
    assert post.states() == {D.SUPPRESSED: 1, D.QUEUED: 1, D.ACCEPTED: 2}


@pytest.mark.parametrize("code", [21211, 21614, 21635])
def test_an_address_that_does_not_exist_becomes_invalid(post: Post, sandbox: Sandbox, code: int) -> None:
    person = post.queue_one()
    sandbox.behave(fail=[{"status": 400, "code": code}])

    post.worker.texts.drain()

    assert post.address(person).state is AddressState.INVALID
    assert post.delivery(person).state is D.FAILED
    assert post.heard.stopped == []


def test_a_refused_text_stops_its_subject(post: Post, sandbox: Sandbox) -> None:
    person = post.person(0)
    subject = post.subject()
    post.queue(subject, [person])
    sandbox.behave(fail=[{"status": 400, "code": 21617}])

    post.worker.texts.drain()

    assert post.heard.stopped_subjects == [subject]
    assert post.delivery(person).state is D.FAILED


def test_a_fault_of_our_account_keeps_every_row_and_opens_the_circuit(
    post: Post, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    post.queue(post.subject(), post.people(100))
    sandbox.behave(fail=[{"status": 401, "code": 20003}])

    post.worker.texts.drain()

    assert post.states() == {D.QUEUED: 100}
    assert post.registry.circuits[Channel.SMS].is_open
    assert "nothing can be sent" in caplog.text
    assert post.worker.texts.drain() == 0


def test_when_the_circuit_closes_one_message_tries_and_the_others_follow(
    post: Post, sandbox: Sandbox, clock: MovableClock
) -> None:
    post.queue(post.subject(), post.people(50))
    sandbox.behave(fail=[{"status": 401, "code": 20003}])
    post.worker.texts.drain()
    sandbox.behave(fail=[])
    clock.forward(minutes=20)
    post.seconds.now += 1_000

    assert post.registry.circuits[Channel.SMS].is_testing
    while post.worker.texts.drain():
        pass

    assert post.states() == {D.ACCEPTED: 50}
    assert not post.registry.circuits[Channel.SMS].is_testing


def test_a_provider_that_is_down_loses_nothing(post: Post, sandbox: Sandbox, clock: MovableClock) -> None:
    post.queue(post.subject(), post.people(20))
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        post.worker.text_gateway._client.api.base_url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    post.worker.texts.drain()
    assert post.states() == {D.QUEUED: 20}

    post.worker.text_gateway._client.api.base_url = sandbox.url
    post.seconds.now += 1_000
    clock.forward(minutes=30)
    while post.worker.texts.drain():
        pass

    assert post.states() == {D.ACCEPTED: 20}
    assert sandbox.text_count() == 20


def test_an_unknown_refusal_is_final(post: Post, sandbox: Sandbox, clock: MovableClock) -> None:
    person = post.queue_one()
    sandbox.behave(fail=[{"status": 400, "code": 99999, "times": 1}])
    post.worker.texts.drain()

    clock.forward(hours=1)
    post.worker.texts.drain()

    settled = post.delivery(person)
    assert (settled.state, settled.error_code) == (D.FAILED, 99999)
    assert sandbox.text_count() == 0


def test_a_text_says_how_long_it_is_worth_anything_and_where_its_status_goes(
    post: Post, sandbox: Sandbox, clock: MovableClock
) -> None:
    person = post.queue_one(expires_at=clock.now() + timedelta(minutes=30))

    post.worker.texts.drain()

    (text,) = sandbox.texts_to(phone(0))
    assert text["validity_period"] == 1800
    vault = runtime(post.app).vault
    address, _, token = text["status_callback"].partition("?d=")
    assert address == f"http://127.0.0.1:8000/webhooks/twilio/{vault.path_token('webhook')}/status"
    assert vault.read_delivery_token(token) == (post.delivery(person).id, 1)


def test_what_is_final_keeps_neither_the_providers_id_nor_its_body(post: Post, sandbox: Sandbox) -> None:
    post.queue_one(body=b"Words of one person")
    sandbox.behave(fail=[{"status": 400, "code": 99999}])

    post.worker.texts.drain()

    left = db.session.execute(sa.select(Delivery.provider_id, Delivery.body, Delivery.lease_ends_at)).one()
    assert tuple(left) == (None, None, None)
