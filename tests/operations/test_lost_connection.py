"""The database connection breaks during a request: the page says so and repeats the form, and nothing is half done."""

from enum import StrEnum
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from alerts.membership.models import Member, MemberRegion, SignInCode
from alerts.publishing.models import AlertState
from reporting.record.models import IdentifierTag, Report, ReportPart
from tests.make.alerts import Newsroom, member
from tests.make.clock import MovableClock
from tests.make.databases import count
from tests.make.members import members_of
from tests.make.pages import Drawn, area_of, box_of, hidden, plain_words
from tests.make.reporter import open_form, receipt_in, send, token_in
from ugly_mugs.accounts.models import Session
from ugly_mugs.audit.models import AuditEntry, AuditKind
from ugly_mugs.database.engine import db, is_sqlite
from ugly_mugs.outbox.models import Address, Delivery, Handover

LONG = "He was polite at first, then he took the money back. " * 3 + "He would not leave."
WRITES = ("INSERT", "UPDATE", "DELETE")


class Moment(StrEnum):
    IDLE = "between two requests"
    SESSION = "while the session is looked up"
    MIDDLE = "after the first row was written"
    COMMIT = "before the commit arrives"
    ANSWER = "after the commit, before its answer arrives"


class Wire:
    """Breaks the database connection once, at the moment that was set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._breaks_at: Moment | None = None
        self._passing = 0
        self._commit = db.engine.dialect.do_commit
        sa.event.listen(db.engine, "after_cursor_execute", self._executed)
        monkeypatch.setattr(db.engine.dialect, "do_commit", self._committing)

    def break_at(self, moment: Moment, *, passing: int = 0) -> None:
        """Break at this moment, but only after `passing` transactions have been committed."""
        db.session.remove()
        self._breaks_at, self._passing = moment, passing
        if moment is Moment.IDLE:
            with db.engine.connect() as connection:
                idle: Any = connection.connection.dbapi_connection
            self._break(idle)

    def _executed(self, connection: sa.Connection, cursor: Any, statement: str, *_more: Any) -> None:
        written = not self._passing and statement.startswith(WRITES)
        if self._breaks_at is Moment.SESSION or (self._breaks_at is Moment.MIDDLE and written):
            self._break(connection.connection.dbapi_connection)

    def _committing(self, connection: Any) -> None:
        if self._passing or self._breaks_at not in (Moment.COMMIT, Moment.ANSWER):
            self._passing = max(self._passing - 1, 0)
            self._commit(connection)
            return
        if self._breaks_at is Moment.ANSWER:
            self._commit(connection)
        self._break(connection.dbapi_connection)
        connection.cursor().execute("COMMIT")

    def _break(self, connection: Any) -> None:
        """PostgreSQL terminates the connection; on SQLite it is closed, as if the file were no longer reachable."""
        self._breaks_at = None
        if is_sqlite():
            connection.rollback()
            connection.close()
            return
        address = db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(address, autocommit=True) as other:
            ended = other.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.info.backend_pid])
            assert ended.fetchone() == (True,)


@pytest.fixture
def wire(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Wire:
    return Wire(monkeypatch)


def moments() -> list[Moment]:
    """All moments; without IDLE on SQLite, where no server can close an idle connection."""
    return [moment for moment in Moment if moment is not Moment.IDLE or not is_sqlite()]


def rows(*tables: type[Any]) -> list[int]:
    return [count(table) for table in tables]


def the_form_of(page: TestResponse) -> MultiDict[str, str]:
    """Everything a browser would send from an error page."""
    drawn = Drawn(page.text)
    fields = [(tag["name"], tag["value"]) for tag in drawn.of("input")]
    return MultiDict([*fields, *drawn.texts.items()])


def says_so(answer: TestResponse) -> bool:
    return answer.status_code == 503 and "could not save this just now" in plain_words(answer.text)


def test_a_report_is_filed_exactly_once(client: FlaskClient, wire: Wire) -> None:
    tables = (Report, ReportPart, IdentifierTag)
    typed = {"happened__account": LONG, "offenders_of_0__phones": "07700 900123", "place__place": "Leeds"}
    for number, moment in enumerate(moments()):
        token = open_form(client)
        wire.break_at(moment)

        answer = send(client, token, **typed)

        if moment is Moment.IDLE:
            assert answer.status_code == 200
        else:
            assert says_so(answer)
            assert area_of(answer.text, "happened.account") == LONG
            assert box_of(answer.text, "place.place") == "Leeds"
            assert token_in(answer.text) == token
            assert rows(*tables) == [number + (moment is Moment.ANSWER)] * 3
        first, second = (receipt_in(send(client, token, **typed).text) for _again in range(2))
        assert first == second
        assert rows(*tables) == [number + 1] * 3


def test_an_application_arrives_exactly_once(app: Flask, clock: MovableClock, wire: Wire) -> None:
    tables = (Member, MemberRegion, Address, Handover)
    with members_of(app, clock) as members:
        for number, moment in enumerate(moments()):
            sam = members.person("Sam " + "of the moor " * 4)
            typed = members.form(sam)
            wire.break_at(moment)

            answer = sam.browser.post("/join", data=typed)

            again = MultiDict(typed)
            if moment is Moment.IDLE:
                assert answer.status_code == 303
            else:
                assert says_so(answer)
                assert rows(*tables) == [number + (moment is Moment.ANSWER)] * 4
                again = the_form_of(answer)
                assert set(MultiDict(typed).items(multi=True)) == set(again.items(multi=True))
            assert sam.browser.post("/join", data=again).status_code == 303
            assert rows(*tables) == [number + 1] * 4


def test_a_code_can_be_requested_again_and_is_valid_with_the_cookie_of_that_page(
    app: Flask, clock: MovableClock, wire: Wire
) -> None:
    tables = (SignInCode, Handover, Session)
    with members_of(app, clock) as members:
        for number, moment in enumerate(moments()):
            sam = members.person(phone=f"07700 90012{number}")
            before = rows(*tables)
            token = token_in(sam.browser.get("/sign-in").text)
            wire.break_at(moment)

            answer = sam.browser.post("/sign-in", data={"token": token, "address": sam.phone})

            lost = moment is Moment.ANSWER
            if moment is not Moment.IDLE:
                assert says_so(answer) and "Set-Cookie" not in answer.headers
                assert box_of(answer.text, "address") == sam.phone
                assert rows(*tables) == [total + lost for total in before]
                answer = sam.browser.post(
                    "/sign-in", data={"token": token_in(answer.text), "address": sam.phone}
                )
            assert answer.status_code == 303
            assert rows(*tables) == [total + lost + 1 for total in before]
            assert "••• " + f"90012{number}"[-3:] in sam.browser.get("/sign-in/code").text


class TestAtTheDesk:
    def edits(self) -> int:
        return count(AuditEntry, AuditEntry.kind == AuditKind.ALERT_EDITED)

    def test_a_draft_is_saved_exactly_once(self, newsroom: Newsroom, wire: Wire) -> None:
        alice, alert_id = newsroom.author, newsroom.draft()
        for number, moment in enumerate(moments()):
            typed = {**newsroom.answers(alert_id), "action": "save", "page": f"{number}: {LONG}"}
            before = self.edits()
            # The first commit, the audit entry for opening the report, succeeds.
            wire.break_at(moment, passing=1)

            answer = alice.browser.post(f"/desk/alerts/{alert_id}", data=typed)

            again = MultiDict(typed)
            if moment is Moment.IDLE:
                assert answer.status_code == 303
            else:
                assert says_so(answer)
                assert self.edits() == before + (moment is Moment.ANSWER)
                again = the_form_of(answer)
                assert set(MultiDict(typed).items(multi=True)) == set(again.items(multi=True))
            assert alice.browser.post(f"/desk/alerts/{alert_id}", data=again).status_code == 303
            assert self.edits() == before + 1
            assert newsroom.answers(alert_id)["page"] == typed["page"]

    def test_an_approval_counts_exactly_once(self, newsroom: Newsroom, wire: Wire) -> None:
        bob = newsroom.approver
        member()
        for number, moment in enumerate(moments()):
            alert_id = newsroom.submitted()
            page = newsroom.approval_page(alert_id)
            typed = {name: hidden(page, name) for name in ("csrf", "seen", "consent")}
            wire.break_at(moment)

            answer = bob.browser.post(f"/desk/alerts/{alert_id}/approve", data=typed)

            if moment is not Moment.IDLE:
                assert says_so(answer)
                assert the_form_of(answer).to_dict() == typed
                done = moment is Moment.ANSWER
                assert newsroom.state(alert_id) is (AlertState.PUBLISHING if done else AlertState.SUBMITTED)
                assert rows(Delivery) == [number + done]
                answer = bob.browser.post(f"/desk/alerts/{alert_id}/approve", data=the_form_of(answer))
            assert answer.status_code == (409 if moment is Moment.ANSWER else 303)
            assert newsroom.state(alert_id) is AlertState.PUBLISHING
            assert rows(Delivery) == [number + 1]
