"""Lays two databases side by side in which the same was done with other words; what is random is masked."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from tests.thief.haul import Haul
from ugly_mugs.database.columns import Clear, Model, UtcDateTime

# What somebody's clock decides, not what was written: the worker's, which chains the audit log every half minute, and
# the authenticators', whose last half minute is kept so that no code counts twice.
BY_THE_CLOCK = {"audit_entries.number", "audit_entries.chained", "staff.totp_last_step"}

# Rows in no order that the words could change; they are compared as a heap.
HEAPS = {
    # The web's requests and the provider's callbacks come in as they come.
    "requests",
    # Web and worker write at the same time.
    "audit_entries",
    # One statement writes an alert to everybody it concerns, in the order of their random ids.
    "deliveries",
    # Of one report they are put in by their random ids, so that their order does not give away the form's.
    "identifier_tags",
}
# PostgreSQL writes a changed row, or a new one after a deletion, to wherever there is room. So there its place says
# when a person, the worker's clock or a vacuum changed it last, and of rows changed together, how their random ids
# follow each other.
CHANGED = {
    "addresses", "alert_texts", "alerts", "draft_keys", "key_seals", "members", "outputs", "redactions", "reports",
    "sessions", "sign_in_codes", "staff", "subscriptions",
}  # fmt: skip
Row = tuple[Any, ...]


def differences(
    one: Haul, other: Haul, *, began: datetime, other_began: datetime, heaps: set[str]
) -> list[str]:
    """Where the two can be told apart; days are counted from the beginning of each journey."""
    tables = one.columns.keys() | other.columns.keys()
    found = [f"{each}: other columns" for each in tables if one.columns.get(each) != other.columns.get(each)]
    for table in one.rows.keys() & other.rows.keys():
        rows = [_masked(table, row, began) for row in one.rows[table]]
        other_rows = [_masked(table, row, other_began) for row in other.rows[table]]
        if Counter(rows) != Counter(other_rows):
            found += _told_apart(table, one.columns[table], rows, other_rows)
        elif rows != other_rows and table not in heaps:
            found.append(f"{table}: another order")
    return sorted(found)


def _told_apart(table: str, names: list[str], rows: list[Row], other_rows: list[Row]) -> Iterator[str]:
    """The columns in which some value occurs oftener in one than in the other."""
    differing = [
        name
        for place, name in enumerate(names)
        if Counter(row[place] for row in rows) != Counter(row[place] for row in other_rows)
    ]
    yield from (f"{table}.{name}" for name in differing)
    if not differing:
        yield f"{table}: other rows"


def _masked(table: str, row: dict[str, Any], began: datetime) -> Row:
    return tuple(_mask(Model.metadata.tables.get(table), name, value, began) for name, value in row.items())


def _mask(table: sa.Table | None, name: str, value: Any, began: datetime) -> Any:
    """What a thief who knows nothing sees of it: of what is random only its size, of a moment only its day."""
    if table is not None and f"{table.name}.{name}" in BY_THE_CLOCK:
        return "by the clock"
    if value is None or table is None:
        return value
    column = table.columns[name]
    if column.info["holds"] in ("sealed", "keyed") or column.info["what"] is Clear.PUBLIC_KEY:
        return len(value)
    if column.info["what"] is Clear.ID:
        return "an id"
    if name == "provider_id":
        return len(value)
    if isinstance(column.type, UtcDateTime):
        # Whole days since the journey began: a code that ends in ten minutes may end after midnight.
        return (_moment(value) - began) // timedelta(days=1)
    if column.info["what"] is Clear.DAY:
        return (_day(value) - began.date()).days
    return bool(value) if column.info["what"] is Clear.FLAG else value


def _moment(value: object) -> datetime:
    """SQLite keeps it as text without its zone, which is UTC."""
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _day(value: object) -> date:
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else date.fromisoformat(str(value)[:10])
