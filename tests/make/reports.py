"""Reports filed through the form's service, for tests that need no page."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from typing import Any

import pytest
from flask import Flask

from reporting.filing import batch_commit
from reporting.filing.submission import Submission, new_receipt
from reporting.receipt import adding, withdrawal
from reporting.record import contents, outputs, queries as record_queries
from reporting.record.consents import Consents
from reporting.record.models import Output, OutputKind, Report, Source
from tests.make.cast import Colleague
from tests.make.clock import MovableClock
from tests.make.installation import Installation
from ugly_mugs.database.engine import db
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import Receipt

ACCOUNT = (
    "He called himself Example and rang from 07700 900456.\n"
    "I am Marisol and I told him to go. My friend Anna saw it from Mill Lane.\n"
    "He came back at ten and shouted at me."
)


def make_submission(
    *, receipt: Receipt | None = None, consents: Consents | None = None, **sections: Any
) -> Submission:
    """From a reporter, at this moment, with a new receipt unless one is given; other keywords are sections."""
    now = runtime().clock.now()
    return Submission(
        receipt=receipt or new_receipt(runtime().vault, now),
        source=Source.REPORTER,
        sections=sections,
        consents=consents or Consents(warn_others=True),
        moment=now,
    )


def filed(*, consents: Consents | None = None, **sections: Any) -> tuple[uuid.UUID, Receipt]:
    """The id of a report that was just filed, and its receipt; keywords are its sections."""
    made = make_submission(consents=consents, **sections)
    return batch_commit.file(made, vault=runtime().vault).report_id, made.receipt


@dataclass
class FiledReport:
    """A report as its reporter left it, with the receipt only they have."""

    id: uuid.UUID
    receipt: Receipt
    clock: MovableClock

    @property
    def path(self) -> str:
        return f"/desk/reports/{self.id}"

    @property
    def row(self) -> Report:
        """The report as it stands now."""
        db.session.rollback()
        return db.session.get_one(Report, self.id, populate_existing=True)

    @property
    def content_key(self) -> bytes:
        found = record_queries.report_of_receipt(self.receipt, runtime().vault)
        assert found is not None
        return found[1]

    def add(self, account: str = "", **sections: Any) -> None:
        """The reporter comes back and writes more."""
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

    def propose(self, kind: OutputKind, consents: Consents) -> Output:
        """An output of this kind, not approved by anybody."""
        output = outputs.propose(
            report=self.row,
            kind=kind,
            subject_id=uuid.uuid4(),
            preview={"sms": "Example"},
            content_key=self.content_key,
            consents=consents,
        )
        db.session.commit()
        return output

    def withdraw(self) -> None:
        report = record_queries.locked_report(self.id)
        assert report is not None
        withdrawal.withdraw(report=report, day=self.clock.now().date())
        db.session.commit()


def page_of(who: Colleague, report: FiledReport) -> str:
    """The report's page at the desk."""
    answer = who.browser.get(report.path)
    assert answer.status_code == 200
    return unescape(answer.text)


File = Callable[..., FiledReport]


@pytest.fixture
def file(app: Flask, clock: MovableClock, installation: Installation) -> File:
    """Files a report as the public form does; keywords are its sections."""

    def file_one(account: str = ACCOUNT, *, consents: Consents | None = None, **sections: Any) -> FiledReport:
        answers = {**sections, "happened": {"account": account, **sections.get("happened", {})}}
        return FiledReport(*filed(consents=consents, **answers), clock)

    return file_one
