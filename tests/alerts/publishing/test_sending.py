"""What the worker does with an alert: it begins what was scheduled, sends what was approved, ends what is over."""

import uuid
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from alerts.membership.models import Level, Member, MemberState, Subscription
from alerts.publishing import alert_kind, jobs
from alerts.publishing.models import Alert, AlertAuthor, AlertState, AlertText, TextChannel
from reporting.record.consents import Consents, When
from reporting.record.models import Output, OutputState
from tests.make.alerts import Newsroom, member, moved
from tests.make.cast import Colleague
from tests.make.clock import MovableClock
from tests.make.databases import settings_for
from ugly_mugs.audit.models import AuditEntry, AuditKind
from ugly_mugs.database.engine import db
from ugly_mugs.outbox.models import Address, AddressState, Channel, DeliveryState
from ugly_mugs.runtime import runtime
from ugly_mugs.settings import Settings
from ugly_mugs.vault import Where


def set_row(model: Any, row_id: uuid.UUID, **values: Any) -> None:
    """What somebody who can write the database, and has no key, could put there."""
    db.session.execute(sa.update(model).where(model.id == row_id).values(**values))
    db.session.commit()


class TestScheduled:
    def test_held_until_the_reporter_lets_it_go(
        self, newsroom: Newsroom, alice: Colleague, bob: Colleague
    ) -> None:
        early = member()
        report = newsroom.ready(alice, Consents(warn_others=True, when=When.AFTER_SEEN))
        alert_id = newsroom.approved(alice, bob, report)
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

    def test_not_before_the_reporters_day(
        self, newsroom: Newsroom, alice: Colleague, bob: Colleague, clock: MovableClock
    ) -> None:
        member()
        wanted = Consents(warn_others=True, when=When.NOT_BEFORE, not_before=date(2026, 11, 24))
        alert_id = newsroom.approved(alice, bob, newsroom.ready(alice, wanted))
        jobs.begin_due()
        assert newsroom.state(alert_id) is AlertState.SCHEDULED

        clock.forward(days=2, hours=12, minutes=1)
        jobs.begin_due()

        assert newsroom.state(alert_id) is AlertState.PUBLISHING
        assert len(newsroom.texts_sent()) == 1

    def test_a_consent_changed_after_the_approval_keeps_it_back(
        self, newsroom: Newsroom, alice: Colleague, bob: Colleague
    ) -> None:
        member()
        report = newsroom.ready(alice, Consents(warn_others=True, when=When.AFTER_SEEN))
        alert_id = newsroom.approved(alice, bob, report)
        report.change(Consents(warn_others=True))

        jobs.begin_due()

        assert newsroom.state(alert_id) is AlertState.SCHEDULED
        assert newsroom.texts_sent() == []
        assert "changed what they agreed to" in newsroom.page(alert_id, alice).text

    def test_editing_it_voids_the_approval_and_begins_a_new_draft(
        self, newsroom: Newsroom, alice: Colleague, bob: Colleague
    ) -> None:
        reader = member()
        report = newsroom.ready(alice, Consents(warn_others=True, when=When.AFTER_SEEN))
        alert_id = newsroom.approved(alice, bob, report)

        answer = newsroom.press(alert_id, "edit", alice)

        second = uuid.UUID(answer.location.rsplit("/", 1)[1])
        assert newsroom.state(alert_id) is AlertState.CANCELLED
        assert newsroom.output(alert_id).state is OutputState.ENDED
        assert newsroom.state(second) is AlertState.DRAFT
        jobs.finish()
        assert {each.state for each in newsroom.deliveries(alert_id)} == {DeliveryState.CANCELLED}
        newsroom.submit(second, alice)
        newsroom.approve(second, bob)
        report.let_go()
        jobs.begin_due()
        assert newsroom.recipients(second) == {(reader, Channel.SMS)}
        assert len(newsroom.texts_sent()) == 1

    def test_beginning_twice_changes_nothing(
        self, newsroom: Newsroom, alice: Colleague, bob: Colleague
    ) -> None:
        member()
        report = newsroom.ready(alice, Consents(warn_others=True, when=When.AFTER_SEEN))
        alert_id = newsroom.approved(alice, bob, report)
        report.let_go()

        jobs.begin_due()
        jobs._begin(alert_id)

        assert len(newsroom.deliveries(alert_id)) == 1


class TestGate:
    @pytest.fixture
    def reader(self) -> uuid.UUID:
        return member()

    def test_it_opens_for_what_was_approved(
        self, newsroom: Newsroom, alice: Colleague, bob: Colleague, reader: uuid.UUID
    ) -> None:
        newsroom.approved(alice, bob)

        assert [each.recipient_id for each in newsroom.claim()] == [reader]

    def test_a_hold_of_the_reporter_closes_it_at_once(
        self, newsroom: Newsroom, alice: Colleague, bob: Colleague, reader: uuid.UUID
    ) -> None:
        report = newsroom.ready(alice)
        newsroom.approved(alice, bob, report)

        report.hold()
        assert newsroom.claim() == []
        report.let_go()

        assert len(newsroom.claim()) == 1

    def test_a_withdrawal_closes_it_for_ever(
        self, newsroom: Newsroom, alice: Colleague, bob: Colleague, reader: uuid.UUID
    ) -> None:
        report = newsroom.ready(alice)
        alert_id = newsroom.approved(alice, bob, report)

        report.withdraw()
        jobs.finish()

        assert newsroom.state(alert_id) is AlertState.CANCELLED
        assert newsroom.alert(alert_id).texts == []
        assert newsroom.claim() == []
        assert {each.state for each in newsroom.deliveries(alert_id)} == {DeliveryState.CANCELLED}

    def test_a_changed_consent_closes_it(
        self, newsroom: Newsroom, alice: Colleague, bob: Colleague, reader: uuid.UUID
    ) -> None:
        report = newsroom.ready(alice)
        newsroom.approved(alice, bob, report)

        report.change(Consents(warn_others=True, when=When.AFTER_SEEN))

        assert newsroom.claim() == []

    @pytest.mark.parametrize("state", sorted(set(MemberState) - {MemberState.ACTIVE}))
    def test_only_active_members_get_anything(
        self,
        newsroom: Newsroom,
        alice: Colleague,
        bob: Colleague,
        reader: uuid.UUID,
        state: MemberState,
    ) -> None:
        newsroom.approved(alice, bob)

        set_row(Member, reader, state=state)

        assert newsroom.claim() == []

    def test_a_subscription_ended_meanwhile_closes_it(
        self, newsroom: Newsroom, alice: Colleague, bob: Colleague, reader: uuid.UUID
    ) -> None:
        newsroom.approved(alice, bob)

        db.session.execute(sa.update(Subscription).values(live=False))
        db.session.commit()

        assert newsroom.claim() == []

    @pytest.mark.parametrize("state", sorted(set(AddressState) - {AddressState.PROVED}))
    def test_only_proved_addresses_get_anything(
        self,
        newsroom: Newsroom,
        alice: Colleague,
        bob: Colleague,
        reader: uuid.UUID,
        state: AddressState,
    ) -> None:
        newsroom.approved(alice, bob)

        db.session.execute(sa.update(Address).values(state=state))
        db.session.commit()

        assert newsroom.claim() == []

    def test_the_end_of_the_alert_closes_it(
        self,
        newsroom: Newsroom,
        alice: Colleague,
        bob: Colleague,
        reader: uuid.UUID,
        clock: MovableClock,
    ) -> None:
        alert_id = newsroom.approved(alice, bob, days="1")
        clock.forward(days=2)

        assert newsroom.claim() == []
        jobs.finish()

        assert newsroom.state(alert_id) is AlertState.EXPIRED
        assert newsroom.output(alert_id).state is OutputState.ENDED

    @pytest.mark.parametrize("state", sorted(set(AlertState) - {AlertState.PUBLISHING, AlertState.LIVE}))
    def test_no_other_state_of_an_alert_sends(
        self,
        newsroom: Newsroom,
        alice: Colleague,
        bob: Colleague,
        reader: uuid.UUID,
        state: AlertState,
    ) -> None:
        alert_id = newsroom.approved(alice, bob)

        set_row(Alert, alert_id, state=state)

        assert newsroom.claim() == []


class TestPausing:
    def test_nothing_leaves_until_somebody_goes_on(
        self, newsroom: Newsroom, alice: Colleague, bob: Colleague
    ) -> None:
        member()
        alert_id = newsroom.approved(alice, bob)

        newsroom.press(alert_id, "pause", bob)
        jobs.finish()
        assert newsroom.claim() == []
        assert {each.state for each in newsroom.deliveries(alert_id)} == {DeliveryState.HELD}
        newsroom.press(alert_id, "resume", alice)
        jobs.finish()

        assert newsroom.state(alert_id) is AlertState.PUBLISHING
        assert len(newsroom.claim()) == 1

    def test_pausing_and_going_on_again_follows_each_time(
        self, newsroom: Newsroom, alice: Colleague, bob: Colleague
    ) -> None:
        member()
        alert_id = newsroom.approved(alice, bob)

        for _time in range(2):
            newsroom.press(alert_id, "pause", bob)
            jobs.finish()
            assert newsroom.deliveries(alert_id)[0].state is DeliveryState.HELD
            newsroom.press(alert_id, "resume", bob)
            jobs.finish()
            assert newsroom.deliveries(alert_id)[0].state is DeliveryState.QUEUED

    def test_the_provider_refusing_the_text_pauses_it(
        self, newsroom: Newsroom, alice: Colleague, bob: Colleague
    ) -> None:
        alert_id = newsroom.approved(alice, bob)

        alert_kind.stop(alert_id)
        db.session.commit()

        assert newsroom.state(alert_id) is AlertState.PAUSED

    def test_cancelling_cancels_what_waits(
        self, newsroom: Newsroom, alice: Colleague, bob: Colleague
    ) -> None:
        member()
        alert_id = newsroom.approved(alice, bob)

        newsroom.press(alert_id, "cancel", alice)
        jobs.finish()

        assert newsroom.state(alert_id) is AlertState.CANCELLED
        assert {each.state for each in newsroom.deliveries(alert_id)} == {DeliveryState.CANCELLED}


class TestFinishing:
    def test_it_is_live_when_nothing_waits(
        self, newsroom: Newsroom, alice: Colleague, bob: Colleague
    ) -> None:
        member()
        alert_id = newsroom.approved(alice, bob)
        jobs.finish()
        assert newsroom.state(alert_id) is AlertState.PUBLISHING

        moved(newsroom.deliveries(alert_id)[0], state=DeliveryState.ACCEPTED)
        jobs.finish()

        assert newsroom.state(alert_id) is AlertState.LIVE

    def test_a_draft_thrown_away_can_be_opened_by_nobody(self, newsroom: Newsroom, alice: Colleague) -> None:
        alert_id = newsroom.draft(alice)

        newsroom.press(alert_id, "cancel", alice)

        assert newsroom.state(alert_id) is AlertState.CANCELLED
        assert newsroom.alert(alert_id).draft_keys == []
        assert "blue van" not in newsroom.page(alert_id, alice).text


class TestWithdrawal:
    @pytest.mark.parametrize("submit", [False, True])
    def test_drafts_are_deleted_with_their_keys(
        self, newsroom: Newsroom, alice: Colleague, bob: Colleague, submit: bool
    ) -> None:
        report = newsroom.ready(alice)
        alert_id = newsroom.submitted(alice, report) if submit else newsroom.draft(alice, report)

        report.withdraw()

        assert db.session.get(Alert, alert_id) is None
        assert db.session.scalar(sa.select(sa.func.count()).select_from(AlertText)) == 0

    def test_a_consent_taken_back_ends_only_the_alert(
        self, newsroom: Newsroom, alice: Colleague, bob: Colleague
    ) -> None:
        report = newsroom.ready(alice)
        alert_id = newsroom.approved(alice, bob, report)

        report.change(Consents())

        assert newsroom.state(alert_id) is AlertState.CANCELLED
        assert newsroom.output(alert_id).state is OutputState.WITHDRAWN
        assert report.row.desk_wrap is not None


class TestTampering:
    """Somebody can write the database and has no key: nothing of what they write is sent."""

    @pytest.fixture
    def alert_id(self, newsroom: Newsroom, alice: Colleague, bob: Colleague) -> uuid.UUID:
        member(), member(level=Level.FULL)
        return newsroom.approved(alice, bob)

    def refused(self, newsroom: Newsroom, alert_id: uuid.UUID) -> None:
        assert newsroom.texts_sent() == []
        assert newsroom.state(alert_id) is AlertState.PAUSED
        entries = db.session.scalars(
            sa.select(AuditEntry).where(
                AuditEntry.kind == AuditKind.ALERT_PAUSED, AuditEntry.subject_id == alert_id
            )
        ).all()
        assert [each.actor_id for each in entries] == [None]

    def test_an_author_made_the_approver(
        self, newsroom: Newsroom, alert_id: uuid.UUID, alice: Colleague
    ) -> None:
        set_row(Alert, alert_id, approved_by=alice.id)

        self.refused(newsroom, alert_id)

    def test_the_authors_rows_taken_away_and_the_author_made_the_approver(
        self, newsroom: Newsroom, alert_id: uuid.UUID, alice: Colleague
    ) -> None:
        db.session.execute(sa.delete(AlertAuthor))
        set_row(Alert, alert_id, approved_by=alice.id)

        self.refused(newsroom, alert_id)

    def test_the_approver_added_to_the_authors(
        self, newsroom: Newsroom, alert_id: uuid.UUID, bob: Colleague
    ) -> None:
        db.session.add(AlertAuthor(alert_id=alert_id, staff_id=bob.id))
        db.session.commit()

        self.refused(newsroom, alert_id)

    def test_a_text_moved_to_another_level(self, newsroom: Newsroom, alert_id: uuid.UUID) -> None:
        texts = {
            each.level: each for each in newsroom.alert(alert_id).texts if each.channel is TextChannel.SMS
        }
        neutral_id, full_words = texts[Level.NEUTRAL].id, texts[Level.FULL].text

        set_row(AlertText, neutral_id, text=full_words)

        self.refused(newsroom, alert_id)

    def test_a_text_taken_away(self, newsroom: Newsroom, alert_id: uuid.UUID) -> None:
        db.session.execute(sa.delete(AlertText).where(AlertText.level == Level.NEUTRAL))
        db.session.commit()

        self.refused(newsroom, alert_id)

    def test_a_text_that_the_service_sealed_but_nobody_approved(
        self, newsroom: Newsroom, alert_id: uuid.UUID
    ) -> None:
        row = next(each for each in newsroom.alert(alert_id).texts if each.channel == "sms")
        forged = runtime().vault.seal_rest(b"Hello", Where("alert_texts", "text", row.id), sizes=(1_024,))

        set_row(AlertText, row.id, text=forged)

        self.refused(newsroom, alert_id)

    @pytest.mark.parametrize("column", ["expires_at", "not_before", "approval", "change"])
    def test_anything_else_that_the_approval_binds(
        self, newsroom: Newsroom, alert_id: uuid.UUID, column: str, clock: MovableClock
    ) -> None:
        wrong = {
            "expires_at": clock.now() + timedelta(days=300),
            "not_before": clock.now() - timedelta(days=1),
            "approval": b"\0" * 32,
            "change": "correction",
        }

        set_row(Alert, alert_id, **{column: wrong[column]})

        self.refused(newsroom, alert_id)

    def test_a_draft_declared_approved(
        self, newsroom: Newsroom, alert_id: uuid.UUID, alice: Colleague, bob: Colleague
    ) -> None:
        draft = newsroom.draft(alice)
        db.session.execute(
            sa.update(Output)
            .where(Output.subject_id == draft)
            .values(state=OutputState.RELEASED, consent_version=1)
        )
        db.session.commit()
        moved(newsroom.deliveries(alert_id)[0], subject_id=draft)
        approved = newsroom.alert(alert_id).approval
        forged = {"state": AlertState.PUBLISHING, "approved_by": bob.id, "approval": approved}
        set_row(Alert, draft, **forged, consent_version=1)

        assert len(newsroom.texts_sent()) == 1
        assert newsroom.state(draft) is AlertState.PAUSED

    def test_reading_the_texts_decides_nothing(
        self, newsroom: Newsroom, alert_id: uuid.UUID, alice: Colleague
    ) -> None:
        set_row(Alert, alert_id, approved_by=alice.id)

        texts = alert_kind.texts_of(newsroom.claim())

        assert list(texts.values()) == [alert_kind.NOT_AS_APPROVED] * 2
        assert newsroom.state(alert_id) is AlertState.PUBLISHING

    def test_what_was_opened_once_is_not_read_again(self, newsroom: Newsroom, alert_id: uuid.UUID) -> None:
        first = newsroom.texts_sent()
        for delivery in newsroom.deliveries(alert_id):
            moved(delivery, state=DeliveryState.QUEUED)

        db.session.execute(sa.update(AlertText).values(text=b"nonsense"))
        db.session.commit()

        assert newsroom.texts_sent() == first

    def test_a_scheduled_one_does_not_begin(
        self, newsroom: Newsroom, alice: Colleague, bob: Colleague
    ) -> None:
        report = newsroom.ready(alice, Consents(warn_others=True, when=When.AFTER_SEEN))
        alert_id = newsroom.approved(alice, bob, report)
        report.let_go()
        set_row(Alert, alert_id, approved_by=alice.id)

        jobs.begin_due()

        assert newsroom.state(alert_id) is AlertState.PAUSED
        assert newsroom.claim() == []


class TestBudget:
    @pytest.fixture
    def settings(self, database_url: str, tmp_path: Path) -> Settings:
        return settings_for(database_url, tmp_path / "keys", MESSAGES_PER_ALERT="2")

    def test_more_messages_than_one_alert_may_send_stop_it(
        self, newsroom: Newsroom, alice: Colleague, bob: Colleague
    ) -> None:
        for _number in range(3):
            member()
        alert_id = newsroom.approved(alice, bob)
        claimed = newsroom.claim()

        budget = alert_kind.Budget()
        with db.session.no_autoflush:
            assert budget.allows(alert_id, 2, budget=3)
            assert not budget.allows(alert_id, 2, budget=3)
        assert len(claimed) == 3

    def test_over_its_budget_nothing_leaves_and_it_is_paused(
        self, newsroom: Newsroom, alice: Colleague, bob: Colleague
    ) -> None:
        for _number in range(3):
            member()
        alert_id = newsroom.approved(alice, bob)

        assert newsroom.texts_sent() == []
        assert newsroom.state(alert_id) is AlertState.PAUSED
