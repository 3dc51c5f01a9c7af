"""Updates and corrections: who gets the new version, and when the former one ends."""

import pytest
import sqlalchemy as sa

from alerts.membership.models import Subscription
from alerts.publishing import jobs
from alerts.publishing.models import AlertState, Change
from reporting.record.models import OutputState
from tests.make.alerts import ELSEWHERE, Newsroom, member, moved
from tests.make.cast import Colleague
from tests.make.databases import execute
from ugly_mugs.outbox.models import Channel, DeliveryState

_D = DeliveryState
UNSENT = {_D.QUEUED, _D.HELD, _D.SUPPRESSED, _D.EXPIRED, _D.CANCELLED}


@pytest.mark.parametrize("state", DeliveryState)
def test_a_correction_reaches_members_who_may_have_got_the_former_version(
    newsroom: Newsroom, state: DeliveryState
) -> None:
    reader = member()
    first = newsroom.approved()
    moved(newsroom.deliveries(first)[0], state=state)
    second = newsroom.approved_version(first, **ELSEWHERE)

    expected = set() if state in UNSENT else {(reader, Channel.SMS)}
    assert newsroom.recipients(second) == expected


def test_one_that_waits_again_after_it_was_accepted_counts_as_sent(newsroom: Newsroom) -> None:
    reader = member()
    first = newsroom.approved()
    moved(newsroom.deliveries(first)[0], state=DeliveryState.QUEUED, attempt=1, retries=1)
    second = newsroom.approved_version(first, **ELSEWHERE)

    assert newsroom.recipients(second) == {(reader, Channel.SMS)}


def test_a_correction_does_not_reach_somebody_who_said_stop(newsroom: Newsroom) -> None:
    stopped, reader = member(), member()
    first = newsroom.approved()
    for delivery in newsroom.deliveries(first):
        moved(delivery, state=DeliveryState.DELIVERED)
    execute(sa.update(Subscription).where(Subscription.member_id == stopped).values(live=False))
    second = newsroom.approved_version(first)

    assert newsroom.recipients(second) == {(reader, Channel.SMS)}


def test_a_correction_reaches_those_who_got_only_the_first_of_three(newsroom: Newsroom) -> None:
    reader = member()
    first = newsroom.approved()
    moved(newsroom.deliveries(first)[0], state=DeliveryState.DELIVERED)
    second = newsroom.approved_version(first, Change.UPDATE, **ELSEWHERE)
    assert newsroom.recipients(second) == set()

    third = newsroom.approved_version(second, **ELSEWHERE)

    assert newsroom.recipients(third) == {(reader, Channel.SMS)}


def test_a_new_match_gets_the_current_version_only(newsroom: Newsroom) -> None:
    first = newsroom.approved()
    newcomer = member()
    second = newsroom.approved_version(first, Change.UPDATE)

    assert newsroom.recipients(first) == set()
    assert newsroom.recipients(second) == {(newcomer, Channel.SMS)}
    assert newsroom.texts_sent()[0].startswith("Changed notice ")


def test_the_former_version_ends_with_the_approval_of_the_new_one(newsroom: Newsroom) -> None:
    member()
    first = newsroom.approved()
    second = newsroom.next_version(first)
    newsroom.submit(second)
    assert newsroom.state(first) is AlertState.PUBLISHING

    newsroom.approve(second)
    jobs.finish()

    assert newsroom.state(first) is AlertState.SUPERSEDED
    assert newsroom.output(first).state is OutputState.ENDED
    assert {delivery.state for delivery in newsroom.deliveries(first)} == {DeliveryState.CANCELLED}
    assert newsroom.state(second) is AlertState.PUBLISHING
    assert newsroom.alert(second).version == 2


def test_somebody_being_sent_the_former_version_at_that_very_moment_is_corrected(newsroom: Newsroom) -> None:
    reader = member()
    first = newsroom.approved()
    second = newsroom.approved_version(first, **ELSEWHERE)
    assert newsroom.recipients(second) == set()

    moved(newsroom.deliveries(first)[0], state=DeliveryState.SENT)
    jobs.finish()

    assert newsroom.recipients(second) == {(reader, Channel.SMS)}
    assert newsroom.state(second) is AlertState.PUBLISHING


def test_the_authors_of_a_new_version_cannot_approve_it(newsroom: Newsroom, carol: Colleague) -> None:
    first = newsroom.submitted()
    newsroom.approve(first, by=carol)

    second = newsroom.next_version(first, by=carol)
    newsroom.submit(second, by=carol)

    assert newsroom.state(second) is AlertState.SUBMITTED
    assert newsroom.approve(second).status_code == 303


def test_only_one_new_version_is_written_at_a_time(newsroom: Newsroom) -> None:
    first = newsroom.approved()
    newsroom.next_version(first)

    assert newsroom.press(first, "version", change="update").status_code == 409


@pytest.mark.parametrize("change", ["", "first", "nonsense"])
def test_a_new_version_says_what_it_is(newsroom: Newsroom, change: str) -> None:
    first = newsroom.approved()

    assert newsroom.press(first, "version", change=change).status_code == 400


def test_an_ended_one_gets_no_new_version(newsroom: Newsroom) -> None:
    first = newsroom.approved()
    newsroom.press(first, "cancel")

    assert newsroom.press(first, "version", change="update").status_code == 409


def test_the_approver_sees_how_many_a_correction_reaches_besides(newsroom: Newsroom) -> None:
    member()
    first = newsroom.approved()
    moved(newsroom.deliveries(first)[0], state=DeliveryState.DELIVERED)
    second = newsroom.next_version(first)
    newsroom.submit(second, **ELSEWHERE)

    assert "1 more message goes to somebody" in newsroom.approval_page(second).text
