"""The desk's door: filed once, with who wrote it down, an audit entry, and a receipt to read out."""

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from reporting.record.models import Report, Source
from tests.make.audit import entries
from tests.make.cast import Colleague
from tests.make.databases import count
from tests.make.pages import hidden
from tests.make.reporter import receipt_in, stored
from tests.make.threads import at_once, failing_commits
from ugly_mugs.audit.models import AuditKind

NEW = "/desk/reports/new"
TYPED = {
    "happened.account": "The caller says he would not leave.",
    "offenders-0.phones": "07700 900456",
    "warn_others.warn_others": "yes",
}


@pytest.fixture
def typed(alice: Colleague) -> dict[str, object]:
    return {**TYPED, "token": hidden(alice.browser.get(NEW), "token")}


def test_the_receipt_on_the_page_opens_what_was_filed(alice: Colleague, typed: dict[str, object]) -> None:
    answer = alice.post(NEW, typed)

    found = stored(receipt_in(answer.text))
    report, opened = found.report, found.contents
    assert (report.source, report.filed_by) == (Source.DESK, alice.id)
    assert opened.account == TYPED["happened.account"]
    assert opened.consents.warn_others is True
    (entry,) = entries(AuditKind.REPORT_FILED_FOR_CALLER)
    assert (entry.actor_id, entry.subject_id) == (alice.id, report.id)
    assert "alice wrote it down for a caller." in alice.browser.get(f"/desk/reports/{report.id}").text


def test_the_same_page_sent_twice_files_once_with_one_receipt(
    alice: Colleague, typed: dict[str, object]
) -> None:
    first, second = alice.post(NEW, typed).text, alice.post(NEW, typed).text

    assert receipt_in(first) == receipt_in(second)
    assert len(entries(AuditKind.REPORT_FILED_FOR_CALLER)) == 1
    assert "has filed already" not in second


def test_what_was_changed_after_filing_is_said_not_to_be_in_it(
    alice: Colleague, typed: dict[str, object]
) -> None:
    alice.post(NEW, typed)

    answer = alice.post(NEW, {**typed, "happened.account": "Other words."})

    assert "This page had filed already" in answer.text


def test_when_the_commit_fails_neither_the_report_nor_its_audit_entry_is_stored(
    alice: Colleague, typed: dict[str, object]
) -> None:
    with failing_commits():
        answer = alice.post(NEW, typed)

    assert answer.status_code == 503
    assert (count(Report), entries(AuditKind.REPORT_FILED_FOR_CALLER)) == (0, [])
    alice.post(NEW, typed)
    assert (count(Report), len(entries(AuditKind.REPORT_FILED_FOR_CALLER))) == (1, 1)


def test_the_same_page_sent_at_once_is_filed_and_audited_once(
    app: Flask, alice: Colleague, typed: dict[str, object]
) -> None:
    cookie, csrf = alice.browser.get_cookie("staff"), alice.csrf()
    assert cookie is not None

    def post() -> TestResponse:
        browser = app.test_client()
        browser.set_cookie("staff", cookie.value)
        return browser.post(NEW, data={"csrf": csrf, **typed})

    answers = at_once([post] * 5)

    assert len({receipt_in(answer.text) for answer in answers}) == 1
    assert (count(Report), len(entries(AuditKind.REPORT_FILED_FOR_CALLER))) == (1, 1)


def test_whoever_has_another_task_files_for_nobody(charlie: Colleague) -> None:
    assert charlie.browser.get(NEW).status_code == 403
