"""Statements that many modules run, on SQLite and on PostgreSQL."""

from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ugly_mugs.database.columns import Model
from ugly_mugs.database.engine import db, is_sqlite


def insert(table: type[Model]) -> sqlite.Insert | postgresql.Insert:
    """An INSERT of the database in use, which has `on_conflict_do_nothing`."""
    return sqlite.insert(table) if is_sqlite() else postgresql.insert(table)


def change_rows(statement: sa.Update | sa.Delete) -> int:
    """Run an UPDATE or DELETE without looking for the session's objects that it changes; returns how many rows."""
    return rows_of(db.session.execute(statement.execution_options(synchronize_session=False)))


def rows_of(result: Any) -> int:
    return max(cast("sa.CursorResult[Any]", result).rowcount, 0)


def exists(*conditions: sa.ColumnExpressionArgument[bool]) -> bool:
    """Whether there is a row that meets the conditions."""
    return bool(db.session.scalar(sa.select(sa.exists().where(*conditions))))


def count(*conditions: sa.ColumnExpressionArgument[bool]) -> int:
    """How many rows meet the conditions."""
    return db.session.scalar(sa.select(sa.func.count()).where(*conditions)) or 0
