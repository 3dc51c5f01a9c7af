"""A new version that waits: until it is sent, members have the version before it."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
import sqlalchemy as sa

from alerts.publishing import jobs, queries
from alerts.publishing.models import Alert, AlertState, Change
from reporting.record.consents import Consents, When
from reporting.record.models import OutputState
from tests.make.alerts import ELSEWHERE, AlertReport, Newsroom, member, moved
from tests.make.databases import set_row
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


@dataclass
class Waiting:
    """An alert that is being sent, with one delivery still queued, and the reporter's wish to see each version."""

    newsroom: Newsroom
    report: AlertReport
    reader: uuid.UUID
    first: uuid.UUID

    def approve_next(self, change: Change, **changes: object) -> uuid.UUID:
        """A second version that waits for the reporter."""
        second = self.newsroom.approved_version(self.first, change, **changes)
        jobs.begin_due()
        jobs.finish()
        assert self.newsroom.state(second) is AlertState.SCHEDULED
        return second

    def let_go(self) -> None:
        self.report.let_go()
        jobs.begin_due()

    @property
    def shown(self) -> list[uuid.UUID]:
        """The alerts that members can read."""
        db.session.rollback()
        return [alert.id for alert in queries.current_alerts(self.newsroom.clock.now())]


@pytest.fixture
def waiting(newsroom: Newsroom) -> Waiting:
    reader = member()
    report = newsroom.ready(Consents(warn_others=True, when=When.AFTER_SEEN))
    made = Waiting(newsroom, report, reader, newsroom.approved(report))
    made.let_go()
    return made


def test_an_update_leaves_the_former_one_as_it_is_until_it_leaves(
    waiting: Waiting, newsroom: Newsroom
) -> None:
    second = waiting.approve_next(Change.UPDATE)

    assert waiting.shown == [waiting.first]
    assert newsroom.output(waiting.first).state is OutputState.RELEASED
    assert "the version before it goes on as it was" in newsroom.page(second).text
    assert [delivery.subject_id for delivery in newsroom.claim()] == [waiting.first]

    waiting.let_go()
    jobs.finish()

    assert newsroom.state(waiting.first) is AlertState.SUPERSEDED
    assert newsroom.output(waiting.first).state is OutputState.ENDED
    assert waiting.shown == [second]
    assert newsroom.recipients(second) == {(waiting.reader, Channel.SMS)}


@pytest.mark.parametrize("change", [Change.UPDATE, Change.CORRECTION])
def test_the_worker_needs_no_more_rights_than_it_has_to_replace_one(
    waiting: Waiting, newsroom: Newsroom, change: Change
) -> None:
    second = waiting.approve_next(change)
    waiting.report.let_go()

    with as_the_worker():
        jobs.begin_due()
        jobs.finish()

    assert newsroom.state(waiting.first) is AlertState.SUPERSEDED
    assert newsroom.output(waiting.first).state is OutputState.ENDED
    assert waiting.shown == [second]


def test_what_still_waited_of_the_former_one_is_cancelled_when_the_new_one_leaves(
    waiting: Waiting, newsroom: Newsroom
) -> None:
    waiting.approve_next(Change.UPDATE)
    assert {delivery.state for delivery in newsroom.deliveries(waiting.first)} == {_D.QUEUED}

    waiting.let_go()
    jobs.finish()

    assert {delivery.state for delivery in newsroom.deliveries(waiting.first)} == {_D.CANCELLED}


@pytest.mark.parametrize("sent", [False, True])
def test_nothing_more_of_what_is_wrong_leaves_while_its_correction_waits(
    waiting: Waiting, newsroom: Newsroom, sent: bool
) -> None:
    if sent:
        moved(newsroom.deliveries(waiting.first)[0], state=_D.DELIVERED)
        jobs.finish()
    second = waiting.approve_next(Change.CORRECTION, **ELSEWHERE)

    assert newsroom.state(waiting.first) is (AlertState.RESTRICTED if sent else AlertState.PAUSED)
    assert newsroom.output(waiting.first).state is OutputState.RELEASED
    assert waiting.shown == [] and newsroom.claim() == []
    assert "A correction of this one waits" in newsroom.page(waiting.first).text
    assert "The version before this one is stopped" in newsroom.page(second).text

    waiting.let_go()

    assert newsroom.state(waiting.first) is AlertState.SUPERSEDED
    assert waiting.shown == [second]
    assert newsroom.recipients(second) == ({(waiting.reader, Channel.SMS)} if sent else set())


def test_members_who_got_the_former_one_while_its_correction_waited_are_corrected(
    waiting: Waiting, newsroom: Newsroom
) -> None:
    second = waiting.approve_next(Change.CORRECTION, **ELSEWHERE)
    assert newsroom.recipients(second) == set()
    newsroom.press(waiting.first, "resume")
    jobs.finish()
    assert len(newsroom.claim()) == 1

    waiting.let_go()

    assert newsroom.state(waiting.first) is AlertState.SUPERSEDED
    assert newsroom.recipients(second) == {(waiting.reader, Channel.SMS)}


@pytest.mark.parametrize("button", ["cancel", "edit"])
@pytest.mark.parametrize("change", [Change.UPDATE, Change.CORRECTION])
def test_one_that_comes_to_nothing_leaves_the_former_one(
    waiting: Waiting, newsroom: Newsroom, change: Change, button: str
) -> None:
    second = waiting.approve_next(change)

    assert newsroom.press(second, button).status_code == 303
    if change is Change.CORRECTION:
        assert "press “Go on”" in newsroom.page(second).text
        assert newsroom.press(waiting.first, "resume", newsroom.approver).status_code == 303
    jobs.begin_due()
    jobs.finish()

    assert newsroom.state(waiting.first) is AlertState.PUBLISHING
    assert waiting.shown == [waiting.first]
    assert [delivery.subject_id for delivery in newsroom.claim()] == [waiting.first]


def test_one_that_is_not_as_approved_does_not_take_the_place_of_the_former_one(
    waiting: Waiting, newsroom: Newsroom
) -> None:
    second = waiting.approve_next(Change.UPDATE)
    set_row(Alert, second, approved_by=newsroom.author.id)
    waiting.report.let_go()

    jobs.begin_due()
    assert newsroom.state(second) is AlertState.PAUSED
    assert waiting.shown == [waiting.first]
    set_row(Alert, second, approved_by=newsroom.approver.id)
    newsroom.press(second, "resume", newsroom.approver)

    assert newsroom.state(waiting.first) is AlertState.SUPERSEDED
    assert waiting.shown == [second]


def test_a_hold_on_the_former_one_is_over_once_the_new_one_has_left(newsroom: Newsroom) -> None:
    report = newsroom.ready()
    waiting = Waiting(newsroom, report, member(), newsroom.approved(report))
    report.hold()
    second = waiting.approve_next(Change.UPDATE)
    waiting.let_go()
    assert newsroom.state(waiting.first) is AlertState.SUPERSEDED

    third = newsroom.approved_version(second)

    assert not newsroom.output(third).held
    assert newsroom.state(third) is AlertState.PUBLISHING
