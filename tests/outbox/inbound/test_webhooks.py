"""The provider's posts: sealed by the web, believed by the worker only when the provider signed them."""

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from tests.outbox import webhooks
from tests.outbox.posting import Post, phone
from ugly_mugs.database.engine import db
from ugly_mugs.outbox.inbound import handovers
from ugly_mugs.outbox.inbound.views import LARGEST_POST
from ugly_mugs.outbox.models import DeliveryState, Handover, HandoverKind, HandoverState
from ugly_mugs.runtime import runtime
from ugly_mugs.sandbox.settings import ACCOUNT_SID, AUTH_TOKEN
from ugly_mugs.sandbox.signature import sign

D = DeliveryState


def _handovers() -> list[tuple[HandoverState, bytes | None]]:
    rows = db.session.execute(sa.select(Handover.state, Handover.sealed)).all()
    db.session.rollback()
    return [(state, sealed) for state, sealed in rows]


def test_a_wrong_path_is_nothing_there(post: Post, client: FlaskClient) -> None:
    answer = client.post("/webhooks/twilio/wrong/status", data="MessageStatus=delivered")

    assert answer.status_code == 404
    assert _handovers() == []


def test_what_came_is_kept_sealed_until_the_worker_has_it(post: Post, client: FlaskClient) -> None:
    webhooks.text(client, phone(1), "Where do I sign in?")

    ((state, sealed),) = _handovers()
    assert state is HandoverState.WAITING
    assert sealed is not None
    assert b"sign in" not in sealed and phone(1).encode() not in sealed

    webhooks.apply(post)
    assert _handovers() == [(HandoverState.DONE, None)]


def test_a_post_of_more_than_64_kb_is_refused(post: Post, client: FlaskClient) -> None:
    answer = client.post(webhooks.path("message"), data=b"a" * (LARGEST_POST + 1))

    assert answer.status_code == 413
    assert _handovers() == []


def test_the_largest_post_is_taken(post: Post, client: FlaskClient) -> None:
    assert client.post(webhooks.path("message"), data=b"\xff" * LARGEST_POST).status_code == 204


@pytest.mark.parametrize("signature", ["", "AAAA", "é", "0" * 28])
def test_a_wrong_signature_changes_nothing(post: Post, client: FlaskClient, signature: str) -> None:
    person = post.send_one()
    token = runtime().vault.delivery_token(post.delivery(person).id, 1)
    fields = {"AccountSid": ACCOUNT_SID, "MessageSid": "SM1", "MessageStatus": "delivered"}

    webhooks.deliver(client, f"{webhooks.path('status')}?d={token}", fields, signature=signature)
    webhooks.apply(post)

    assert _handovers() == [(HandoverState.REFUSED, None)]
    assert post.delivery(person).state is D.ACCEPTED


def test_a_stop_without_the_providers_signature_stops_nobody(post: Post, client: FlaskClient) -> None:
    post.people(1)
    fields = {"AccountSid": ACCOUNT_SID, "From": phone(0), "Body": "STOP"}

    webhooks.deliver(client, webhooks.path("message"), fields, token="somebody-elses")
    webhooks.apply(post)

    assert post.heard.stopped == []


def test_the_signature_covers_every_field(post: Post, client: FlaskClient) -> None:
    fields = {"AccountSid": ACCOUNT_SID, "From": phone(0), "Body": "Hello"}
    signature = sign(AUTH_TOKEN, webhooks.PUBLIC + webhooks.path("message"), fields)

    webhooks.deliver(client, webhooks.path("message"), {**fields, "Body": "STOP"}, signature=signature)
    webhooks.apply(post)

    assert _handovers() == [(HandoverState.REFUSED, None)]


@pytest.mark.parametrize("changed_settings", [{"TWILIO_AUTH_TOKEN": "the-new-one,the-old-one"}])
@pytest.mark.parametrize(
    ("token", "believed"), [("the-new-one", True), ("the-old-one", True), ("another", False)]
)
def test_while_the_token_is_rotated_both_are_believed(
    post: Post, client: FlaskClient, token: str, believed: bool
) -> None:
    post.people(1)
    fields = {"AccountSid": ACCOUNT_SID, "From": phone(0), "Body": "STOP"}

    webhooks.deliver(client, webhooks.path("message"), fields, token=token)
    webhooks.apply(post)

    assert bool(post.heard.stopped) is believed


def test_a_post_for_another_account_is_refused(post: Post, client: FlaskClient) -> None:
    fields = {"AccountSid": "AC" + "9" * 32, "From": phone(0), "Body": "STOP"}

    webhooks.deliver(client, webhooks.path("message"), fields)
    webhooks.apply(post)

    assert _handovers() == [(HandoverState.REFUSED, None)]


def test_whatever_is_posted_the_worker_goes_on(post: Post, client: FlaskClient) -> None:
    person = post.person(0)
    client.post(webhooks.path("status") + "?d=nonsense", data=b"\xff\xfe%%%=&&&")
    client.post(webhooks.path("message"), data=b"")
    client.post(webhooks.path("message"), data=b"a=1&" * 5000)
    webhooks.text(client, phone(0), "STOP")

    webhooks.apply(post)

    assert [state for state, _ in _handovers()].count(HandoverState.REFUSED) == 3
    assert post.heard.stopped == [(person, post.address(person).channel)]


def test_opt_outs_are_applied_before_everything_else(post: Post, client: FlaskClient) -> None:
    person = post.send_one()
    token = runtime().vault.delivery_token(post.delivery(person).id, 1)
    for _ in range(3):
        webhooks.status(client, token, "delivered")
    webhooks.text(client, phone(0), "STOP")
    order: list[HandoverKind] = []
    handlers = {kind: (lambda handover, kind=kind: order.append(kind)) for kind in HandoverKind}

    handovers.apply_waiting(vault=runtime().worker_vault, handlers=handlers, now=post.now())

    assert order == [HandoverKind.MESSAGE_CAME] + [HandoverKind.STATUS_CAME] * 3
