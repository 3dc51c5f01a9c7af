"""Autovacuum settings: PostgreSQL removes deleted rows of tables with sealed columns within minutes."""

from collections.abc import Iterator

import sqlalchemy as sa

from ugly_mugs.database.columns import Model

# By default a deleted report would stay on disk until 50 rows and 20 % of the table were deleted or changed too.
_AFTER_ONE_ROW = ("autovacuum_vacuum_threshold = 1", "autovacuum_vacuum_scale_factor = 0")
# Updated hundreds of thousands of times while an alert is sent, and never deleted: the defaults stay.
_OFTEN_UPDATED = frozenset({"deliveries"})


def tables() -> Iterator[str]:
    """Names of the tables with a sealed column whose rows are deleted."""
    for table in Model.metadata.sorted_tables:
        if table.name not in _OFTEN_UPDATED and any(
            column.info.get("holds") == "sealed" for column in table.columns
        ):
            yield table.name


def apply(connection: sa.Connection) -> None:
    """Set the storage parameters, also of the TOAST tables, in which PostgreSQL stores long values."""
    settings = ", ".join([*_AFTER_ONE_ROW, *(f"toast.{setting}" for setting in _AFTER_ONE_ROW)])
    quote = connection.dialect.identifier_preparer.quote
    for table in tables():
        connection.execute(sa.text(f"ALTER TABLE {quote(table)} SET ({settings})"))
