"""Opening a report: the audit entry is committed first, the desk's key is needed, the report must exist."""

import re
import uuid

import pytest
import sqlalchemy as sa
from flask import Flask

from reporting.desk.queue import RankCache
from reporting.record import opening
from reporting.record.models import Report
from tests.make.audit import entries
from tests.make.cast import Colleague, signed_in
from tests.make.clock import MovableClock
from tests.make.databases import set_row
from tests.make.reports import ACCOUNT, File
from ugly_mugs.accounts.models import Role
from ugly_mugs.audit.models import AuditKind
from ugly_mugs.database.engine import db
from ugly_mugs.errors import NotAllowed, NotThere
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import CannotOpen


def opened(colleague: Colleague, report_id: uuid.UUID, clock: MovableClock) -> opening.OpenedReport:
    return opening.open_report(report_id=report_id, staff=signed_in(colleague), now=clock.now())


class TestOpening:
    def test_a_moderator_reads_the_report(self, alice: Colleague, file: File, clock: MovableClock) -> None:
        report = file()

        opened_report = opened(alice, report.id, clock)

        assert opened_report.contents.account == ACCOUNT
        assert opened_report.content_key == report.content_key

    def test_the_audit_entry_stays_when_decryption_fails(
        self, alice: Colleague, file: File, clock: MovableClock
    ) -> None:
        report = file()
        set_row(Report, report.id, desk_wrap=b"spoilt")

        with pytest.raises(CannotOpen):
            opened(alice, report.id, clock)

        (entry,) = entries(AuditKind.REPORT_OPENED)
        assert (entry.actor_id, entry.subject_id) == (alice.id, report.id)

    def test_staff_without_the_key_open_nothing_and_no_opening_is_recorded(
        self, charlie: Colleague, file: File, clock: MovableClock
    ) -> None:
        report = file()

        with pytest.raises(NotAllowed):
            opened(charlie, report.id, clock)

        assert entries(AuditKind.REPORT_OPENED) == []

    def test_a_role_inserted_into_the_database_opens_nothing(self, charlie: Colleague, file: File) -> None:
        report = file()
        db.session.execute(
            sa.text(
                "INSERT INTO staff_roles (staff_id, role) SELECT id, :role FROM staff WHERE login = :login"
            ),
            {"role": Role.MODERATOR.value, "login": _login_of(charlie)},
        )
        db.session.commit()

        page = charlie.browser.get(report.path)

        assert page.status_code == 403
        assert "Marisol" not in page.text

    def test_a_withdrawn_report_is_not_found(self, alice: Colleague, file: File, clock: MovableClock) -> None:
        report = file()
        report.withdraw()

        with pytest.raises(NotThere):
            opened(alice, report.id, clock)
        assert alice.browser.get(report.path).status_code == 404

    def test_an_unknown_report_is_not_found(self, alice: Colleague, clock: MovableClock) -> None:
        with pytest.raises(NotThere):
            opened(alice, uuid.uuid4(), clock)


def _login_of(colleague: Colleague) -> object:
    return db.session.execute(
        sa.text("SELECT login FROM staff WHERE public_key = :key"), {"key": colleague.key.public().raw}
    ).scalar_one()


class TestList:
    def test_the_most_urgent_come_first_then_the_oldest(
        self, alice: Colleague, file: File, clock: MovableClock
    ) -> None:
        calm = file("Nothing much.", happened={"types": ["time_waster"]})
        clock.forward(days=1)
        grave = file("Worse.", happened={"types": ["weapon"]})
        clock.forward(days=1)
        younger = file("As bad.", happened={"types": ["robbery"]})
        clock.forward(hours=1)
        later = file("Later that day.", happened={"types": ["robbery"]})
        now = file("It goes on.", happened={"types": ["threats"], "still_going_on": "yes"})
        assert alice.sign_in().status_code == 303

        page = alice.browser.get("/desk").text

        order = [page.index(str(report.id)) for report in (now, grave, younger, later, calm)]
        assert order == sorted(order)
        assert "2 days" in page
        assert "still going on" in page

    def test_viewing_the_list_writes_one_audit_entry_with_the_number_of_heads(
        self, alice: Colleague, file: File
    ) -> None:
        for _ in range(3):
            file()

        alice.browser.get("/desk")

        (entry,) = entries(AuditKind.REPORT_LISTED)
        assert (entry.actor_id, entry.subject_id, entry.count) == (alice.id, None, 3)

    def test_the_list_has_pages_of_25_that_link_to_each_other(self, alice: Colleague, file: File) -> None:
        filed = {str(file().id) for _ in range(27)}

        first, second = alice.browser.get("/desk").text, alice.browser.get("/desk?page=2").text

        on_first, on_second = _reports_on(first), _reports_on(second)
        assert (len(on_first), len(on_second)) == (25, 2)
        assert on_first | on_second == filed
        assert "page=2" in first
        assert alice.browser.get("/desk?page=99").status_code == 200
        assert alice.browser.get("/desk?page=x").status_code == 200

    def test_a_withdrawn_report_leaves_the_list_and_the_rank_cache(
        self, app: Flask, alice: Colleague, file: File
    ) -> None:
        kept, withdrawn = file(), file()
        alice.browser.get("/desk")
        withdrawn.withdraw()

        page = alice.browser.get("/desk").text

        assert _reports_on(page) == {str(kept.id)}
        assert len(runtime(app).process_state.of(RankCache)) == 1

    def test_finished_reports_are_listed_under_their_own_tab(self, alice: Colleague, file: File) -> None:
        report = file()
        alice.post(f"{report.path}/take")
        alice.post(f"{report.path}/settle", {"settle.message": ""})

        assert _reports_on(alice.browser.get("/desk").text) == set()
        assert _reports_on(alice.browser.get("/desk?tab=settled").text) == {str(report.id)}
        assert _reports_on(alice.browser.get("/desk?tab=declined").text) == set()

    def test_staff_with_another_task_are_redirected_to_their_first_page(self, charlie: Colleague) -> None:
        answer = charlie.browser.get("/desk")

        assert answer.status_code == 303
        assert answer.location == "/admin"


def _reports_on(page: str) -> set[str]:
    return set(re.findall(r"/desk/reports/([0-9a-f-]{36})", page))
