"""The one-click link of an e-mail (RFC 8058): looking at it changes nothing, one POST ends everything."""

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from tests.make.sandbox import Sandbox
from tests.outbox import webhooks
from tests.outbox.posting import Post
from ugly_mugs.database.engine import db
from ugly_mugs.outbox import addresses, optouts
from ugly_mugs.outbox.models import Address, AddressState, Channel, DeliveryState
from ugly_mugs.runtime import runtime

D = DeliveryState


def test_a_program_that_only_looks_at_the_link_stops_nothing(post: Post, client: FlaskClient) -> None:
    person = post.person(0, channel=Channel.EMAIL)
    link = f"/opt-out/{runtime().vault.opt_out_token(post.address(person).id)}"

    page = client.get(link)

    assert page.status_code == 200
    assert "<form" in page.text
    assert client.head(link).status_code == 200
    assert post.address(person).state is AddressState.PROVED


def test_one_post_without_cookie_or_page_before_it_stops_everything_at_once(
    post: Post, client: FlaskClient, sandbox: Sandbox
) -> None:
    person = post.person(0, channel=Channel.EMAIL)
    post.queue(post.subject(), [person], channel=Channel.EMAIL)
    link = f"/opt-out/{runtime().vault.opt_out_token(post.address(person).id)}"

    answer = client.post(
        link, data={"List-Unsubscribe": "One-Click"}, headers={"Sec-Fetch-Site": "cross-site"}
    )

    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert post.address(person).state is AddressState.OPTED_OUT
    assert post.heard.stopped == [(person, Channel.EMAIL)]
    # The worker's claims refuse the address from this moment on, and its next turn clears what waits.
    post.worker.mails.drain()
    assert sandbox.mail_count() == 0
    webhooks.apply(post)
    assert post.delivery(person).state is D.SUPPRESSED


def test_a_second_click_changes_nothing(post: Post, client: FlaskClient) -> None:
    person = post.person(0, channel=Channel.EMAIL)
    link = f"/opt-out/{runtime().vault.opt_out_token(post.address(person).id)}"

    assert [client.post(link).status_code for _ in range(2)] == [200, 200]

    assert len(post.heard.stopped) == 1


def test_only_the_address_of_the_link_is_stopped(post: Post, client: FlaskClient) -> None:
    stopped, other = post.people(2, channel=Channel.EMAIL)

    client.post(f"/opt-out/{runtime().vault.opt_out_token(post.address(stopped).id)}")

    assert post.address(other).state is AddressState.PROVED


@pytest.mark.parametrize("token", ["x", "A" * 43, "é"])
def test_a_link_we_did_not_make_is_nothing_there(post: Post, client: FlaskClient, token: str) -> None:
    assert client.get(f"/opt-out/{token}").status_code == 404
    assert client.post(f"/opt-out/{token}").status_code == 404


def test_a_token_of_another_kind_does_not_open_it(post: Post, client: FlaskClient) -> None:
    person = post.person(0, channel=Channel.EMAIL)
    token = runtime().vault.delivery_token(post.address(person).id, 1)

    assert client.post(f"/opt-out/{token}").status_code == 404


def test_what_is_read_before_the_lock_does_not_write_over_a_stop(post: Post) -> None:
    """The link was clicked between a first look at the address and the lock on it."""
    person = post.person(0, channel=Channel.EMAIL)
    seen = addresses.of_owner(person, Channel.EMAIL)
    assert seen is not None and seen.state is AddressState.PROVED
    db.session.execute(
        sa.update(Address).values(state=AddressState.OPTED_OUT).execution_options(synchronize_session=False)
    )

    optouts.nothing_arrives(owner_id=person, channel=Channel.EMAIL)
    db.session.commit()

    assert post.address(person).state is AddressState.OPTED_OUT
