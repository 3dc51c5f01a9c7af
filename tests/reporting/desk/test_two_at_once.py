"""Two moderators act at the same moment: one action succeeds, the other raises Conflict, none is half done."""

from collections.abc import Callable
from functools import partial

import sqlalchemy as sa
from flask import Flask

from reporting.desk import services
from reporting.record.models import ReportMessage, ReportState
from reporting.redaction import services as redaction
from reporting.redaction.models import Redaction
from reporting.redaction.spans import Span
from tests.make.cast import Colleague
from tests.make.databases import count
from tests.make.reports import File
from tests.make.threads import at_once
from ugly_mugs.database.engine import db
from ugly_mugs.errors import Conflict

AT_ONCE = 4


def run_at_once(app: Flask, *actions: Callable[[], object]) -> list[str]:
    """Run the actions in threads and transactions of their own, started at the same moment; their sorted results."""

    def outcome(action: Callable[[], object]) -> str:
        try:
            action()
            db.session.commit()
            return "done"
        except Conflict:
            db.session.rollback()
            return "conflict"

    return sorted(at_once([partial(outcome, action) for action in actions], app))


def test_one_moderator_takes_the_report(app: Flask, alice: Colleague, dave: Colleague, file: File) -> None:
    report, now = file(), alice.clock.now()

    def take(who: Colleague) -> Callable[[], object]:
        return lambda: services.assign(report_id=report.id, staff_id=who.id, seen_assignee_id=None, now=now)

    assert run_at_once(app, take(alice), take(dave)) == ["conflict", "done"]
    assert report.row.taken_by in (alice.id, dave.id)


def test_one_decision_counts_and_only_its_message_is_sent(app: Flask, alice: Colleague, file: File) -> None:
    report, now = file(), alice.clock.now()
    services.assign(report_id=report.id, staff_id=alice.id, seen_assignee_id=None, now=now)
    db.session.commit()
    key = report.content_key

    def finish(decision: ReportState) -> Callable[[], object]:
        return lambda: services.finish(
            report_id=report.id,
            decision=decision,
            message=decision.value,
            content_key=key,
            staff_id=alice.id,
            now=now,
        )

    results = run_at_once(app, finish(ReportState.SETTLED), finish(ReportState.DECLINED))

    assert results == ["conflict", "done"]
    assert count(ReportMessage, ReportMessage.report_id == report.id) == 1


def test_one_redaction_is_saved(app: Flask, alice: Colleague, dave: Colleague, file: File) -> None:
    report, now = file("Kestrel met Osprey."), alice.clock.now()
    key = report.content_key

    def hide(who: Colleague, span: Span) -> Callable[[], object]:
        return lambda: redaction.save_spans(
            report_id=report.id,
            account="Kestrel met Osprey.",
            spans=[span],
            seen_version=0,
            content_key=key,
            staff_id=who.id,
            now=now,
        )

    results = run_at_once(app, hide(alice, Span(0, 7)), hide(dave, Span(12, 18)))

    assert results == ["conflict", "done"]
    rows = db.session.scalars(sa.select(Redaction).where(Redaction.report_id == report.id)).all()
    assert [row.version for row in rows] == [1]


def test_simultaneous_messages_are_all_stored_with_consecutive_numbers(
    app: Flask, alice: Colleague, file: File
) -> None:
    report, now = file(), alice.clock.now()
    key = report.content_key

    def write(text: str) -> Callable[[], object]:
        return lambda: services.reply(
            report_id=report.id, text=text, content_key=key, staff_id=alice.id, now=now
        )

    results = run_at_once(app, *(write(f"Message {number}") for number in range(AT_ONCE)))

    assert results == ["done"] * AT_ONCE
    numbers = db.session.scalars(
        sa.select(ReportMessage.number)
        .where(ReportMessage.report_id == report.id)
        .order_by(ReportMessage.number)
    ).all()
    assert list(numbers) == [1, 2, 3, 4]
