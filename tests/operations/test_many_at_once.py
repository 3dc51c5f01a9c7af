"""Many at the same moment, against the two processes of the web that an operator starts, at their real cost."""

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
from tests.conftest import MovableClock, settings_for
from tests.make.installation import Installation
from tests.make.reporter import at_once, behind, count, receipt_in, shows_receipt, token_in, typed
from tests.make.stack import Stack, installed
from tests.make.staff import Colleague, Team
from ugly_mugs.accounts import passphrases
from ugly_mugs.accounts.models import Role
from ugly_mugs.app import create_app
from ugly_mugs.database.engine import db
from ugly_mugs.vault.keys.passphrases import COST, Cost


@dataclass(frozen=True)
class Answer:
    status: int
    text: str


@dataclass
class House:
    """A web that runs, and an application of the test's own that looks behind it."""

    stack: Stack
    team: Team

    def ask(self, path: str, typed: dict[str, str] | None = None) -> Answer:
        """A request on a connection of its own; with anything typed it is a form."""
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
        """Somebody whose key is sealed at the cost it has in life; the rest of hiring costs no time."""
        person = self.team.hire(login, Role.AUDITOR, signed_in=False)
        quick, real = (COST.memory_mib, COST.iterations), Cost()
        COST.memory_mib, COST.iterations = real.memory_mib, real.iterations
        sealed = passphrases.seal_again(
            vault=self.stack.vault, person_id=person.id, key=person.key, passphrase=person.passphrase
        )
        COST.memory_mib, COST.iterations = quick
        self.team.person(person).private_key = sealed
        db.session.commit()
        return person


@pytest.fixture(scope="module")
def house(
    database_kind: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[House]:
    server = request.getfixturevalue("postgresql_server") if database_kind == "postgresql" else ""
    folder = tmp_path_factory.mktemp("many") / database_kind
    with installed(database_kind, folder, postgresql_server=server) as stack:
        stack.start_web()
        clock = MovableClock(datetime.now(UTC))
        app = create_app(settings_for(stack.databases.owner, stack.keys), clock=clock)
        stack.wait_for_web()
        with app.app_context():
            yield House(stack, Team(app, clock, Installation(stack.recovery_words)))
            db.session.remove()
            db.engine.dispose()


def test_64_reports_are_all_filed_none_refused_lost_or_doubled(house: House) -> None:
    tokens = [house.token("/report") for _ in range(64)]
    # Every second visitor presses the button twice.
    sent = [*range(64), *range(0, 64, 2)]

    answers = at_once([partial(house.file, tokens[number], f"Report {number}.") for number in sent])

    assert Counter(answer.status for answer in answers) == {HTTPStatus.OK: 96}
    receipts: dict[int, set[str]] = {number: set() for number in sent}
    for number, answer in zip(sent, answers, strict=True):
        receipts[number].add(receipt_in(answer.text))
    assert {len(words) for words in receipts.values()} == {1}
    assert len(set.union(*receipts.values())) == 64
    assert (count(Report), count(ReportPart)) == (64, 64)
    for number, (words,) in receipts.items():
        assert behind(words).contents.account == f"Report {number}."


def test_16_sign_ins_end_signed_in_or_told_to_try_again_while_reports_are_filed(house: House) -> None:
    people = [house.hire(f"person-{number}") for number in range(16)]
    tokens = [house.token("/desk/sign-in") for _ in people]
    house.team.clock.moment = datetime.now(UTC)
    already = count(Report)
    # On SQLite this look would keep everybody else from writing.
    db.session.rollback()
    pages: list[Answer] = []
    filed: list[Answer] = []

    with ThreadPoolExecutor(len(people)) as threads:
        signing_in = [threads.submit(house.sign_in, *each) for each in zip(people, tokens, strict=True)]
        while not all(each.done() for each in signing_in):
            pages.append(house.ask("/report"))
            filed.append(house.file(token_in(pages[-1].text), "While others signed in."))
    answers = [each.result() for each in signing_in]

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
    assert count(Report) == already + len(filed)
    db.session.rollback()
    for person in refused[:1]:
        assert house.sign_in(person, house.token("/desk/sign-in")).status == HTTPStatus.SEE_OTHER
