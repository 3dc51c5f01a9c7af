"""The whole path, from a report to a text message."""

import sqlalchemy as sa

from alerts.membership.models import Level
from alerts.publishing.models import AlertState, DraftKey
from reporting.record.models import OutputState
from tests.make.alerts import Newsroom, member
from tests.make.cast import Colleague
from tests.make.databases import count
from ugly_mugs.audit.models import AuditEntry, AuditKind
from ugly_mugs.database.engine import db
from ugly_mugs.outbox.models import Channel, DeliveryState


def test_a_report_becomes_a_text_message(newsroom: Newsroom) -> None:
    neutral, full = member(), member(level=Level.FULL, channels=[Channel.SMS, Channel.EMAIL])
    alert_id = newsroom.draft()

    assert newsroom.submit(alert_id).status_code == 303
    assert newsroom.state(alert_id) is AlertState.SUBMITTED
    assert newsroom.approve(alert_id).status_code == 303

    assert newsroom.state(alert_id) is AlertState.PUBLISHING
    assert newsroom.output(alert_id).state is OutputState.RELEASED
    assert newsroom.recipients(alert_id) == {
        (neutral, Channel.SMS),
        (full, Channel.SMS),
        (full, Channel.EMAIL),
    }
    reference = newsroom.alert(alert_id).family.reference
    neutral_text, full_text = sorted(newsroom.texts_sent(), key=len)
    assert neutral_text == f"New notice {reference}, see http://127.0.0.1:8000"
    assert ": reported: " in full_text and "robbery or theft and threats" in full_text
    assert "Leeds" in full_text and "blue van" in full_text and "Marisol" not in full_text
    (mail,) = newsroom.texts_sent(Channel.EMAIL)
    assert "This was reported: " in mail
    assert {delivery.state for delivery in newsroom.deliveries(alert_id)} == {DeliveryState.ATTEMPTING}


def test_nobody_holds_a_draft_key_once_it_is_approved(newsroom: Newsroom) -> None:
    newsroom.approved()

    assert count(DraftKey) == 0


def test_each_step_is_in_the_audit_log(newsroom: Newsroom, alice: Colleague, bob: Colleague) -> None:
    alert_id = newsroom.approved()

    kinds = db.session.execute(
        sa.select(AuditEntry.kind, AuditEntry.actor_id).where(AuditEntry.subject_id == alert_id)
    ).all()
    assert set(map(tuple, kinds)) == {
        (AuditKind.ALERT_DRAFTED, alice.id),
        (AuditKind.ALERT_EDITED, alice.id),
        (AuditKind.ALERT_SUBMITTED, alice.id),
        (AuditKind.ALERT_APPROVED, bob.id),
    }


def test_a_report_has_one_alert_that_nobody_has_decided_about(newsroom: Newsroom, carol: Colleague) -> None:
    report = newsroom.ready()
    first = newsroom.draft(report)
    assert newsroom.draft(report, by=carol) == first
    newsroom.submit(first)
    assert newsroom.state(first) is AlertState.SUBMITTED

    # Carol clicks on a page that was drawn before the draft was submitted.
    assert newsroom.draft(report, by=carol) == first
