"""Two moderators press at the same moment: one deed counts, the other is told, nothing is half done."""

import threading
from collections.abc import Callable

import sqlalchemy as sa
from flask import Flask

from reporting.desk import services
from reporting.record.models import ReportMessage, ReportState
from reporting.redaction import services as redaction
from reporting.redaction.models import Redaction
from reporting.redaction.spans import Span
from tests.make.cast import Colleague
from tests.make.reports import File
from ugly_mugs.database.engine import db
from ugly_mugs.errors import Conflict

AT_ONCE = 4


def together(app: Flask, *deeds: Callable[[], object]) -> list[str]:
    """Do each deed in a thread and a transaction of its own, all begun at the same moment: how each ended."""
    ready, ends = threading.Barrier(len(deeds)), ["nothing"] * len(deeds)
    db.session.rollback()

    def run(number: int, deed: Callable[[], object]) -> None:
        with app.app_context():
            ready.wait(timeout=30)
            try:
                deed()
                db.session.commit()
                ends[number] = "done"
            except Conflict:
                db.session.rollback()
                ends[number] = "told"
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=each) for each in enumerate(deeds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return sorted(ends)


def test_one_takes_it(app: Flask, alice: Colleague, bob: Colleague, file: File) -> None:
    report, now = file(), alice.clock.now()

    def take(who: Colleague) -> Callable[[], object]:
        return lambda: services.take(report_id=report.id, staff_id=who.id, from_id=None, now=now)

    assert together(app, take(alice), take(bob)) == ["done", "told"]
    assert report.row.taken_by in (alice.id, bob.id)


def test_one_decision_counts_and_only_its_message_is_sent(app: Flask, alice: Colleague, file: File) -> None:
    report, now = file(), alice.clock.now()
    services.take(report_id=report.id, staff_id=alice.id, from_id=None, now=now)
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

    ends = together(app, finish(ReportState.SETTLED), finish(ReportState.DECLINED))

    assert ends == ["done", "told"]
    sent = db.session.scalar(sa.select(sa.func.count()).where(ReportMessage.report_id == report.id))
    assert sent == 1


def test_one_redaction_is_kept(app: Flask, alice: Colleague, bob: Colleague, file: File) -> None:
    report, now = file("Kestrel met Osprey."), alice.clock.now()
    key = report.content_key

    def hide(who: Colleague, span: Span) -> Callable[[], object]:
        return lambda: redaction.keep(
            report_id=report.id,
            account="Kestrel met Osprey.",
            spans=[span],
            seen_version=0,
            content_key=key,
            staff_id=who.id,
            now=now,
        )

    ends = together(app, hide(alice, Span(0, 7)), hide(bob, Span(12, 18)))

    assert ends == ["done", "told"]
    rows = db.session.scalars(sa.select(Redaction).where(Redaction.report_id == report.id)).all()
    assert [row.version for row in rows] == [1]


def test_many_messages_at_once_are_all_kept_in_some_order(app: Flask, alice: Colleague, file: File) -> None:
    report, now = file(), alice.clock.now()
    key = report.content_key

    def write(text: str) -> Callable[[], object]:
        return lambda: services.reply(
            report_id=report.id, text=text, content_key=key, staff_id=alice.id, now=now
        )

    ends = together(app, *(write(f"Message {number}") for number in range(AT_ONCE)))

    assert ends == ["done"] * AT_ONCE
    numbers = db.session.scalars(
        sa.select(ReportMessage.number)
        .where(ReportMessage.report_id == report.id)
        .order_by(ReportMessage.number)
    ).all()
    assert list(numbers) == [1, 2, 3, 4]
