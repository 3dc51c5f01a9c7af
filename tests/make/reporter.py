"""What a reporter does in a browser without scripts, and how a test looks behind it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from alerts.publishing.models import ALERT_OUTPUT
from reporting.record import consents as consent_records, contents, outputs, queries
from reporting.record.consents import Consents
from reporting.record.contents import Contents
from reporting.record.models import REPORT_MOVES, Output, OutputKind, OutputState, Report, ReportState
from tests.make.pages import Drawn, hidden
from tests.make.wiring import rewire
from ugly_mugs.database.engine import db
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import Receipt

ACCOUNT = "He was polite at first, then he took the money back."
WARN = {"warn_others__warn_others": "yes", "warn_others__when": "asap"}
AFTER_SEEN = {"warn_others__warn_others": "yes", "warn_others__when": "after_seen"}
RECEIPT = re.compile(r'class="receipt"><p>([a-z ]+)</p>')
DIGITS = re.compile(r'class="digits">([0-9 ]+)</p>')


def token_in(page: str) -> str:
    return hidden(page, "token")


def csrf_in(page: str) -> str:
    return hidden(page, "csrf")


def receipt_in(page: str) -> str:
    found = RECEIPT.search(page)
    assert found, "the page shows no receipt"
    return found[1]


def shows_receipt(page: str) -> bool:
    return RECEIPT.search(page) is not None


def open_form(client: FlaskClient) -> str:
    """A fresh form's token."""
    return token_in(client.get("/report").text)


def send(client: FlaskClient, token: str, **answers: Any) -> TestResponse:
    """Post a report form; `happened__account` stands for the field `happened.account`."""
    return client.post("/report", data={"token": token, **typed(**answers)})


def typed(**answers: Any) -> dict[str, Any]:
    """Answers by the names they have on a page; a hyphen in a name is written `_of_`."""
    named = {name.replace("_of_", "-").replace("__", "."): value for name, value in answers.items()}
    return {"happened.account": ACCOUNT, **named}


EVERYTHING = typed(
    happened__account="Line one\r\nline two",
    happened__types=["robbery", "threats"],
    happened__still_going_on="no",
    offenders_of_0__names="Example\nOther Example",
    offenders_of_0__phones="07700 900123",
    offenders_of_0__hair="short, dark",
    place__place="Leeds",
    place__premises="hotel",
    when__day="2026-11-20",
    when__time_band="night",
    warn_others__warn_others="yes",
    warn_others__when="not_before",
    warn_others__not_before="2026-12-01",
    contact_me__contact_me="yes",
    contact_me__how="text",
    contact_me__where="07700 900777",
    contact_me__may_say_who="no",
    contact_me__otherwise_say="the dentist",
    about_you__working_names="Ruby",
    about_you__sector="online",
)
"""An answer of every kind of question."""


def file(client: FlaskClient, **answers: Any) -> str:
    """File a report; the seven words."""
    answer = send(client, open_form(client), **answers)
    assert answer.status_code == 200
    return receipt_in(answer.text)


def file_and_open(client: FlaskClient, **answers: Any) -> str:
    """File a report and come back with its receipt; the seven words."""
    words = file(client, **answers)
    come_back(client, words)
    return words


def come_back(client: FlaskClient, words: str, **brought: Any) -> TestResponse:
    """Type a receipt; the session's cookie stays with the client."""
    return client.post(
        "/receipt", data={"token": token_in(client.get("/receipt").text), "receipt": words, **brought}
    )


def post(client: FlaskClient, path: str, **answers: Any) -> TestResponse:
    """Send a form of the reporter's session."""
    page = client.get("/receipt/choices").text
    return client.post(path, data={"csrf": csrf_in(page), **answers})


def holds_everything(page: str, answers: Mapping[str, Any] | None = None) -> bool:
    """Whether every one of these answers, or of EVERYTHING, is drawn again, chosen or written."""
    drawn = Drawn(page)
    chosen = {(held["name"], held["value"]) for held in drawn.of("input") if "checked" in held}
    written = {(held["name"], held.get("value", "")) for held in drawn.of("input")}
    areas = {(name, text.replace("\r\n", "\n")) for name, text in drawn.texts.items()}
    selected = {held["value"] for held in drawn.of("option") if "selected" in held}
    for name, value in (answers or EVERYTHING).items():
        for text in value if isinstance(value, list) else [value]:
            pair = (name, text.replace("\r\n", "\n"))
            assert pair in chosen | written | areas or text in selected, f"{pair} is lost"
    return True


@dataclass
class StoredReport:
    """A report and its key, as its receipt opens it."""

    report: Report
    key: bytes

    @property
    def contents(self) -> Contents:
        return contents.open_with_key(self.report, self.key)

    @property
    def consents(self) -> Consents:
        return self.contents.consents


def stored(words: str) -> StoredReport:
    """Open the report a receipt belongs to, as it stands in the database now."""
    db.session.rollback()
    db.session.expire_all()
    found = queries.report_of_receipt(Receipt.parse(words), runtime().vault)
    assert found, "this receipt opens nothing"
    return StoredReport(*found)


def listen(app: Flask, *endings: str, listener: Callable[[Any], None]) -> None:
    """One more listener behind those that the application wired: to "report_endings", "output_endings"."""
    wiring = runtime(app).wiring
    rewire(app, **{name: (*getattr(wiring, name), listener) for name in endings})


def make_output(
    words: str,
    state: OutputState,
    subject_id: UUID,
    text: str = "A warning.",
    kind: OutputKind = ALERT_OUTPUT,
) -> Output:
    """An output of the report, by default an alert, brought to a state by the services that features call."""
    found = stored(words)
    report = queries.locked_report(found.report.id)
    assert report is not None
    output = outputs.propose(
        report=report,
        kind=kind,
        subject_id=subject_id,
        preview={"sms": text},
        content_key=found.key,
        consents=found.consents,
    )
    if state is not OutputState.PROPOSED:
        _bring(output, state)
    db.session.commit()
    return output


def _bring(output: Output, state: OutputState) -> None:
    if state is OutputState.ENDED:
        outputs.end(output)
        return
    outputs.approve(output, seen_version=output.consent_version)
    if state is OutputState.RELEASED:
        if output.held:
            outputs.lift_hold(output, seen_digest=outputs.preview_digest(output))
        outputs.release(output, approved_version=output.consent_version)


def consents_of(words: str) -> Consents:
    found = stored(words)
    assert found.report.consents is not None
    return consent_records.open_sealed(
        found.report.consents, report_id=found.report.id, content_key=found.key
    )


def open_report(client: FlaskClient) -> str:
    """The reporter's page of the report, for a client with a session."""
    answer = client.get("/receipt/report")
    assert answer.status_code == 200
    return answer.text


def move_report(words: str, *states: ReportState) -> None:
    """Move the report through these states, as the desk does."""
    report = queries.locked_report(stored(words).report.id)
    assert report is not None
    for state in states:
        REPORT_MOVES.move(report, state)
    db.session.commit()
