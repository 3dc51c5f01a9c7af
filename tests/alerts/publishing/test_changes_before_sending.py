"""Changes between drafting, approval and sending: the state at sending decides."""

import pytest
import sqlalchemy as sa

from alerts.membership.models import Level, Member
from alerts.publishing import alert_kind
from alerts.publishing.models import AlertAuthor, AlertState
from tests.make.alerts import Newsroom, member
from tests.make.cast import Colleague
from tests.make.clock import MovableClock
from tests.make.databases import execute, set_row
from ugly_mugs.outbox import claims
from ugly_mugs.outbox.claims import Allowance
from ugly_mugs.outbox.models import Channel
from ugly_mugs.outbox.registry import Registry


@pytest.mark.parametrize(
    ("at_approval", "now", "full"),
    [(Level.FULL, Level.NEUTRAL, False), (Level.NEUTRAL, Level.FULL, False), (Level.FULL, Level.FULL, True)],
)
def test_a_message_says_no_more_than_the_member_wants_when_it_leaves(
    newsroom: Newsroom, at_approval: Level, now: Level, full: bool
) -> None:
    person = member(level=at_approval)
    newsroom.approved()
    set_row(Member, person, level=now)

    (text,) = newsroom.texts_sent()

    assert ("blue van" in text) is full


def test_members_who_no_longer_want_to_be_woken_are_not(newsroom: Newsroom, clock: MovableClock) -> None:
    still, no_longer = member(wake=True), member(wake=True)
    newsroom.approved(severity="danger")
    set_row(Member, no_longer, wake_for_danger=False)

    claimed = claims.claim(
        Registry(kinds=[alert_kind.ALERT]),
        channel=Channel.SMS,
        allowance=Allowance(segments=100, rows=100),
        now=clock.now(),
        lease_ends_at=clock.now(),
        quiet=True,
    )

    assert [delivery.recipient_id for delivery in claimed] == [still]


def test_an_author_whose_name_was_taken_off_the_rows_still_cannot_approve(
    newsroom: Newsroom, carol: Colleague
) -> None:
    alert_id = newsroom.submitted(by=carol)
    page = newsroom.approval_page(alert_id)
    execute(sa.update(AlertAuthor).values(staff_id=newsroom.author.id))

    answer = newsroom.approve(alert_id, page, by=carol)

    assert answer.status_code == 403
    assert newsroom.state(alert_id) is AlertState.SUBMITTED


def test_what_is_hidden_after_the_leak_check_sends_the_text_back_to_be_checked(newsroom: Newsroom) -> None:
    report = newsroom.ready()
    alert_id = newsroom.submitted(report)
    page = newsroom.approval_page(alert_id)
    newsroom.redact(report, hide="hotel")

    answer = newsroom.approve(alert_id, page)

    assert answer.status_code == 409
    assert "The report has changed since this text was checked" in answer.text
    assert newsroom.state(alert_id) is AlertState.SUBMITTED
