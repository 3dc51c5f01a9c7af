"""Many simultaneous requests against a running web with two processes, at the real cost of a sign-in."""

import html
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

import pytest

from reporting.record.models import Report, ReportPart
from tests.make.cast import Colleague, Team
from tests.make.clock import MovableClock
from tests.make.databases import count, settings_for
from tests.make.installation import Installation, application
from tests.make.processes.stack import Stack, installed
from tests.make.reporter import receipt_in, shows_receipt, stored, token_in, typed
from tests.make.threads import at_once
from ugly_mugs.accounts import passphrases
from ugly_mugs.accounts.models import Role
from ugly_mugs.database.engine import db
from ugly_mugs.vault.keys.passphrases import COST, Cost


@dataclass(frozen=True)
class Answer:
    status: int
    text: str


@dataclass
class RunningWeb:
    """A running web, and an application of the test on the same database."""

    stack: Stack
    team: Team

    def ask(self, path: str, typed: dict[str, str] | None = None) -> Answer:
        """Send a request on a new connection: a POST with `typed` as its form, else a GET."""
        connection = HTTPConnection(urlsplit(self.stack.web).netloc, timeout=60)
        body = None if typed is None else urlencode(typed)
        headers = {} if typed is None else {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("GET" if typed is None else "POST", path, body, headers)
        response = connection.getresponse()
        answer = Answer(response.status, html.unescape(response.read().decode()))
        connection.close()
        return answer

    def file(self, token: str, account: str) -> Answer:
        return self.ask("/report", {"token": token, **typed(happened__account=account)})

    def sign_in(self, person: Colleague, token: str) -> Answer:
        typed = {"login": person.login, "passphrase": person.passphrase, "code": person.code}
        return self.ask("/desk/sign-in", {"token": token, **typed})

    def token(self, path: str) -> str:
        return token_in(self.ask(path).text)

    def hire(self, login: str) -> Colleague:
        """A colleague whose key is sealed at the production cost; the rest of hiring uses the low cost of tests."""
        person = self.team.hire(login, Role.AUDITOR, signed_in=False)
        lowered, real = (COST.memory_mib, COST.iterations), Cost()
        COST.memory_mib, COST.iterations = real.memory_mib, real.iterations
        sealed = passphrases.reseal_key(
            vault=self.stack.vault, person_id=person.id, key=person.key, passphrase=person.passphrase
        )
        COST.memory_mib, COST.iterations = lowered
        self.team.person(person).private_key = sealed
        db.session.commit()
        return person


@pytest.fixture(scope="module")
def web(
    database_kind: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[RunningWeb]:
    server = request.getfixturevalue("postgresql_server") if database_kind == "postgresql" else ""
    folder = tmp_path_factory.mktemp("many") / database_kind
    with installed(database_kind, folder, postgresql_server=server) as stack:
        stack.start_web()
        clock = MovableClock(datetime.now(UTC))
        stack.wait_for_web()
        with application(settings_for(stack.databases.owner, stack.keys), clock) as app:
            yield RunningWeb(stack, Team(app, clock, Installation(stack.recovery_words)))


def test_64_simultaneous_reports_are_each_filed_exactly_once(web: RunningWeb) -> None:
    count_before = (count(Report), count(ReportPart))
    # On SQLite the open transaction of this count would block all writers.
    db.session.rollback()
    tokens = [web.token("/report") for _ in range(64)]
    # Every second report is sent twice.
    sent = [*range(64), *range(0, 64, 2)]

    answers = at_once([partial(web.file, tokens[number], f"Report {number}.") for number in sent])

    assert Counter(answer.status for answer in answers) == {HTTPStatus.OK: 96}
    receipts: dict[int, set[str]] = {number: set() for number in sent}
    for number, answer in zip(sent, answers, strict=True):
        receipts[number].add(receipt_in(answer.text))
    assert {len(words) for words in receipts.values()} == {1}
    assert len(set.union(*receipts.values())) == 64
    assert (count(Report), count(ReportPart)) == tuple(before + 64 for before in count_before)
    for number, (words,) in receipts.items():
        assert stored(words).contents.account == f"Report {number}."


def test_each_of_16_simultaneous_sign_ins_succeeds_or_is_asked_to_retry_while_reports_are_filed(
    web: RunningWeb,
) -> None:
    people = [web.hire(f"person-{number}") for number in range(16)]
    tokens = [web.token("/desk/sign-in") for _ in people]
    web.team.clock.moment = datetime.now(UTC)
    count_before = count(Report)
    # On SQLite the open transaction of this count would block all writers.
    db.session.rollback()
    pages: list[Answer] = []
    filed: list[Answer] = []

    with ThreadPoolExecutor(len(people)) as threads:
        sign_ins = [
            threads.submit(web.sign_in, person, token) for person, token in zip(people, tokens, strict=True)
        ]
        while not all(sign_in.done() for sign_in in sign_ins):
            pages.append(web.ask("/report"))
            filed.append(web.file(token_in(pages[-1].text), "While others signed in."))
    answers = [sign_in.result() for sign_in in sign_ins]

    refused = [
        person
        for person, answer in zip(people, answers, strict=True)
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS
        and "Please try again in a moment." in answer.text
        and f'value="{person.login}"' in answer.text
    ]
    signed_in = [answer for answer in answers if answer.status == HTTPStatus.SEE_OTHER]
    assert signed_in and len(signed_in) + len(refused) == len(people)
    assert len(pages) > 1
    assert {answer.status for answer in (*pages, *filed)} == {HTTPStatus.OK}
    assert all(shows_receipt(answer.text) for answer in filed)
    assert count(Report) == count_before + len(filed)
    db.session.rollback()
    for person in refused[:1]:
        assert web.sign_in(person, web.token("/desk/sign-in")).status == HTTPStatus.SEE_OTHER
