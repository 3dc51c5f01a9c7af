"""Outputs on the reporter's page: shown once approved, held, and released only with the texts seen."""

import uuid

from flask import Flask
from flask.testing import FlaskClient

from reporting.record.models import OutputState
from tests.make.pages import box_of, plain_words
from tests.make.reporter import (
    AFTER_SEEN,
    WARN,
    come_back,
    file,
    file_and_open,
    make_output,
    open_report,
    post,
)
from ugly_mugs.database.engine import db


def form_of_output(page: str) -> dict[str, str]:
    """The hidden answers of the form with which a warning is let go or held."""
    return {"output": box_of(page, "output"), "seen": box_of(page, "seen")}


def test_an_approved_output_is_shown_and_held_when_the_reporter_asked_to_see_it(client: FlaskClient) -> None:
    words = file(client, **AFTER_SEEN)
    make_output(words, OutputState.APPROVED, uuid.uuid4(), text="Reported: a man in a grey car.")
    come_back(client, words)

    text = plain_words(open_report(client))

    assert "It waits for you" in text
    assert "Reported: a man in a grey car." in text
    assert "Let it go" in text


def test_a_proposed_output_shows_no_text(client: FlaskClient) -> None:
    words = file(client, **AFTER_SEEN)
    make_output(words, OutputState.PROPOSED, uuid.uuid4(), text="A draft.")
    come_back(client, words)

    page = open_report(client)

    assert "A draft." not in page
    assert "Let it go" not in plain_words(page)


def test_letting_go_lifts_the_hold(client: FlaskClient) -> None:
    words = file(client, **AFTER_SEEN)
    output = make_output(words, OutputState.APPROVED, uuid.uuid4())
    come_back(client, words)
    assert output.held

    answer = post(client, "/receipt/output", **form_of_output(open_report(client)), do="let_go")

    db.session.refresh(output)
    assert answer.status_code == 303
    assert not output.held
    assert output.state is OutputState.APPROVED


def test_a_hold_of_the_reporter_can_be_lifted_again(client: FlaskClient) -> None:
    words = file(client, **WARN)
    output = make_output(words, OutputState.APPROVED, uuid.uuid4())
    come_back(client, words)

    post(client, "/receipt/output", **form_of_output(open_report(client)), do="hold")
    db.session.refresh(output)
    assert output.held

    post(client, "/receipt/output", **form_of_output(open_report(client)), do="let_go")
    db.session.refresh(output)
    assert not output.held


def test_letting_go_is_refused_when_the_text_changed_since_it_was_seen(client: FlaskClient) -> None:
    words = file(client, **AFTER_SEEN)
    subject = uuid.uuid4()
    output = make_output(words, OutputState.APPROVED, subject, text="First words.")
    come_back(client, words)
    seen = form_of_output(open_report(client))
    make_output(words, OutputState.APPROVED, subject, text="Other words.")

    answer = post(client, "/receipt/output", **seen, do="let_go")

    db.session.refresh(output)
    assert answer.status_code == 409
    assert output.held


def test_an_output_of_another_report_is_not_found(app: Flask) -> None:
    alice, bob = app.test_client(), app.test_client()
    hers, his = file(alice, **WARN), file(bob, **WARN)
    output = make_output(hers, OutputState.APPROVED, uuid.uuid4())
    come_back(bob, his)

    answer = post(bob, "/receipt/output", output=str(output.id), do="hold")

    db.session.refresh(output)
    assert answer.status_code == 404
    assert not output.held


def test_an_unknown_output_is_not_found(client: FlaskClient) -> None:
    file_and_open(client)

    for typed in ("", "x", "0" * 32):
        assert post(client, "/receipt/output", output=typed, do="hold").status_code == 404
