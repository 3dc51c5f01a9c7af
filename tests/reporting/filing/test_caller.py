"""A moderator files for a caller: the same sections, filed once, with a receipt to read out."""

from html import unescape

import pytest

from reporting.record import contents, queries as record_queries
from reporting.record.models import Source
from tests.conftest import MovableClock
from tests.make.staff import Colleague, hidden
from tests.reporting.record.test_opening import entries
from tests.web.drawing import Drawn
from ugly_mugs.audit.models import AuditKind
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import Receipt

NEW = "/desk/reports/new"
TYPED = {
    "happened.account": "The caller says he would not leave.",
    "offenders-0.phones": "07700 900456",
    "warn_others.warn_others": "yes",
}


@pytest.fixture
def typed(alice: Colleague) -> dict[str, object]:
    return {**TYPED, "token": hidden(alice.browser.get(NEW), "token")}


def receipt_on(page: str) -> Receipt:
    start = page.index('<div class="receipt"><p>') + len('<div class="receipt"><p>')
    return Receipt.parse(page[start : page.index("</p>", start)])


def test_the_receipt_on_the_page_opens_what_was_filed(alice: Colleague, typed: dict[str, object]) -> None:
    answer = alice.post(NEW, typed)

    found = record_queries.report_of_receipt(receipt_on(answer.text), runtime().vault)
    assert found is not None
    report, key = found
    opened = contents.open_with_key(report, key)
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

    assert receipt_on(first) == receipt_on(second)
    assert len(entries(AuditKind.REPORT_FILED_FOR_CALLER)) == 1
    assert "has filed already" not in second


def test_what_was_changed_after_filing_is_said_not_to_be_in_it(
    alice: Colleague, typed: dict[str, object]
) -> None:
    alice.post(NEW, typed)

    answer = alice.post(NEW, {**typed, "happened.account": "Other words."})

    assert "This page had filed already" in answer.text


def test_an_account_is_needed_and_nothing_is_lost(alice: Colleague, typed: dict[str, object]) -> None:
    answer = alice.post(NEW, {**typed, "happened.account": " "})

    assert answer.status_code == 400
    assert Drawn(answer.text).texts["offenders-0.phones"] == "07700 900456"


def test_a_page_open_since_yesterday_is_sent_once_more_with_everything_typed(
    alice: Colleague, typed: dict[str, object], clock: MovableClock
) -> None:
    clock.forward(hours=25)
    assert alice.sign_in().status_code == 303

    answer = alice.post(NEW, typed)

    assert answer.status_code == 400
    assert "had been open for a long time" in answer.text
    assert Drawn(answer.text).texts["happened.account"] == TYPED["happened.account"]
    assert hidden(answer, "token") != typed["token"]


def test_another_person_can_be_added_without_sending(alice: Colleague, typed: dict[str, object]) -> None:
    answer = alice.post(NEW, {**typed, "offenders.add": "1"})

    assert "offenders-1.phones" in answer.text
    assert hidden(answer, "token") == typed["token"]
    assert unescape(answer.text).count("07700 900456") == 1


def test_whoever_has_another_task_files_for_nobody(charlie: Colleague) -> None:
    assert charlie.browser.get(NEW).status_code == 403
