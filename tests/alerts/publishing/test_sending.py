"""The worker's jobs for alerts: beginning scheduled ones, pausing, finishing, and the budget of messages."""

import uuid
from datetime import date

import pytest

from alerts.publishing import alert_kind, jobs
from alerts.publishing.models import Alert, AlertState, AlertText
from reporting.record.consents import Consents, When
from reporting.record.models import OutputState
from tests.make.alerts import Newsroom, member, moved
from tests.make.cast import Colleague
from tests.make.clock import MovableClock
from tests.make.databases import count
from ugly_mugs.database.engine import db
from ugly_mugs.outbox.models import Channel, DeliveryState


class TestScheduled:
    def test_held_until_the_reporter_lets_it_go(self, newsroom: Newsroom) -> None:
        early = member()
        report = newsroom.ready(Consents(warn_others=True, when=When.AFTER_SEEN))
        alert_id = newsroom.approved(report)
        assert newsroom.state(alert_id) is AlertState.SCHEDULED
        assert newsroom.recipients(alert_id) == {(early, Channel.SMS)}
        jobs.begin_due()
        assert newsroom.texts_sent() == []
        late = member()

        report.let_go()
        jobs.begin_due()

        assert newsroom.state(alert_id) is AlertState.PUBLISHING
        assert newsroom.output(alert_id).state is OutputState.RELEASED
        assert newsroom.recipients(alert_id) == {(early, Channel.SMS), (late, Channel.SMS)}
        assert len(newsroom.texts_sent()) == 2

    def test_not_before_the_reporters_day(self, newsroom: Newsroom, clock: MovableClock) -> None:
        member()
        wanted = Consents(warn_others=True, when=When.NOT_BEFORE, not_before=date(2026, 11, 24))
        alert_id = newsroom.approved(newsroom.ready(wanted))
        jobs.begin_due()
        assert newsroom.state(alert_id) is AlertState.SCHEDULED

        clock.forward(days=2, hours=12, minutes=1)
        jobs.begin_due()

        assert newsroom.state(alert_id) is AlertState.PUBLISHING
        assert len(newsroom.texts_sent()) == 1

    def test_a_consent_changed_after_the_approval_keeps_it_back(self, newsroom: Newsroom) -> None:
        member()
        report = newsroom.ready(Consents(warn_others=True, when=When.AFTER_SEEN))
        alert_id = newsroom.approved(report)
        report.change(Consents(warn_others=True))

        jobs.begin_due()

        assert newsroom.state(alert_id) is AlertState.SCHEDULED
        assert newsroom.texts_sent() == []
        assert "changed what they agreed to" in newsroom.page(alert_id).text

    def test_editing_it_voids_the_approval_and_begins_a_new_draft(self, newsroom: Newsroom) -> None:
        reader = member()
        report = newsroom.ready(Consents(warn_others=True, when=When.AFTER_SEEN))
        alert_id = newsroom.approved(report)

        answer = newsroom.press(alert_id, "edit")

        second = uuid.UUID(answer.location.rsplit("/", 1)[1])
        assert newsroom.state(alert_id) is AlertState.CANCELLED
        assert newsroom.output(alert_id).state is OutputState.ENDED
        assert newsroom.state(second) is AlertState.DRAFT
        jobs.finish()
        assert {delivery.state for delivery in newsroom.deliveries(alert_id)} == {DeliveryState.CANCELLED}
        newsroom.submit(second)
        newsroom.approve(second)
        report.let_go()
        jobs.begin_due()
        assert newsroom.recipients(second) == {(reader, Channel.SMS)}
        assert len(newsroom.texts_sent()) == 1

    def test_beginning_twice_changes_nothing(self, newsroom: Newsroom) -> None:
        member()
        report = newsroom.ready(Consents(warn_others=True, when=When.AFTER_SEEN))
        alert_id = newsroom.approved(report)
        report.let_go()

        jobs.begin_due()
        jobs._begin(alert_id)

        assert len(newsroom.deliveries(alert_id)) == 1


class TestPausing:
    def test_nothing_leaves_until_somebody_goes_on(self, newsroom: Newsroom, bob: Colleague) -> None:
        member()
        alert_id = newsroom.approved()

        newsroom.press(alert_id, "pause", bob)
        jobs.finish()
        assert newsroom.claim() == []
        assert {delivery.state for delivery in newsroom.deliveries(alert_id)} == {DeliveryState.HELD}
        newsroom.press(alert_id, "resume")
        jobs.finish()

        assert newsroom.state(alert_id) is AlertState.PUBLISHING
        assert len(newsroom.claim()) == 1

    def test_pausing_and_going_on_again_follows_each_time(self, newsroom: Newsroom, bob: Colleague) -> None:
        member()
        alert_id = newsroom.approved()

        for _time in range(2):
            newsroom.press(alert_id, "pause", bob)
            jobs.finish()
            assert newsroom.deliveries(alert_id)[0].state is DeliveryState.HELD
            newsroom.press(alert_id, "resume", bob)
            jobs.finish()
            assert newsroom.deliveries(alert_id)[0].state is DeliveryState.QUEUED

    def test_the_provider_refusing_the_words_pauses_it(self, newsroom: Newsroom) -> None:
        alert_id = newsroom.approved()

        alert_kind.stop(alert_id)
        db.session.commit()

        assert newsroom.state(alert_id) is AlertState.PAUSED

    def test_cancelling_cancels_what_waits(self, newsroom: Newsroom) -> None:
        member()
        alert_id = newsroom.approved()

        newsroom.press(alert_id, "cancel")
        jobs.finish()

        assert newsroom.state(alert_id) is AlertState.CANCELLED
        assert {delivery.state for delivery in newsroom.deliveries(alert_id)} == {DeliveryState.CANCELLED}


class TestFinishing:
    def test_it_is_live_when_nothing_waits(self, newsroom: Newsroom) -> None:
        member()
        alert_id = newsroom.approved()
        jobs.finish()
        assert newsroom.state(alert_id) is AlertState.PUBLISHING

        moved(newsroom.deliveries(alert_id)[0], state=DeliveryState.ACCEPTED)
        jobs.finish()

        assert newsroom.state(alert_id) is AlertState.LIVE

    def test_a_draft_thrown_away_can_be_opened_by_nobody(self, newsroom: Newsroom) -> None:
        alert_id = newsroom.draft()

        newsroom.press(alert_id, "cancel")

        assert newsroom.state(alert_id) is AlertState.CANCELLED
        assert newsroom.alert(alert_id).draft_keys == []
        assert "blue van" not in newsroom.page(alert_id).text


class TestWithdrawal:
    @pytest.mark.parametrize("submit", [False, True])
    def test_drafts_are_deleted_with_their_keys(self, newsroom: Newsroom, submit: bool) -> None:
        report = newsroom.ready()
        alert_id = newsroom.submitted(report) if submit else newsroom.draft(report)

        report.withdraw()

        assert db.session.get(Alert, alert_id) is None
        assert count(AlertText) == 0

    def test_a_consent_taken_back_ends_only_the_alert(self, newsroom: Newsroom) -> None:
        report = newsroom.ready()
        alert_id = newsroom.approved(report)

        report.change(Consents())

        assert newsroom.state(alert_id) is AlertState.CANCELLED
        assert newsroom.output(alert_id).state is OutputState.WITHDRAWN
        assert report.row.desk_wrap is not None


@pytest.mark.parametrize("changed_settings", [{"MESSAGES_PER_ALERT": "2"}])
class TestBudget:
    def test_more_messages_than_one_alert_may_send_stop_it(self, newsroom: Newsroom) -> None:
        for _number in range(3):
            member()
        alert_id = newsroom.approved()
        claimed = newsroom.claim()

        budget = alert_kind.Budget()
        with db.session.no_autoflush:
            assert budget.allows(alert_id, 2, budget=3)
            assert not budget.allows(alert_id, 2, budget=3)
        assert len(claimed) == 3

    def test_over_its_budget_nothing_leaves_and_it_is_paused(self, newsroom: Newsroom) -> None:
        for _number in range(3):
            member()
        alert_id = newsroom.approved()

        assert newsroom.texts_sent() == []
        assert newsroom.state(alert_id) is AlertState.PAUSED
