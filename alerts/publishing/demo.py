"""One invented alert for the demo: drafted by alice, approved by bob, queued for the worker."""

from alerts.publishing import approval, draft_keys, drafting, versions
from alerts.publishing.drafting import DeskContext
from alerts.publishing.models import ALERT_OUTPUT
from alerts.publishing.texts import approval_hash
from reporting.desk import services as desk
from reporting.record import outputs
from reporting.record.contents import known_about_reporter
from reporting.record.opening import OpenedReport, open_report
from reporting.redaction import services as redaction, spans
from ugly_mugs.accounts.guard import SignedInStaff
from ugly_mugs.database.engine import db
from ugly_mugs.operations.demo import Scene
from ugly_mugs.runtime import runtime

# The words that alice hides in the first invented report.
HIDDEN = "My friend Wren waited at the corner."


def invent_alert(scene: Scene) -> None:
    """Make an alert from the first invented report; a running worker then sends it."""
    alice, bob = scene.staff["alice"], scene.staff["bob"]
    opened = open_report(report_id=scene.filed[0], staff=alice, now=scene.now)
    desk.assign(report_id=opened.report.id, staff_id=alice.id, seen_assignee_id=None, now=scene.now)
    _redact(opened, alice, scene)
    alert = versions.start(opened, DeskContext.of(alice, scene.now))
    if not drafting.submit(alert, DeskContext.of(alice, scene.now)):
        raise RuntimeError("the invented alert says something about its reporter")
    output = outputs.of_subject(ALERT_OUTPUT, alert.id)
    assert output is not None  # nosec B101: proposed with the draft
    approval.approve(
        alert.id,
        DeskContext.of(bob, scene.now),
        seen=approval_hash.current_hash(alert, draft_keys.open_draft_key(alert, bob), vault=scene.vault),
        seen_consent=output.consent_version,
        hours=runtime().settings.quiet_hours,
    )


def _redact(opened: OpenedReport, alice: SignedInStaff, scene: Scene) -> None:
    account = opened.contents.account
    hidden = spans.occurrences(account, HIDDEN)
    kept = redaction.save_spans(
        report_id=opened.report.id,
        account=account,
        spans=hidden,
        seen_version=0,
        content_key=opened.content_key,
        staff_id=alice.id,
        now=scene.now,
    )
    db.session.flush()
    redaction.settle(
        report_id=opened.report.id,
        account=account,
        text=spans.redact(account, hidden).text,
        known=known_about_reporter(opened.contents),
        seen_version=kept.version,
        content_key=opened.content_key,
        staff_id=alice.id,
        now=scene.now,
    )
    db.session.flush()
