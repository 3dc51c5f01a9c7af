"""The place a sealed value belongs to, bound into it so that it cannot be moved elsewhere."""

import builtins
from dataclasses import dataclass
from uuid import UUID

from ugly_mugs.vault.encoding import joined
from ugly_mugs.vault.errors import WrongPlace


@dataclass(frozen=True, slots=True)
class Where:
    """Table, column and row of a sealed value; the row's id must exist before anything is sealed for it."""

    table: str
    column: str
    row: UUID

    def __post_init__(self) -> None:
        if not self.table or not self.column:
            raise WrongPlace("A sealed value needs a table and a column.")
        # SQLAlchemy gives a row its default id only when it is flushed, so None does reach this line.
        if not isinstance(self.row, UUID) or self.row.int == 0:
            raise WrongPlace(f"A row of {self.table} needs its id before {self.column} can be sealed.")

    def bytes(self) -> builtins.bytes:
        """Each part with its length: associated data for AES-GCM, and part of `info` for HPKE."""
        return joined(self.table.encode(), self.column.encode(), self.row.bytes)
