"""The audit log: written with the change, chained afterwards; tampering is detected."""

import uuid
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.make.databases import count, execute
from ugly_mugs.audit import log as audit
from ugly_mugs.audit.log import Head
from ugly_mugs.audit.models import AuditEntry, AuditKind, Figure
from ugly_mugs.database.engine import db
from ugly_mugs.database.models import Installation
from ugly_mugs.runtime import runtime

DAY = date(2026, 11, 21)


def write(count: int, kind: AuditKind = AuditKind.REPORT_MOVED) -> None:
    for _ in range(count):
        audit.record(kind, actor_id=uuid.uuid4(), subject_id=uuid.uuid4(), day=DAY)
    db.session.commit()


def chain() -> int:
    return audit.chain_entries(runtime().vault)


def verify(*heads: Head) -> audit.Verdict:
    return audit.verify(runtime().vault, heads)


def head() -> Head:
    row = db.session.execute(
        sa.select(AuditEntry.number, AuditEntry.chained).order_by(AuditEntry.number.desc()).limit(1)
    ).one()
    db.session.rollback()
    return Head(row.number, row.chained)


def test_an_entry_is_rolled_back_with_its_change(app: Flask) -> None:
    audit.record(AuditKind.REPORT_MOVED, subject_id=uuid.uuid4(), day=DAY)
    db.session.rollback()

    assert count(AuditEntry) == 0


def test_an_opening_stays_recorded_when_what_follows_fails(app: Flask) -> None:
    audit.record_and_commit(AuditKind.REPORT_OPENED, actor_id=uuid.uuid4(), subject_id=uuid.uuid4(), day=DAY)
    db.session.rollback()

    assert count(AuditEntry) == 1


def test_recording_an_opening_refuses_to_commit_other_changes(app: Flask) -> None:
    db.session.add(Installation(id=uuid.uuid4(), demo=False, created_on=DAY))

    with pytest.raises(RuntimeError):
        audit.record_and_commit(AuditKind.REPORT_OPENED, day=DAY)


def test_entries_are_chained_once_and_verified(app: Flask) -> None:
    write(3)
    assert chain() == 3
    write(2)
    assert chain() == 2
    assert chain() == 0

    verdict = verify(head())

    assert (verdict.chained, verdict.waiting, verdict.problems) == (5, 0, [])


def test_more_entries_than_one_slice_form_one_chain(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "SLICE", 4)
    write(11)

    assert chain() == 11
    assert verify().chained == 11
    assert verify().problems == []


def test_entries_not_chained_yet_are_counted_as_waiting(app: Flask) -> None:
    write(2)
    chain()
    write(3)

    assert verify().waiting == 3


@pytest.mark.parametrize(
    "change",
    [
        {"kind": AuditKind.ALERT_APPROVED},
        {"actor_id": uuid.UUID(int=7)},
        {"subject_id": uuid.UUID(int=7)},
        {"count": 9},
        {"day": date(2026, 11, 20)},
        {"chained": bytes(32)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_any_change_of_an_entry_is_detected(app: Flask, change: dict[str, object]) -> None:
    write(5)
    chain()

    execute(sa.update(AuditEntry).where(AuditEntry.number == 3).values(**change))

    assert verify().problems == ["Entry 3 was changed, or something before it."]


def test_a_deleted_entry_is_detected(app: Flask) -> None:
    write(5)
    chain()

    execute(sa.delete(AuditEntry).where(AuditEntry.number == 2))

    assert verify().problems == ["Entry 2 is missing."]


def test_two_swapped_entries_are_detected(app: Flask) -> None:
    write(3)
    chain()

    for number, new_number in ((2, 99), (3, 2), (99, 3)):
        statement = sa.update(AuditEntry).where(AuditEntry.number == number).values(number=new_number)
        db.session.execute(statement)
    db.session.commit()

    assert verify().problems == ["Entry 2 was changed, or something before it."]


def test_a_cut_off_end_is_detected_only_with_a_head_stored_elsewhere(app: Flask) -> None:
    write(5)
    chain()
    kept = head()

    execute(sa.delete(AuditEntry).where(AuditEntry.number > 3))

    assert verify().problems == []
    assert verify(kept).problems == ["The log ends at entry 3, but entry 5 was kept elsewhere."]


def test_a_log_rewritten_by_somebody_with_the_keys_does_not_match_the_head(app: Flask) -> None:
    write(3)
    chain()
    kept = head()

    execute(sa.delete(AuditEntry))
    write(3)
    chain()

    assert verify(kept).problems == ["Entry 3 is not the one whose head was kept."]


def test_the_head_is_written_once_a_day_for_its_owner_only(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "heads"
    assert not audit.write_head(file, day=DAY)
    write(2)
    chain()

    assert audit.write_head(file, day=DAY)
    assert not audit.write_head(file, day=DAY)
    write(1)
    chain()
    assert audit.write_head(file, day=date(2026, 11, 22))

    heads = audit.read_heads(file)
    assert [head.number for head in heads] == [2, 3]
    assert file.stat().st_mode & 0o777 == 0o600
    assert verify(*heads).problems == []


def test_a_malformed_head_file_is_reported_with_its_line(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "heads"
    file.write_text('{"number": 1, "chained": "00", "day": "2026-11-21"}\nnonsense\n')

    with pytest.raises(audit.HeadFileProblem, match="Line 2"):
        audit.read_heads(file)


def test_a_day_is_counted_once_and_only_when_over(app: Flask) -> None:
    counted_days: list[date] = []

    def filed(day: date) -> int:
        counted_days.append(day)
        return 7

    figures = [Figure(AuditKind.REPORTS_FILED, filed), Figure(AuditKind.REPORTS_WITHDRAWN, lambda day: 0)]
    audit.count_day(figures, today=DAY)
    audit.count_day(figures, today=DAY)

    entries = db.session.scalars(sa.select(AuditEntry)).all()
    assert [(entry.kind, entry.count, entry.day) for entry in entries] == [
        (AuditKind.REPORTS_FILED, 7, date(2026, 11, 20))
    ]
    assert set(counted_days) == {date(2026, 11, 20)}


def test_the_command_reports_a_sound_and_a_cut_log(app: Flask, tmp_path: Path) -> None:
    runner = app.test_cli_runner()
    write(4)
    chain()
    file = tmp_path / "heads"
    audit.write_head(file, day=DAY)

    well = runner.invoke(args=["audit", "verify", "--head", str(file)])
    execute(sa.delete(AuditEntry).where(AuditEntry.number == 4))
    cut = runner.invoke(args=["audit", "verify", "--head", str(file)])

    assert (well.exit_code, well.output) == (
        0,
        "Nothing was changed in 4 entries, and the head of entry 4 agrees.\n",
    )
    assert cut.exit_code == 1
    assert "The log ends at entry 3" in cut.output
