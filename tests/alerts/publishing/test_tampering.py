"""Nothing is sent of an alert that an attacker changed who can write to the database but has no key."""

import uuid
from datetime import timedelta

import pytest
import sqlalchemy as sa

from alerts.membership.models import Level
from alerts.publishing import alert_kind, jobs
from alerts.publishing.models import Alert, AlertAuthor, AlertState, AlertText, TextChannel
from reporting.record.consents import Consents, When
from reporting.record.models import Output, OutputState
from tests.make.alerts import Newsroom, member, moved
from tests.make.audit import entries
from tests.make.cast import Colleague
from tests.make.clock import MovableClock
from tests.make.databases import execute, set_row
from ugly_mugs.audit.models import AuditKind
from ugly_mugs.database.engine import db
from ugly_mugs.outbox.models import DeliveryState
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import Where


class TestTampering:
    @pytest.fixture
    def alert_id(self, newsroom: Newsroom) -> uuid.UUID:
        member(), member(level=Level.FULL)
        return newsroom.approved()

    def refused(self, newsroom: Newsroom, alert_id: uuid.UUID) -> None:
        assert newsroom.texts_sent() == []
        assert newsroom.state(alert_id) is AlertState.PAUSED
        (entry,) = entries(AuditKind.ALERT_PAUSED)
        assert (entry.actor_id, entry.subject_id) == (None, alert_id)

    def test_reading_the_texts_decides_nothing(
        self, newsroom: Newsroom, alert_id: uuid.UUID, alice: Colleague
    ) -> None:
        set_row(Alert, alert_id, approved_by=alice.id)

        texts = alert_kind.texts_of(newsroom.claim())

        assert list(texts.values()) == [alert_kind.NOT_AS_APPROVED] * 2
        assert newsroom.state(alert_id) is AlertState.PUBLISHING

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
            text.level: text for text in newsroom.alert(alert_id).texts if text.channel is TextChannel.SMS
        }
        neutral_id, full_words = texts[Level.NEUTRAL].id, texts[Level.FULL].text

        set_row(AlertText, neutral_id, text=full_words)

        self.refused(newsroom, alert_id)

    def test_a_text_taken_away(self, newsroom: Newsroom, alert_id: uuid.UUID) -> None:
        execute(sa.delete(AlertText).where(AlertText.level == Level.NEUTRAL))

        self.refused(newsroom, alert_id)

    def test_a_text_that_the_service_sealed_but_nobody_approved(
        self, newsroom: Newsroom, alert_id: uuid.UUID
    ) -> None:
        row = next(text for text in newsroom.alert(alert_id).texts if text.channel == "sms")
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

    def test_a_draft_declared_approved(self, newsroom: Newsroom, alert_id: uuid.UUID, bob: Colleague) -> None:
        draft = newsroom.draft()
        execute(
            sa.update(Output)
            .where(Output.subject_id == draft)
            .values(state=OutputState.RELEASED, consent_version=1)
        )
        moved(newsroom.deliveries(alert_id)[0], subject_id=draft)
        approved = newsroom.alert(alert_id).approval
        forged = {"state": AlertState.PUBLISHING, "approved_by": bob.id, "approval": approved}
        set_row(Alert, draft, **forged, consent_version=1)

        assert len(newsroom.texts_sent()) == 1
        assert newsroom.state(draft) is AlertState.PAUSED

    def test_what_was_opened_once_is_not_read_again(self, newsroom: Newsroom, alert_id: uuid.UUID) -> None:
        first = newsroom.texts_sent()
        for delivery in newsroom.deliveries(alert_id):
            moved(delivery, state=DeliveryState.QUEUED)

        execute(sa.update(AlertText).values(text=b"nonsense"))

        assert newsroom.texts_sent() == first

    def test_a_scheduled_one_does_not_begin(self, newsroom: Newsroom, alice: Colleague) -> None:
        report = newsroom.ready(Consents(warn_others=True, when=When.AFTER_SEEN))
        alert_id = newsroom.approved(report)
        report.let_go()
        set_row(Alert, alert_id, approved_by=alice.id)

        jobs.begin_due()

        assert newsroom.state(alert_id) is AlertState.PAUSED
        assert newsroom.claim() == []
