"""How soon PostgreSQL clears what was deleted: within minutes where sealed words lie, not when much has gathered."""

from collections.abc import Iterator

import sqlalchemy as sa

from ugly_mugs.database.columns import Model

# Left alone, a withdrawn report would lie in its table until fifty rows and a fifth of all others had followed it.
_SOON = ("autovacuum_vacuum_threshold = 1", "autovacuum_vacuum_scale_factor = 0")
# Changed by the hundred thousand while an alert leaves, and never deleted: these go by PostgreSQL's own measure.
_BUSY = frozenset({"deliveries"})


def tables() -> Iterator[str]:
    """Every table that holds something sealed, whose rows are deleted one by one."""
    for table in Model.metadata.sorted_tables:
        if table.name not in _BUSY and any(column.info.get("holds") == "sealed" for column in table.columns):
            yield table.name


def apply(connection: sa.Connection) -> None:
    """Set it anew with every upgrade, also for the long values, which lie in tables of their own."""
    settings = ", ".join([*_SOON, *(f"toast.{each}" for each in _SOON)])
    quote = connection.dialect.identifier_preparer.quote
    for table in tables():
        connection.execute(sa.text(f"ALTER TABLE {quote(table)} SET ({settings})"))
