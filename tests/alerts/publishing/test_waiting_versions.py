"""A new version that waits: until it is sent, members have the version before it."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from alerts.publishing import jobs, queries
from alerts.publishing.models import Alert, AlertState, Change
from reporting.record.consents import Consents, When
from reporting.record.models import OutputState
from tests.alerts.publishing.steps import ELSEWHERE, next_version
from tests.make.alerts import Newsroom, TheReport, member, moved
from tests.make.cast import Colleague
from ugly_mugs.database.engine import db, is_sqlite
from ugly_mugs.migrations import grants
from ugly_mugs.outbox.models import Channel, DeliveryState

_D = DeliveryState


@contextmanager
def as_the_worker() -> Iterator[None]:
    """Run with the rights of the worker's database role; SQLite has no roles."""
    if is_sqlite():
        yield
        return
    with db.engine.begin() as connection:
        grants.apply(connection)

    def narrow(connection: sa.Connection) -> None:
        connection.exec_driver_sql(f"SET LOCAL ROLE {grants.Role.WORKER}")

    sa.event.listen(db.engine, "begin", narrow)
    try:
        yield
    finally:
        db.session.rollback()
        sa.event.remove(db.engine, "begin", narrow)


class TestANewVersionThatWaits:
    @pytest.fixture
    def reader(self) -> uuid.UUID:
        return member()

    @pytest.fixture
    def report(self, newsroom: Newsroom, alice: Colleague) -> TheReport:
        return newsroom.ready(alice, Consents(warn_others=True, when=When.AFTER_SEEN))

    @pytest.fixture
    def first(
        self, newsroom: Newsroom, alice: Colleague, bob: Colleague, reader: uuid.UUID, report: TheReport
    ) -> uuid.UUID:
        """A version being sent, with one delivery still queued."""
        first = newsroom.approved(alice, bob, report)
        report.let_go()
        jobs.begin_due()
        return first

    def approved(
        self,
        newsroom: Newsroom,
        first: uuid.UUID,
        alice: Colleague,
        bob: Colleague,
        change: Change,
        **changes: object,
    ) -> uuid.UUID:
        second = next_version(newsroom, first, alice, change)
        newsroom.submit(second, alice, **changes)
        assert newsroom.approve(second, bob).status_code == 303
        jobs.begin_due()
        jobs.finish()
        assert newsroom.state(second) is AlertState.SCHEDULED
        return second

    def shown(self, newsroom: Newsroom) -> list[uuid.UUID]:
        """The alerts that members can read."""
        db.session.rollback()
        return [alert.id for alert in queries.current_alerts(newsroom.clock.now())]

    def test_an_update_leaves_the_former_one_as_it_is_until_it_leaves(
        self,
        newsroom: Newsroom,
        alice: Colleague,
        bob: Colleague,
        reader: uuid.UUID,
        report: TheReport,
        first: uuid.UUID,
    ) -> None:
        second = self.approved(newsroom, first, alice, bob, Change.UPDATE)

        assert self.shown(newsroom) == [first]
        assert newsroom.output(first).state is OutputState.RELEASED
        assert "the version before it goes on as it was" in newsroom.page(second, alice).text
        assert [delivery.subject_id for delivery in newsroom.claim()] == [first]

        report.let_go()
        jobs.begin_due()
        jobs.finish()

        assert newsroom.state(first) is AlertState.SUPERSEDED
        assert newsroom.output(first).state is OutputState.ENDED
        assert self.shown(newsroom) == [second]
        assert newsroom.recipients(second) == {(reader, Channel.SMS)}

    @pytest.mark.parametrize("change", [Change.UPDATE, Change.CORRECTION])
    def test_the_worker_needs_no_more_rights_than_it_has_to_replace_one(
        self,
        newsroom: Newsroom,
        alice: Colleague,
        bob: Colleague,
        report: TheReport,
        first: uuid.UUID,
        change: Change,
    ) -> None:
        second = self.approved(newsroom, first, alice, bob, change)
        report.let_go()

        with as_the_worker():
            jobs.begin_due()
            jobs.finish()

        assert newsroom.state(first) is AlertState.SUPERSEDED
        assert newsroom.output(first).state is OutputState.ENDED
        assert self.shown(newsroom) == [second]

    def test_what_still_waited_of_the_former_one_is_cancelled_when_the_new_one_leaves(
        self, newsroom: Newsroom, alice: Colleague, bob: Colleague, report: TheReport, first: uuid.UUID
    ) -> None:
        self.approved(newsroom, first, alice, bob, Change.UPDATE)
        assert {delivery.state for delivery in newsroom.deliveries(first)} == {_D.QUEUED}

        report.let_go()
        jobs.begin_due()
        jobs.finish()

        assert {delivery.state for delivery in newsroom.deliveries(first)} == {_D.CANCELLED}

    @pytest.mark.parametrize("sent", [False, True])
    def test_nothing_more_of_what_is_wrong_leaves_while_its_correction_waits(
        self,
        newsroom: Newsroom,
        alice: Colleague,
        bob: Colleague,
        reader: uuid.UUID,
        report: TheReport,
        first: uuid.UUID,
        sent: bool,
    ) -> None:
        if sent:
            moved(newsroom.deliveries(first)[0], state=_D.DELIVERED)
            jobs.finish()
        second = self.approved(newsroom, first, alice, bob, Change.CORRECTION, **ELSEWHERE)

        assert newsroom.state(first) is (AlertState.RESTRICTED if sent else AlertState.PAUSED)
        assert newsroom.output(first).state is OutputState.RELEASED
        assert self.shown(newsroom) == [] and newsroom.claim() == []
        assert "A correction of this one waits" in newsroom.page(first, alice).text
        assert "The version before this one is stopped" in newsroom.page(second, alice).text

        report.let_go()
        jobs.begin_due()

        assert newsroom.state(first) is AlertState.SUPERSEDED
        assert self.shown(newsroom) == [second]
        assert newsroom.recipients(second) == ({(reader, Channel.SMS)} if sent else set())

    def test_members_who_got_the_former_one_while_its_correction_waited_are_corrected(
        self,
        newsroom: Newsroom,
        alice: Colleague,
        bob: Colleague,
        reader: uuid.UUID,
        report: TheReport,
        first: uuid.UUID,
    ) -> None:
        second = self.approved(newsroom, first, alice, bob, Change.CORRECTION, **ELSEWHERE)
        assert newsroom.recipients(second) == set()
        newsroom.press(first, "resume", alice)
        jobs.finish()
        assert len(newsroom.claim()) == 1

        report.let_go()
        jobs.begin_due()

        assert newsroom.state(first) is AlertState.SUPERSEDED
        assert newsroom.recipients(second) == {(reader, Channel.SMS)}

    @pytest.mark.parametrize("button", ["cancel", "edit"])
    @pytest.mark.parametrize("change", [Change.UPDATE, Change.CORRECTION])
    def test_one_that_comes_to_nothing_leaves_the_former_one(
        self,
        newsroom: Newsroom,
        alice: Colleague,
        bob: Colleague,
        first: uuid.UUID,
        change: Change,
        button: str,
    ) -> None:
        second = self.approved(newsroom, first, alice, bob, change)

        assert newsroom.press(second, button, alice).status_code == 303
        if change is Change.CORRECTION:
            assert "press “Go on”" in newsroom.page(second, alice).text
            assert newsroom.press(first, "resume", bob).status_code == 303
        jobs.begin_due()
        jobs.finish()

        assert newsroom.state(first) is AlertState.PUBLISHING
        assert self.shown(newsroom) == [first]
        assert [delivery.subject_id for delivery in newsroom.claim()] == [first]

    def test_one_that_is_not_as_approved_does_not_take_the_place_of_the_former_one(
        self,
        newsroom: Newsroom,
        alice: Colleague,
        bob: Colleague,
        report: TheReport,
        first: uuid.UUID,
    ) -> None:
        second = self.approved(newsroom, first, alice, bob, Change.UPDATE)
        db.session.execute(sa.update(Alert).where(Alert.id == second).values(approved_by=alice.id))
        db.session.commit()
        report.let_go()

        jobs.begin_due()
        assert newsroom.state(second) is AlertState.PAUSED
        assert self.shown(newsroom) == [first]
        db.session.execute(sa.update(Alert).where(Alert.id == second).values(approved_by=bob.id))
        db.session.commit()
        newsroom.press(second, "resume", bob)

        assert newsroom.state(first) is AlertState.SUPERSEDED
        assert self.shown(newsroom) == [second]

    def test_a_hold_on_the_former_one_is_over_once_the_new_one_has_left(
        self, newsroom: Newsroom, alice: Colleague, bob: Colleague
    ) -> None:
        report = newsroom.ready(alice)
        first = newsroom.approved(alice, bob, report)
        report.hold()
        second = self.approved(newsroom, first, alice, bob, Change.UPDATE)
        report.let_go()
        jobs.begin_due()
        assert newsroom.state(first) is AlertState.SUPERSEDED

        third = next_version(newsroom, second, alice)
        newsroom.submit(third, alice)
        newsroom.approve(third, bob)

        assert not newsroom.output(third).held
        assert newsroom.state(third) is AlertState.PUBLISHING
