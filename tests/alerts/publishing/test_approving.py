"""Approving an alert and sending it back: by whom, and what an approval binds."""

import pytest

from alerts.publishing import approval
from alerts.publishing.drafting import DeskContext
from alerts.publishing.models import AlertState
from alerts.publishing.texts.approval_hash import from_page
from reporting.record.consents import Consents, When
from tests.make.alerts import Newsroom, member
from tests.make.cast import Colleague, signed_in
from tests.make.clock import MovableClock
from tests.make.pages import hidden as field_of
from ugly_mugs.errors import NotAllowed
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import Where


def context(colleague: Colleague) -> DeskContext:
    return DeskContext(
        signed_in(colleague), runtime().vault, "http://127.0.0.1:8000", ["en"], runtime().clock.now()
    )


class TestApproving:
    def test_an_author_cannot(self, newsroom: Newsroom, carol: Colleague) -> None:
        alert_id = newsroom.submitted(by=carol)
        assert "somebody else has to decide" in newsroom.page(alert_id, carol).text
        page = newsroom.approval_page(alert_id)

        with pytest.raises(NotAllowed):
            approval.approve(
                alert_id,
                context(carol),
                seen=from_page(field_of(page, "seen")),
                seen_consent=1,
                hours=runtime().settings.quiet_hours,
            )
        answer = newsroom.approve(alert_id, page, by=carol)

        assert answer.status_code == 403
        assert newsroom.state(alert_id) is AlertState.SUBMITTED

    def test_an_editor_cannot(self, newsroom: Newsroom, carol: Colleague) -> None:
        alert_id = newsroom.draft()
        newsroom.save(alert_id, by=carol, place="Bradford")
        newsroom.submit(alert_id)
        page = newsroom.approval_page(alert_id)

        answer = newsroom.approve(alert_id, page, by=carol)

        assert answer.status_code == 403
        assert newsroom.state(alert_id) is AlertState.SUBMITTED

    def test_a_moderator_without_the_task_cannot(self, newsroom: Newsroom) -> None:
        alert_id = newsroom.submitted()
        page = newsroom.approval_page(alert_id)

        answer = newsroom.press(alert_id, "approve", seen=field_of(page, "seen"), consent="1")

        assert answer.status_code == 403

    def test_the_second_of_two_approvals_finds_it_decided(self, newsroom: Newsroom, carol: Colleague) -> None:
        member()
        alert_id = newsroom.submitted()
        bobs, carols = newsroom.approval_page(alert_id), newsroom.page(alert_id, carol)

        assert newsroom.approve(alert_id, bobs).status_code == 303
        assert newsroom.approve(alert_id, carols, by=carol).status_code == 409

        assert newsroom.alert(alert_id).approved_by == newsroom.approver.id
        assert len(newsroom.deliveries(alert_id)) == 1

    def test_an_edit_meanwhile_voids_what_the_approver_saw(self, newsroom: Newsroom) -> None:
        alert_id = newsroom.submitted()
        page = newsroom.approval_page(alert_id)
        newsroom.press(alert_id, "take-back")
        newsroom.submit(alert_id, days="31")

        answer = newsroom.approve(alert_id, page)

        assert answer.status_code == 409
        assert "changed since you looked" in answer.text
        assert newsroom.state(alert_id) is AlertState.SUBMITTED

    @pytest.mark.parametrize(
        "change",
        [
            {"sms": "It was reported that something else happened."},
            {"page": "It was reported that something else happened."},
            {"severity": "risk"},
            {"regions": ["wales"]},
            {"sectors": ["street"]},
            {"kinds": ["individual"]},
            {"channels": ["sms"]},
            {"online": "yes"},
            {"days": "3"},
        ],
    )
    def test_the_approval_binds_each_thing_that_decides_who_reads_what(
        self, newsroom: Newsroom, change: dict[str, object]
    ) -> None:
        alert_id = newsroom.submitted()
        before = field_of(newsroom.approval_page(alert_id), "seen")
        newsroom.press(alert_id, "take-back")

        newsroom.submit(alert_id, **change)

        assert field_of(newsroom.approval_page(alert_id), "seen") != before

    def test_a_consent_changed_meanwhile_stops_it(self, newsroom: Newsroom) -> None:
        report = newsroom.ready()
        alert_id = newsroom.submitted(report)
        page = newsroom.approval_page(alert_id)
        report.change(Consents(warn_others=True, when=When.AFTER_SEEN))

        answer = newsroom.approve(alert_id, page)

        assert answer.status_code == 409
        # The reporter's consents are part of the basis of the leak check.
        assert "The report has changed since this text was checked" in answer.text
        assert newsroom.state(alert_id) is AlertState.SUBMITTED

    def test_one_that_would_be_over_already_cannot_be_approved(
        self, newsroom: Newsroom, bob: Colleague, clock: MovableClock
    ) -> None:
        alert_id = newsroom.submitted(days="1")
        clock.forward(days=3)
        bob.sign_in()

        assert newsroom.approve(alert_id).status_code == 409

    def test_sent_back_it_says_why_to_its_author(self, newsroom: Newsroom, bob: Colleague) -> None:
        alert_id = newsroom.submitted()

        assert newsroom.press(alert_id, "return", bob).status_code == 400
        assert newsroom.press(alert_id, "return", bob, reason="Too much about the car.").status_code == 303

        assert newsroom.state(alert_id) is AlertState.DRAFT
        assert "Too much about the car." in newsroom.page(alert_id).text

    def test_taking_back_after_the_approval_is_too_late(self, newsroom: Newsroom, bob: Colleague) -> None:
        alert_id = newsroom.approved()

        assert newsroom.press(alert_id, "take-back").status_code == 409
        assert newsroom.press(alert_id, "return", bob, reason="No.").status_code == 409


def test_what_members_do_not_read_is_gone_after_the_approval(newsroom: Newsroom) -> None:
    alert = newsroom.alert(newsroom.approved())

    contents = runtime().vault.open_rest(alert.contents, Where("alerts", "contents", alert.id))

    assert b"booked" not in contents and b"07700 900456" not in contents
