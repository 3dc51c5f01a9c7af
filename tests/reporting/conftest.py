"""The desk's staff (Alice and Bob are moderators, Charlie administers members without the desk's key) and reports."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask

from reporting.filing import batch_commit
from reporting.receipt import adding, withdrawal
from reporting.record import contents, queries as record_queries
from reporting.record.consents import Consents
from reporting.record.models import Report
from tests.make.clock import MovableClock
from tests.make.installation import Installation
from tests.make.staff import Colleague, Team
from tests.make.submissions import make_submission
from ugly_mugs.accounts.models import Role
from ugly_mugs.database.engine import db
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import Receipt

ACCOUNT = (
    "He called himself Example and rang from 07700 900456.\n"
    "I am Marisol and I told him to go. My friend Anna saw it from Mill Lane.\n"
    "He came back at ten and shouted at me."
)


@pytest.fixture
def alice(team: Team) -> Colleague:
    return team.hire("alice", Role.MODERATOR)


@pytest.fixture
def bob(team: Team, alice: Colleague) -> Colleague:
    return team.hire("bob", Role.MODERATOR)


@pytest.fixture
def charlie(team: Team, alice: Colleague) -> Colleague:
    return team.hire("charlie", Role.MEMBER_ADMIN)


@dataclass
class FiledReport:
    """A filed report, with the receipt of its reporter."""

    id: uuid.UUID
    receipt: Receipt
    clock: MovableClock

    @property
    def path(self) -> str:
        return f"/desk/reports/{self.id}"

    @property
    def row(self) -> Report:
        """The report's current row."""
        db.session.rollback()
        report = db.session.get(Report, self.id, populate_existing=True)
        assert report is not None
        return report

    @property
    def content_key(self) -> bytes:
        opened = record_queries.report_of_receipt(self.receipt, runtime().vault)
        assert opened is not None
        return opened[1]

    def add(self, account: str = "", **sections: Any) -> None:
        """Add a part as the reporter does."""
        key, report = self.content_key, self.row
        adding.add_part(
            report=report,
            contents_now=contents.open_with_key(report, key),
            sections={**sections, **({"happened": {"account": account}} if account else {})},
            content_key=key,
            vault=runtime().vault,
            now=self.clock.now(),
        )
        db.session.commit()

    def withdraw(self) -> None:
        withdrawal.withdraw(report=self.row, day=self.clock.now().date())
        db.session.commit()


File = Callable[..., FiledReport]


@pytest.fixture
def file(app: Flask, clock: MovableClock, installation: Installation) -> File:
    """Files a report as the public form does; keywords are its sections."""

    def file_one(account: str = ACCOUNT, *, consents: Consents | None = None, **sections: Any) -> FiledReport:
        answers = {**sections, "happened": {"account": account, **sections.get("happened", {})}}
        submission = make_submission(consents=consents, **answers)
        filed = batch_commit.file(submission, vault=runtime().vault)
        return FiledReport(filed.report_id, submission.receipt, clock)

    return file_one
