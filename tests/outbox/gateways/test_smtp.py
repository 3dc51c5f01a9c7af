"""E-mails: discreet, stoppable with one click, and handed over a connection that is kept."""

import email
import email.policy
import uuid

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.make.clock import MovableClock
from tests.make.databases import execute
from tests.make.sandbox import Sandbox
from tests.make.wiring import rewire
from tests.outbox.posting import Post
from ugly_mugs.outbox.gateways import smtp
from ugly_mugs.outbox.gateways.smtp import MailServer
from ugly_mugs.outbox.models import AddressState, Channel, Delivery, DeliveryState, MessageKind
from ugly_mugs.outbox.registry import MessageKindSpec, MessageText, Priority
from ugly_mugs.runtime import runtime

D = DeliveryState


def _send(post: Post, count: int = 1) -> list[uuid.UUID]:
    people = post.people(count, channel=Channel.EMAIL)
    post.queue(post.subject(), people, channel=Channel.EMAIL)
    post.worker.mails.drain()
    return people


def _arrived(sandbox: Sandbox, number: int = 0) -> tuple[dict[str, object], email.message.EmailMessage]:
    (kept,) = sandbox.mails_to(f"person{number}@example.org")
    letter = email.message_from_string(str(kept["raw"]), policy=email.policy.default)
    assert isinstance(letter, email.message.EmailMessage)
    return kept, letter


def test_everybody_gets_one_and_it_is_written_down_as_sent(post: Post, sandbox: Sandbox) -> None:
    _send(post, 25)

    assert post.states() == {D.SENT: 25}
    assert sandbox.mail_count() == 25


def test_an_email_is_discreet_and_can_be_stopped_with_one_click(post: Post, sandbox: Sandbox) -> None:
    (person,) = _send(post)

    _, letter = _arrived(sandbox)
    link = f"http://127.0.0.1:8000/opt-out/{runtime().vault.opt_out_token(post.address(person).id)}"
    assert letter["List-Unsubscribe"] == f"<{link}>"
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Subject"] == "A notice for you"
    assert letter["To"] == "person0@example.org"
    assert letter.get_content_type() == "text/plain"
    assert link in letter.get_content()


def test_the_return_path_names_the_delivery_and_nothing_else(post: Post, sandbox: Sandbox) -> None:
    (person,) = _send(post)

    kept, _ = _arrived(sandbox)
    token = runtime().worker_vault.verp_token(post.delivery(person).id)
    assert kept["envelope_from"] == f"notices+{token}@example.org"


@pytest.mark.parametrize(
    "text", ["Plain words.\n", "Añá – “care” 你好\n", "A long line " * 200, ".dots\n..\n", "a = b\n"]
)
def test_any_text_arrives_as_it_was(app: Flask, post: Post, sandbox: Sandbox, text: str) -> None:
    message = MessageText(text=text, subject="Ünï 你好")
    rewire(
        app,
        kinds=[
            MessageKindSpec(
                MessageKind.ALERT,
                sa.true,
                lambda claimed: dict.fromkeys((delivery.id for delivery in claimed), message),
            )
        ],
    )

    _send(post)

    _, letter = _arrived(sandbox)
    body, _, ending = letter.get_content().replace("\r\n", "\n").rpartition("-- \n")
    assert body.rstrip("\n") == text.rstrip("\n")
    assert "/opt-out/" in ending
    assert letter["Subject"] == "Ünï 你好"


def test_a_subject_cannot_add_header_fields() -> None:
    with pytest.raises(ValueError, match="linefeed"):
        smtp.render(
            MessageText(text="Hello", subject="One\r\nBcc: other@example.org"), sender="notices@example.org"
        )


def test_an_honest_second_attempt_has_the_same_message_id(post: Post, sandbox: Sandbox) -> None:
    _send(post)
    execute(sa.update(Delivery).values(state=D.QUEUED))

    post.worker.mails.drain()

    first, second = (
        email.message_from_string(str(kept["raw"]))["Message-ID"]
        for kept in sandbox.mails_to("person0@example.org")
    )
    assert first == second


def test_a_temporary_refusal_is_tried_later(post: Post, sandbox: Sandbox, clock: MovableClock) -> None:
    sandbox.behave(fail_mail=[{"code": 451, "times": 1}])
    (person,) = _send(post)
    assert post.delivery(person).state is D.QUEUED

    clock.forward(minutes=10)
    post.worker.mails.drain()

    assert post.delivery(person).state is D.SENT
    assert sandbox.mail_count() == 1


@pytest.mark.parametrize("at", ["rcpt", "data"])
def test_a_final_refusal_is_final(post: Post, sandbox: Sandbox, clock: MovableClock, at: str) -> None:
    sandbox.behave(fail_mail=[{"code": 554, "at": at, "times": 1}])
    (person,) = _send(post)

    clock.forward(hours=1)
    post.worker.mails.drain()

    assert post.delivery(person).state is D.FAILED
    assert post.address(person).state is AddressState.PROVED
    assert sandbox.mail_count() == 0


def test_a_mailbox_that_does_not_exist_becomes_invalid(post: Post, sandbox: Sandbox) -> None:
    sandbox.behave(fail_mail=[{"code": 550}])
    (person,) = _send(post)

    assert post.address(person).state is AddressState.INVALID


def test_one_refused_mail_stops_no_other(post: Post, sandbox: Sandbox) -> None:
    sandbox.behave(fail_mail=[{"code": 554, "to": "person3@example.org"}])

    _send(post, 10)

    assert post.states() == {D.SENT: 9, D.FAILED: 1}


def test_after_a_421_the_rest_goes_over_a_new_connection(
    post: Post, sandbox: Sandbox, clock: MovableClock
) -> None:
    sandbox.behave(fail_mail=[{"code": 421, "times": 3}])
    _send(post, 20)

    clock.forward(minutes=10)
    post.worker.mails.drain()

    assert post.states() == {D.SENT: 20}
    assert sandbox.mail_count() == 20


def test_a_mail_server_that_is_down_loses_nothing(post: Post) -> None:
    post.worker.mail_gateway._server = MailServer.from_url("smtp://127.0.0.1:9")

    _send(post, 5)

    assert post.states() == {D.QUEUED: 5}
    assert post.registry.circuits[Channel.EMAIL].is_open


def test_texts_and_mails_do_not_stop_each_other(post: Post, sandbox: Sandbox) -> None:
    post.registry.circuits[Channel.SMS].failed()

    _send(post)

    assert sandbox.mail_count() == 1


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example.org", ("smtp", "mail.example.org", 25, "", "")),
        ("smtps://a%40b:p%3Aw@mail.example.org", ("smtps", "mail.example.org", 465, "a@b", "p:w")),
        ("smtp+starttls://u:p@mail.example.org:2587", ("smtp+starttls", "mail.example.org", 2587, "u", "p")),
    ],
)
def test_the_address_of_the_mail_server_is_read(url: str, expected: tuple[object, ...]) -> None:
    server = MailServer.from_url(url)

    assert (server.scheme, server.host, server.port, server.user, server.password) == expected
    assert "p:w" not in repr(server)


def test_a_code_may_go_to_an_inbox_that_is_not_proved_yet(post: Post, sandbox: Sandbox) -> None:
    person = post.person(0, channel=Channel.EMAIL, state=AddressState.UNPROVED)
    post.queue(
        uuid.uuid4(),
        [person],
        channel=Channel.EMAIL,
        kind=MessageKind.CODE,
        priority=Priority.FIRST,
        body=b"123456",
    )

    post.worker.mails.drain()

    assert "123456" in _arrived(sandbox)[1].get_content()
