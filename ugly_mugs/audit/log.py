"""The audit log: who did what to which id, written with the change itself, then numbered and chained by the worker.

Entries hold ids, states and days only. Reporters get no single entries: `count_day` writes one number per figure
and day. The chain proves that nothing was changed or taken out before the last head kept outside the database.
"""

import json
import os
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from ugly_mugs.audit.figures import Figure
from ugly_mugs.audit.models import AuditEntry, AuditKind
from ugly_mugs.database.engine import db, is_sqlite, reading
from ugly_mugs.vault import ServiceVault

SLICE = 1_000
# Any fixed number does, as long as nothing else of the service locks by it.
_CHAIN_LOCK = 0x75676C79
# Counted entries have a made-up id, so that two workers that count the same day write one row.
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
    """Write an entry in the transaction of the change it records; it is committed with it or not at all.

    `connection` is that transaction's, where it is not the session's.
    """
    # Not as an object of the session, which would name every column: the web may write no number and no chain.
    entry = {"id": uuid.uuid4(), "kind": kind, "actor_id": actor_id, "subject_id": subject_id}
    executor = db.session if connection is None else connection
    executor.execute(sa.insert(AuditEntry), {**entry, "count": count, "day": day})


def record_first(
    kind: AuditKind,
    *,
    actor_id: uuid.UUID | None = None,
    subject_id: uuid.UUID | None = None,
    count: int = 1,
    day: date,
) -> None:
    """Write an entry down for good before what it records: nobody sees inside a report without a trace.

    Call it before any other write of the request; it refuses to commit somebody else's change by the way.
    """
    if db.session.new or db.session.dirty or db.session.deleted:
        raise RuntimeError("an opening is recorded before any other change of its request")
    record(kind, actor_id=actor_id, subject_id=subject_id, count=count, day=day)
    # One of the places where a service commits: an opening that fails afterwards was still an opening.
    db.session.commit()


def count_day(figures: Iterable[Figure], *, today: date) -> None:
    """Write yesterday's number of each figure, once; nothing for a day without any.

    Commits each figure by itself, so that one that another worker has written already stops no other.
    """
    yesterday = today - timedelta(days=1)
    for figure in figures:
        entry_id = uuid.uuid5(_COUNTS, f"{figure.name.value} {yesterday.isoformat()}")
        number = figure.count(yesterday)
        if not number or db.session.get(AuditEntry, entry_id) is not None:
            continue
        counted = {"id": entry_id, "kind": figure.name, "count": number, "day": yesterday}
        try:
            db.session.execute(sa.insert(AuditEntry), counted)
            db.session.commit()
        except IntegrityError:
            db.session.rollback()
    db.session.rollback()


@dataclass(frozen=True)
class Head:
    """The last link of the chain at some time: its number and its keyed hash."""

    number: int
    chained: bytes

    def line(self, day: date) -> str:
        return json.dumps({"number": self.number, "chained": self.chained.hex(), "day": day.isoformat()})


class HeadFileProblem(Exception):
    """The file of heads cannot be read; the message says which line."""


def chain_entries(vault: ServiceVault) -> int:
    """Number and chain every committed entry that is not yet; the worker's job. Gives how many there were.

    One worker at a time: SQLite has one writer anyway, PostgreSQL is asked for a lock that ends with the
    transaction. Commits each slice, because each is whole in itself.
    """
    done = 0
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
            return done
        for entry in waiting:
            number += 1
            previous = vault.audit_mac(previous, _said_by(entry, number))
            entry.number, entry.chained = number, previous
        db.session.commit()
        done += len(waiting)


def write_head(file: Path, *, day: date) -> bool:
    """Append today's head to a file outside the database, once a day; False when nothing had to be written."""
    with reading():
        head = _head()
        db.session.rollback()
    if head is None:
        return False
    if file.exists():
        last = file.read_text("utf-8").rstrip().rpartition("\n")[2]
        if last and json.loads(last).get("day") == day.isoformat():
            return False
    # Readable by its owner only from its first moment on, whatever the process's umask is.
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(handle, "a", encoding="utf-8") as heads:
        heads.write(head.line(day) + "\n")
        heads.flush()
        os.fsync(heads.fileno())
    return True


def read_heads(file: Path) -> list[Head]:
    """Every head ever written to the file, or HeadFileProblem."""
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
    """What a check of the chain found; no problems means that nothing was changed and nothing cut."""

    chained: int = 0
    waiting: int = 0
    problems: list[str] = field(default_factory=list)


def verify(vault: ServiceVault, heads: Iterable[Head] = ()) -> Verdict:
    """Follow the whole chain; with heads kept elsewhere, also see that none of it was cut off or made anew."""
    verdict = Verdict()
    expected = {head.number: head.chained for head in heads}
    previous = b""
    with reading():
        for entry in _chained_entries():
            verdict.chained += 1
            if entry.number != verdict.chained:
                verdict.problems.append(f"Entry {verdict.chained} is missing.")
                break
            previous = vault.audit_mac(previous, _said_by(entry, entry.number))
            if entry.chained != previous:
                verdict.problems.append(f"Entry {entry.number} was changed, or something before it.")
                break
            if expected.get(entry.number, previous) != previous:
                verdict.problems.append(f"Entry {entry.number} is not the one whose head was kept.")
                break
        unchained = sa.select(sa.func.count()).where(AuditEntry.number.is_(None))
        verdict.waiting = db.session.scalar(unchained) or 0
        db.session.rollback()
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


def _chained_entries() -> Iterator[AuditEntry]:
    entries = sa.select(AuditEntry).where(AuditEntry.number.is_not(None)).order_by(AuditEntry.number)
    yield from db.session.scalars(entries.execution_options(yield_per=SLICE))


def _said_by(entry: AuditEntry, number: int) -> bytes:
    """Everything an entry says, in one unambiguous form."""
    said = [
        number,
        entry.id.hex,
        entry.kind.value,
        entry.actor_id.hex if entry.actor_id else None,
        entry.subject_id.hex if entry.subject_id else None,
        entry.count,
        entry.day.isoformat(),
    ]
    return json.dumps(said, separators=(",", ":")).encode()
