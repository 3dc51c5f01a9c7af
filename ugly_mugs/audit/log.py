"""The audit log: entries are written in the transaction of the change, then numbered and chained by the worker.

Entries hold ids, states and days only. Actions of reporters get no single entries: `count_day` writes one number
per figure and day. The chain detects changed and deleted entries up to the last head stored outside the database.
"""

import json
import os
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from ugly_mugs.audit.models import AuditEntry, AuditKind, Figure
from ugly_mugs.database.engine import brief_reading, db, is_sqlite
from ugly_mugs.database.statements import count
from ugly_mugs.vault import ServiceVault

SLICE = 1_000
# PostgreSQL advisory lock: any number that nothing else in the service uses.
_CHAIN_LOCK = 0x75676C79
# Namespace for the ids of counts: two workers that count the same day compute the same id and write one row.
_COUNTS = uuid.UUID("5d1f8d1e-6a0b-4d0e-9c55-0a6f4e3b7c21")


def record(
    kind: AuditKind,
    *,
    actor_id: uuid.UUID | None = None,
    subject_id: uuid.UUID | None = None,
    count: int = 1,
    day: date,
    connection: sa.Connection | None = None,
) -> None:
    """Write an entry in the transaction of the change that it records.

    `connection` is that transaction's, where it is not the session's.
    """
    # A plain INSERT, because an ORM object would name every column, and the web has no grant on the chain's.
    entry = {"id": uuid.uuid4(), "kind": kind, "actor_id": actor_id, "subject_id": subject_id}
    executor = db.session if connection is None else connection
    executor.execute(sa.insert(AuditEntry), {**entry, "count": count, "day": day})


def record_and_commit(
    kind: AuditKind,
    *,
    actor_id: uuid.UUID | None = None,
    subject_id: uuid.UUID | None = None,
    count: int = 1,
    day: date,
) -> None:
    """Write and commit an entry before the action it records: every opening of a report leaves an entry.

    Call it before any other write of the request: RuntimeError if the session holds pending changes.
    """
    if db.session.new or db.session.dirty or db.session.deleted:
        raise RuntimeError("an opening is recorded before any other change of its request")
    record(kind, actor_id=actor_id, subject_id=subject_id, count=count, day=day)
    # Committed here, in a service, so that the entry stays if the opening fails afterwards.
    db.session.commit()


def count_day(figures: Iterable[Figure], *, today: date) -> None:
    """Write yesterday's number of each figure, once; no entry for a number of zero.

    Commits each figure separately, so that one already written by another worker does not prevent the others.
    """
    yesterday = today - timedelta(days=1)
    for figure in figures:
        entry_id = uuid.uuid5(_COUNTS, f"{figure.name.value} {yesterday.isoformat()}")
        number = figure.count(yesterday)
        if not number or db.session.get(AuditEntry, entry_id) is not None:
            continue
        entry = {"id": entry_id, "kind": figure.name, "count": number, "day": yesterday}
        try:
            db.session.execute(sa.insert(AuditEntry), entry)
            db.session.commit()
        except IntegrityError:
            db.session.rollback()
    db.session.rollback()


@dataclass(frozen=True)
class Head:
    """The last entry of the chain at some time: its number and its chained MAC."""

    number: int
    chained: bytes

    def line(self, day: date) -> str:
        return json.dumps({"number": self.number, "chained": self.chained.hex(), "day": day.isoformat()})


class HeadFileProblem(Exception):
    """The file of heads cannot be read or parsed; the message says why or which line."""


def chain_entries(vault: ServiceVault) -> int:
    """Number and chain every committed entry that is not chained yet; returns how many.

    One worker at a time: SQLite has one writer, PostgreSQL takes an advisory lock until the commit of each slice.
    """
    chained = 0
    while True:
        if not is_sqlite():
            db.session.execute(sa.select(sa.func.pg_advisory_xact_lock(_CHAIN_LOCK)))
        head = _head()
        number, previous = (head.number, head.chained) if head else (0, b"")
        waiting = db.session.scalars(
            sa.select(AuditEntry)
            .where(AuditEntry.number.is_(None))
            .order_by(AuditEntry.day, AuditEntry.id)
            .limit(SLICE)
        ).all()
        if not waiting:
            db.session.rollback()
            return chained
        for entry in waiting:
            number += 1
            previous = vault.audit_mac(previous, _canonical_bytes(entry, number))
            entry.number, entry.chained = number, previous
        db.session.commit()
        chained += len(waiting)


def write_head(file: Path, *, day: date) -> bool:
    """Append the head to a file outside the database, once a day; False if there was nothing to write."""
    with brief_reading():
        head = _head()
    if head is None:
        return False
    if file.exists():
        last = file.read_text("utf-8").rstrip().rpartition("\n")[2]
        if last and json.loads(last).get("day") == day.isoformat():
            return False
    # Mode 0600 at creation, whatever the process's umask is.
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(handle, "a", encoding="utf-8") as heads:
        heads.write(head.line(day) + "\n")
        heads.flush()
        os.fsync(heads.fileno())
    return True


def read_heads(file: Path) -> list[Head]:
    """All heads in the file; HeadFileProblem if it cannot be read or parsed."""
    heads: list[Head] = []
    try:
        for line in file.read_text("utf-8").splitlines():
            values = json.loads(line)
            heads.append(Head(int(values["number"]), bytes.fromhex(values["chained"])))
    except OSError as error:
        raise HeadFileProblem(f"{file} cannot be read ({error.strerror}).") from None
    except (ValueError, KeyError, TypeError):
        raise HeadFileProblem(f"Line {len(heads) + 1} of {file} is no head of the audit log.") from None
    return heads


@dataclass
class Verdict:
    """Result of a check of the chain: entries chained, entries waiting, and problems (none if all is well)."""

    chained: int = 0
    waiting: int = 0
    problems: list[str] = field(default_factory=list)


def verify(vault: ServiceVault, heads: Iterable[Head] = ()) -> Verdict:
    """Check the whole chain; with heads stored elsewhere, also detect a cut-off end and a rewritten chain."""
    verdict = Verdict()
    expected = {head.number: head.chained for head in heads}
    previous = b""
    query = sa.select(AuditEntry).where(AuditEntry.number.is_not(None)).order_by(AuditEntry.number)
    with brief_reading():
        for entry in db.session.scalars(query.execution_options(yield_per=SLICE)):
            verdict.chained += 1
            if entry.number != verdict.chained:
                verdict.problems.append(f"Entry {verdict.chained} is missing.")
                break
            previous = vault.audit_mac(previous, _canonical_bytes(entry, entry.number))
            if entry.chained != previous:
                verdict.problems.append(f"Entry {entry.number} was changed, or something before it.")
                break
            if expected.get(entry.number, previous) != previous:
                verdict.problems.append(f"Entry {entry.number} is not the one whose head was kept.")
                break
        verdict.waiting = count(AuditEntry.number.is_(None))
    last = max(expected, default=0)
    if not verdict.problems and last > verdict.chained:
        verdict.problems.append(
            f"The log ends at entry {verdict.chained}, but entry {last} was kept elsewhere."
        )
    return verdict


def _head() -> Head | None:
    last = db.session.execute(
        sa.select(AuditEntry.number, AuditEntry.chained)
        .where(AuditEntry.number.is_not(None))
        .order_by(AuditEntry.number.desc())
        .limit(1)
    ).one_or_none()
    return None if last is None or last[0] is None else Head(last[0], last[1] or b"")


def _canonical_bytes(entry: AuditEntry, number: int) -> bytes:
    """All fields of an entry in one unambiguous encoding, the input of its MAC."""
    fields = [
        number,
        entry.id.hex,
        entry.kind.value,
        entry.actor_id.hex if entry.actor_id else None,
        entry.subject_id.hex if entry.subject_id else None,
        entry.count,
        entry.day.isoformat(),
    ]
    return json.dumps(fields, separators=(",", ":")).encode()
