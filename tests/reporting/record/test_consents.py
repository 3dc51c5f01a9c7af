"""Consents: off by default, each change recorded, and applied to exactly the outputs that depend on it."""

import uuid
from collections.abc import Callable
from datetime import date
from itertools import product

import pytest
from flask import Flask
from flask.testing import FlaskClient

from alerts.publishing.models import ALERT_OUTPUT
from reporting.record import outputs
from reporting.record.consents import (
    MOST_RECORDS,
    WORDINGS,
    Consent,
    Consents,
    When,
    from_answers,
    open_sealed,
    seal,
)
from reporting.record.models import LIVE_OUTPUTS, Output, OutputState
from reporting.record.queries import locked_report
from tests.make.reporter import come_back, consents_of, file, listen, make_output, post, stored
from ugly_mugs.database.engine import db
from ugly_mugs.errors import Conflict
from ugly_mugs.vault import symmetric

DAY = date(2026, 11, 21)
LATER = date(2026, 12, 24)

CHOICES = {
    "no": {"warn_others.warn_others": "no"},
    "asap": {"warn_others.warn_others": "yes", "warn_others.when": "asap"},
    "not_before": {
        "warn_others.warn_others": "yes",
        "warn_others.when": "not_before",
        "warn_others.not_before": LATER.isoformat(),
    },
    "after_seen": {"warn_others.warn_others": "yes", "warn_others.when": "after_seen"},
}
AGREED = [choice for choice in CHOICES if choice != "no"]


@pytest.fixture
def ended(app: Flask) -> list[Output]:
    outputs_ended: list[Output] = []
    listen(app, "output_endings", listener=outputs_ended.append)
    return outputs_ended


@pytest.mark.parametrize("former", AGREED)
def test_every_change_is_applied_to_an_output_in_every_state(
    client: FlaskClient, ended: list[Output], former: str
) -> None:
    for new, state in product(CHOICES, OutputState):
        ended.clear()
        output, version = output_in(client, former, state, ended)

        post(client, "/receipt/choices", **CHOICES[new])

        db.session.refresh(output)
        actual = (output.state, output.consent_version - version, output.held, output.not_before)
        assert actual == expected(former, new, state), f"{former} → {new}, {state}"
        gone = new == "no" and state in LIVE_OUTPUTS
        assert ended == ([output] if gone else [])
        assert (output.preview is None) == (gone or state is OutputState.WITHDRAWN)


def output_in(
    client: FlaskClient, choice: str, state: OutputState, ended: list[Output]
) -> tuple[Output, int]:
    """An output of a new report, brought to this state, with its consent version."""
    words = file(client, **{name.replace(".", "__"): value for name, value in CHOICES[choice].items()})
    begun = OutputState.PROPOSED if state is OutputState.WITHDRAWN else state
    output = make_output(words, begun, uuid.uuid4())
    come_back(client, words)
    if state is OutputState.WITHDRAWN:
        post(client, "/receipt/choices", **CHOICES["no"])
        post(client, "/receipt/choices", **CHOICES[choice])
        ended.clear()
    db.session.refresh(output)
    return output, output.consent_version


def expected(former: str, new: str, state: OutputState) -> tuple[OutputState, int, bool, date | None]:
    """State, rise of the consent version, hold and first day that the rules demand after a change."""
    waits = former == "after_seen" and state is not OutputState.RELEASED
    gone = state is OutputState.WITHDRAWN
    unchanged = (state, 0, waits, LATER if former == "not_before" and not gone else None)
    if state is OutputState.ENDED and new not in (former, "no"):
        # Only the hold changes; the successor inherits it.
        return *unchanged[:2], new == "after_seen", unchanged[3]
    if state not in LIVE_OUTPUTS or former == new:
        return unchanged
    if new == "no":
        return OutputState.WITHDRAWN, 1, waits, None
    void = state is OutputState.APPROVED
    return (
        OutputState.PROPOSED if void else state,
        1,
        new == "after_seen",
        LATER if new == "not_before" else None,
    )


@pytest.mark.parametrize("state", [OutputState.PROPOSED, OutputState.APPROVED, OutputState.RELEASED])
def test_a_change_of_another_consent_leaves_an_output_unchanged(
    client: FlaskClient, state: OutputState
) -> None:
    words = file(client, warn_others__warn_others="yes", warn_others__when="asap")
    output = make_output(words, state, uuid.uuid4())
    come_back(client, words)

    post(client, "/receipt/choices", **CHOICES["asap"], **{"contact_me.contact_me": "yes"})

    db.session.refresh(output)
    assert consents_of(words).contact_me
    assert (output.state, output.consent_version) == (state, 1)


def test_an_approval_seen_before_the_change_is_refused(client: FlaskClient) -> None:
    words = file(client, warn_others__warn_others="yes", warn_others__when="asap")
    output = make_output(words, OutputState.PROPOSED, uuid.uuid4())
    seen = output.consent_version
    come_back(client, words)
    post(client, "/receipt/choices", **CHOICES["not_before"])

    with pytest.raises(Conflict):
        outputs.approve(output, seen_version=seen)
    with pytest.raises(Conflict):
        outputs.release(output, approved_version=seen)


def test_without_consent_nothing_is_proposed(client: FlaskClient) -> None:
    filed = stored(file(client))
    report = locked_report(filed.report.id)
    assert report is not None

    with pytest.raises(Conflict):
        outputs.propose(
            report=report,
            kind=ALERT_OUTPUT,
            subject_id=uuid.uuid4(),
            preview={},
            content_key=filed.key,
            consents=filed.consents,
        )


def test_a_withdrawn_output_cannot_be_approved_released_or_held(client: FlaskClient) -> None:
    words = file(client, warn_others__warn_others="yes")
    output = make_output(words, OutputState.PROPOSED, uuid.uuid4())
    come_back(client, words)
    post(client, "/receipt/choices", **CHOICES["no"])
    db.session.refresh(output)

    actions: list[Callable[[], None]] = [
        lambda: outputs.approve(output, seen_version=output.consent_version),
        lambda: outputs.release(output, approved_version=output.consent_version),
        lambda: outputs.hold(output),
        lambda: outputs.lift_hold(output, seen_digest=outputs.preview_digest(output)),
    ]
    for action in actions:
        with pytest.raises(Conflict):
            action()


def test_a_held_output_is_not_released(client: FlaskClient) -> None:
    words = file(client, warn_others__warn_others="yes", warn_others__when="after_seen")
    output = make_output(words, OutputState.APPROVED, uuid.uuid4())

    with pytest.raises(Conflict):
        outputs.release(output, approved_version=output.consent_version)

    outputs.lift_hold(output, seen_digest=outputs.preview_digest(output))
    outputs.release(output, approved_version=output.consent_version)
    assert output.state is OutputState.RELEASED


def test_a_text_edited_after_its_hold_was_lifted_is_held_again(client: FlaskClient) -> None:
    words, subject = (
        file(client, warn_others__warn_others="yes", warn_others__when="after_seen"),
        uuid.uuid4(),
    )
    output = make_output(words, OutputState.APPROVED, subject)
    outputs.lift_hold(output, seen_digest=outputs.preview_digest(output))
    db.session.commit()

    make_output(words, OutputState.PROPOSED, subject, text="Other words.")

    db.session.refresh(output)
    assert output.held


def test_a_hold_set_by_the_reporter_survives_a_change_of_consent(client: FlaskClient) -> None:
    words = file(client, warn_others__warn_others="yes", warn_others__when="asap")
    output = make_output(words, OutputState.APPROVED, uuid.uuid4())
    outputs.hold(output)
    db.session.commit()
    come_back(client, words)

    post(client, "/receipt/choices", **CHOICES["not_before"])

    db.session.refresh(output)
    assert output.held


def test_missing_answers_give_no_consent() -> None:
    silent = from_answers({}, {}, language="en", day=DAY)

    assert not any(silent.given(consent) for consent in Consent)
    assert not silent.wants_to_see_first
    assert silent.earliest is None


def test_each_answer_is_recorded_with_its_wording_language_and_day() -> None:
    given = from_answers({"warn_others": True}, {}, language="en", day=DAY)

    assert [
        (record.consent, record.given, record.wording, record.language, record.day)
        for record in given.records
    ] == [
        (Consent.WARN_OTHERS, True, WORDINGS[Consent.WARN_OTHERS].version, "en", DAY),
        (Consent.CONTACT_ME, False, WORDINGS[Consent.CONTACT_ME].version, "en", DAY),
    ]


def test_sealed_consents_have_one_size_whatever_they_hold() -> None:
    report_id, key = uuid.uuid4(), symmetric.new_key()
    longest = {"where": '"' * 150, "hours": "ä" * 150, "name_to_use": "\\" * 100, "otherwise_say": "ß" * 150}
    now = Consents()
    sizes = {len(seal(now, report_id=report_id, content_key=key))}
    for number in range(2 * MOST_RECORDS):
        warn = {"warn_others": True, "when": When.NOT_BEFORE, "not_before": date(2026, 1, number % 28 + 1)}
        contact = {"contact_me": bool(number % 2), "how": "other", "may_say_who": False, **longest}
        now = from_answers(warn, contact, language="en", day=DAY, former=now)
        sealed = seal(now, report_id=report_id, content_key=key)
        sizes.add(len(sealed))

        assert open_sealed(sealed, report_id=report_id, content_key=key) == now

    assert len(sizes) == 1
