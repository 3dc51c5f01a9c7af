"""Choices that a reporter changes after an alert was drafted apply to every later version from their report."""

from dataclasses import replace

import pytest

from alerts.publishing import jobs
from alerts.publishing.models import AlertState, Change
from reporting.record import outputs
from reporting.record.consents import Consents, When
from tests.make.alerts import Newsroom, member
from ugly_mugs.database.engine import db

AGREED = Consents(warn_others=True)


class TestAHold:
    @pytest.mark.parametrize("change", [Change.UPDATE, Change.CORRECTION])
    def test_goes_over_to_the_next_version(self, newsroom: Newsroom, change: Change) -> None:
        member()
        report = newsroom.ready()
        first = newsroom.approved(report)
        report.hold()

        second = newsroom.approved_version(first, change)

        assert newsroom.output(second).held
        assert newsroom.state(second) is AlertState.SCHEDULED
        assert newsroom.texts_sent() == []

    def test_goes_over_to_what_is_written_instead(self, newsroom: Newsroom) -> None:
        member()
        report = newsroom.ready(replace(AGREED, when=When.AFTER_SEEN))
        first = newsroom.approved(report)
        report.let_go()
        report.hold()
        answer = newsroom.press(first, "cancel")
        assert answer.status_code == 303

        second = newsroom.approved(report)

        assert newsroom.output(second).held
        assert newsroom.texts_sent() == []

    def test_is_over_when_something_later_was_let_go(self, newsroom: Newsroom) -> None:
        report = newsroom.ready()
        first = newsroom.approved(report)
        report.hold()
        assert newsroom.press(first, "cancel").status_code == 303
        second = newsroom.approved(report)
        output = newsroom.output(second)
        outputs.lift_hold(output, seen_digest=outputs.preview_digest(output))
        db.session.commit()
        jobs.begin_due()

        third = newsroom.next_version(second)

        assert not newsroom.output(third).held

    def test_goes_with_the_wish_to_see_it_first(self, newsroom: Newsroom) -> None:
        report = newsroom.ready(replace(AGREED, when=When.AFTER_SEEN))
        first = newsroom.approved(report)
        assert newsroom.press(first, "cancel").status_code == 303
        report.change(AGREED)

        second = newsroom.approved(report)

        assert not newsroom.output(second).held


def test_a_safe_way_to_reach_them_named_since_the_leak_check_stops_the_approval(newsroom: Newsroom) -> None:
    """Until the reporter names this number as theirs, the leak check takes it for the offender's."""
    member()
    report = newsroom.ready()
    alert = newsroom.submitted(report, sms="Danger: he uses 07700 900456. Take care.")
    page = newsroom.approval_page(alert)
    report.change(replace(AGREED, contact_me=True, safe_contact={"how": "phone", "reach": "07700 900456"}))

    answer = newsroom.approve(alert, page)

    assert answer.status_code == 409
    assert "The report has changed since this text was checked" in answer.text
    assert newsroom.texts_sent() == []
