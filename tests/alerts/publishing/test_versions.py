"""Updates and corrections: who gets the new version, and what becomes of the former one."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from alerts.membership.models import MemberState, Sector, Subscription
from alerts.publishing import jobs, queries
from alerts.publishing.models import Alert, AlertState, Change
from reporting.record.consents import Consents, When
from reporting.record.models import OutputState
from tests.make.alerts import Newsroom, TheReport, member, moved
from tests.make.cast import Colleague
from ugly_mugs.accounts.models import MemberKind
from ugly_mugs.database.engine import db, is_sqlite
from ugly_mugs.migrations import grants
from ugly_mugs.outbox.models import Channel, DeliveryState

_D = DeliveryState
UNSENT = {_D.QUEUED, _D.HELD, _D.SUPPRESSED, _D.EXPIRED, _D.CANCELLED}
ELSEWHERE = {"regions": ["wales"]}


@contextmanager
def as_the_worker() -> Iterator[None]:
    """With the rights of the worker's role and no others; on SQLite there are no roles."""
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


def next_version(
    newsroom: Newsroom, former: uuid.UUID, alice: Colleague, change: Change = Change.CORRECTION
) -> uuid.UUID:
    answer = newsroom.press(former, "version", alice, change=change.value)
    assert answer.status_code == 303, answer.text
    return uuid.UUID(answer.location.rsplit("/", 1)[1])


@pytest.mark.parametrize("state", DeliveryState)
def test_a_correction_reaches_whoever_may_have_got_the_former_version(
    newsroom: Newsroom, alice: Colleague, bob: Colleague, state: DeliveryState
) -> None:
    reader = member()
    first = newsroom.approved(alice, bob)
    moved(newsroom.deliveries(first)[0], state=state)
    second = next_version(newsroom, first, alice)

    newsroom.submit(second, alice, **ELSEWHERE)
    newsroom.approve(second, bob)

    expected = set() if state in UNSENT else {(reader, Channel.SMS)}
    assert newsroom.recipients(second) == expected


def test_one_that_waits_again_after_it_was_accepted_counts_as_sent(
    newsroom: Newsroom, alice: Colleague, bob: Colleague
) -> None:
    reader = member()
    first = newsroom.approved(alice, bob)
    moved(newsroom.deliveries(first)[0], state=DeliveryState.QUEUED, attempt=1, retries=1)
    second = next_version(newsroom, first, alice)

    newsroom.submit(second, alice, **ELSEWHERE)
    newsroom.approve(second, bob)

    assert newsroom.recipients(second) == {(reader, Channel.SMS)}


def test_a_correction_does_not_reach_somebody_who_said_stop(
    newsroom: Newsroom, alice: Colleague, bob: Colleague
) -> None:
    stopped, reader = member(), member()
    first = newsroom.approved(alice, bob)
    for delivery in newsroom.deliveries(first):
        moved(delivery, state=DeliveryState.DELIVERED)
    db.session.execute(sa.update(Subscription).where(Subscription.member_id == stopped).values(live=False))
    db.session.commit()
    second = next_version(newsroom, first, alice)

    newsroom.submit(second, alice)
    newsroom.approve(second, bob)

    assert newsroom.recipients(second) == {(reader, Channel.SMS)}


def test_a_correction_reaches_those_who_got_only_the_first_of_three(
    newsroom: Newsroom, alice: Colleague, bob: Colleague
) -> None:
    reader = member()
    first = newsroom.approved(alice, bob)
    moved(newsroom.deliveries(first)[0], state=DeliveryState.DELIVERED)
    second = next_version(newsroom, first, alice, Change.UPDATE)
    newsroom.submit(second, alice, **ELSEWHERE)
    newsroom.approve(second, bob)
    assert newsroom.recipients(second) == set()

    third = next_version(newsroom, second, alice)
    newsroom.submit(third, alice, **ELSEWHERE)
    newsroom.approve(third, bob)

    assert newsroom.recipients(third) == {(reader, Channel.SMS)}


def test_a_new_match_gets_the_current_version_only(
    newsroom: Newsroom, alice: Colleague, bob: Colleague
) -> None:
    first = newsroom.approved(alice, bob)
    newcomer = member()
    second = next_version(newsroom, first, alice, Change.UPDATE)

    newsroom.submit(second, alice)
    newsroom.approve(second, bob)

    assert newsroom.recipients(first) == set()
    assert newsroom.recipients(second) == {(newcomer, Channel.SMS)}
    assert newsroom.texts_sent()[0].startswith("Changed notice ")


def test_the_former_version_ends_with_the_approval_of_the_new_one(
    newsroom: Newsroom, alice: Colleague, bob: Colleague
) -> None:
    member()
    first = newsroom.approved(alice, bob)
    second = next_version(newsroom, first, alice)
    newsroom.submit(second, alice)
    assert newsroom.state(first) is AlertState.PUBLISHING

    newsroom.approve(second, bob)
    jobs.finish()

    assert newsroom.state(first) is AlertState.SUPERSEDED
    assert newsroom.output(first).state is OutputState.ENDED
    assert {each.state for each in newsroom.deliveries(first)} == {DeliveryState.CANCELLED}
    assert newsroom.state(second) is AlertState.PUBLISHING
    assert newsroom.alert(second).version == 2


def test_somebody_being_sent_the_former_version_at_that_very_moment_is_corrected(
    newsroom: Newsroom, alice: Colleague, bob: Colleague
) -> None:
    reader = member()
    first = newsroom.approved(alice, bob)
    second = next_version(newsroom, first, alice)
    newsroom.submit(second, alice, **ELSEWHERE)
    newsroom.approve(second, bob)
    assert newsroom.recipients(second) == set()

    moved(newsroom.deliveries(first)[0], state=DeliveryState.SENT)
    jobs.finish()

    assert newsroom.recipients(second) == {(reader, Channel.SMS)}
    assert newsroom.state(second) is AlertState.PUBLISHING


def test_the_authors_of_a_new_version_cannot_approve_it(
    newsroom: Newsroom, alice: Colleague, bob: Colleague, carol: Colleague
) -> None:
    first = newsroom.approved(alice, carol)

    second = next_version(newsroom, first, carol)
    newsroom.submit(second, carol)

    assert newsroom.state(second) is AlertState.SUBMITTED
    assert newsroom.approve(second, bob).status_code == 303


def test_only_one_new_version_is_written_at_a_time(
    newsroom: Newsroom, alice: Colleague, bob: Colleague
) -> None:
    first = newsroom.approved(alice, bob)
    next_version(newsroom, first, alice)

    assert newsroom.press(first, "version", alice, change="update").status_code == 409


@pytest.mark.parametrize("change", ["", "first", "nonsense"])
def test_a_new_version_says_what_it_is(
    newsroom: Newsroom, alice: Colleague, bob: Colleague, change: str
) -> None:
    first = newsroom.approved(alice, bob)

    assert newsroom.press(first, "version", alice, change=change).status_code == 400


def test_an_ended_one_gets_no_new_version(newsroom: Newsroom, alice: Colleague, bob: Colleague) -> None:
    first = newsroom.approved(alice, bob)
    newsroom.press(first, "cancel", alice)

    assert newsroom.press(first, "version", alice, change="update").status_code == 409


def test_the_approver_sees_how_many_a_correction_reaches_besides(
    newsroom: Newsroom, alice: Colleague, bob: Colleague
) -> None:
    member()
    first = newsroom.approved(alice, bob)
    moved(newsroom.deliveries(first)[0], state=DeliveryState.DELIVERED)
    second = next_version(newsroom, first, alice)
    newsroom.submit(second, alice, **ELSEWHERE)

    assert "1 more message goes to somebody" in newsroom.page(second, bob).text


class TestANewVersionThatWaits:
    """Until it leaves, and perhaps it never does, the version before it is all that members have."""

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
        """On its way, with one delivery that still waits."""
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
        """What members read on their page."""
        db.session.rollback()
        return [each.id for each in queries.current_alerts(newsroom.clock.now())]

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
        assert [each.subject_id for each in newsroom.claim()] == [first]

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
        assert {each.state for each in newsroom.deliveries(first)} == {_D.QUEUED}

        report.let_go()
        jobs.begin_due()
        jobs.finish()

        assert {each.state for each in newsroom.deliveries(first)} == {_D.CANCELLED}

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

    def test_whoever_got_the_former_one_while_its_correction_waited_is_corrected(
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

    @pytest.mark.parametrize("deed", ["cancel", "edit"])
    @pytest.mark.parametrize("change", [Change.UPDATE, Change.CORRECTION])
    def test_one_that_comes_to_nothing_leaves_the_former_one(
        self,
        newsroom: Newsroom,
        alice: Colleague,
        bob: Colleague,
        first: uuid.UUID,
        change: Change,
        deed: str,
    ) -> None:
        second = self.approved(newsroom, first, alice, bob, change)

        assert newsroom.press(second, deed, alice).status_code == 303
        if change is Change.CORRECTION:
            assert "press “Go on”" in newsroom.page(second, alice).text
            assert newsroom.press(first, "resume", bob).status_code == 303
        jobs.begin_due()
        jobs.finish()

        assert newsroom.state(first) is AlertState.PUBLISHING
        assert self.shown(newsroom) == [first]
        assert [each.subject_id for each in newsroom.claim()] == [first]

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


class TestThirdParties:
    """Establishments hear of a manager or third party only when a moderator says so."""

    OFFENDERS = [{"relation": "third_party", "build": "broad"}]

    def test_an_establishment_hears_nothing_by_itself(
        self, newsroom: Newsroom, alice: Colleague, bob: Colleague
    ) -> None:
        member(kind=MemberKind.ESTABLISHMENT)
        person = member()
        report = newsroom.ready(alice, offenders=self.OFFENDERS)

        alert_id = newsroom.approved(alice, bob, report)

        assert newsroom.recipients(alert_id) == {(person, Channel.SMS)}

    def test_a_moderator_can_say_so(self, newsroom: Newsroom, alice: Colleague, bob: Colleague) -> None:
        parlour = member(kind=MemberKind.ESTABLISHMENT)
        report = newsroom.ready(alice, offenders=self.OFFENDERS)

        alert_id = newsroom.approved(alice, bob, report, establishments_too="yes")

        assert newsroom.recipients(alert_id) == {(parlour, Channel.SMS)}


def test_what_happened_online_concerns_everybody_who_works_online(
    newsroom: Newsroom, alice: Colleague, bob: Colleague
) -> None:
    online = member(regions=["wales"], sectors=[Sector.ONLINE])
    member(sectors=[Sector.STREET])
    report = newsroom.ready(alice, place={"premises": "online"})

    alert_id = newsroom.approved(alice, bob, report)

    assert newsroom.recipients(alert_id) == {(online, Channel.SMS)}


def test_a_member_who_left_gets_nothing(newsroom: Newsroom, alice: Colleague, bob: Colleague) -> None:
    member(state=MemberState.REMOVED)

    assert newsroom.recipients(newsroom.approved(alice, bob)) == set()
