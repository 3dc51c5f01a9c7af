"""Changes between drafting, approval and sending: the state at sending decides."""

import uuid

import pytest
import sqlalchemy as sa

from alerts.membership.models import Level, Member
from alerts.publishing import alert_kind
from alerts.publishing.models import AlertAuthor, AlertState
from tests.make.alerts import Newsroom, member
from tests.make.cast import Colleague
from tests.make.clock import MovableClock
from ugly_mugs.database.engine import db
from ugly_mugs.outbox import claims
from ugly_mugs.outbox.claims import Allowance
from ugly_mugs.outbox.models import Channel
from ugly_mugs.outbox.registry import Registry


def change(member_id: uuid.UUID, **values: object) -> None:
    db.session.execute(sa.update(Member).where(Member.id == member_id).values(**values))
    db.session.commit()


@pytest.mark.parametrize(
    ("at_approval", "now", "full"),
    [(Level.FULL, Level.NEUTRAL, False), (Level.NEUTRAL, Level.FULL, False), (Level.FULL, Level.FULL, True)],
)
def test_a_message_says_no_more_than_the_member_wants_when_it_leaves(
    newsroom: Newsroom, alice: Colleague, bob: Colleague, at_approval: Level, now: Level, full: bool
) -> None:
    person = member(level=at_approval)
    newsroom.approved(alice, bob)
    change(person, level=now)

    (text,) = newsroom.texts_sent()

    assert ("blue van" in text) is full


def test_members_who_no_longer_want_to_be_woken_are_not(
    newsroom: Newsroom, alice: Colleague, bob: Colleague, clock: MovableClock
) -> None:
    still, no_longer = member(wake=True), member(wake=True)
    newsroom.approved(alice, bob, severity="danger")
    change(no_longer, wake_for_danger=False)

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
    newsroom: Newsroom, alice: Colleague, bob: Colleague, carol: Colleague
) -> None:
    alert_id = newsroom.submitted(carol)
    page = newsroom.page(alert_id, bob)
    db.session.execute(sa.update(AlertAuthor).values(staff_id=alice.id))
    db.session.commit()

    answer = newsroom.press(
        alert_id, "approve", carol, **{name: _hidden(page.text, name) for name in ("seen", "consent")}
    )

    assert answer.status_code == 403
    assert newsroom.state(alert_id) is AlertState.SUBMITTED


def test_what_is_hidden_after_the_leak_check_sends_the_text_back_to_be_checked(
    newsroom: Newsroom, alice: Colleague, bob: Colleague
) -> None:
    report = newsroom.ready(alice)
    alert_id = newsroom.submitted(alice, report)
    page = newsroom.page(alert_id, bob)
    newsroom.redact(report, alice, hide="hotel", seen_version=newsroom.redaction_version(report))

    answer = newsroom.approve(alert_id, bob, page)

    assert answer.status_code == 409
    assert "The report has changed since this text was checked" in answer.text
    assert newsroom.state(alert_id) is AlertState.SUBMITTED


def _hidden(page: str, name: str) -> str:
    return page.split(f'name="{name}" value="', 1)[1].split('"', 1)[0]
