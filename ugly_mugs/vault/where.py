"""The place of a sealed value, authenticated with it: moved to another place, the value does not open."""

import builtins
from dataclasses import dataclass
from uuid import UUID

from ugly_mugs.vault.encoding import joined
from ugly_mugs.vault.errors import WrongPlace


@dataclass(frozen=True, slots=True)
class Where:
    """Table, column and row of a sealed value; WrongPlace unless all three are set, the row's id included."""

    table: str
    column: str
    row: UUID

    def __post_init__(self) -> None:
        if not self.table or not self.column:
            raise WrongPlace("A sealed value needs a table and a column.")
        # SQLAlchemy sets a default id at flush time, so a new row can still have None here.
        if not isinstance(self.row, UUID) or self.row.int == 0:
            raise WrongPlace(f"A row of {self.table} needs its id before {self.column} can be sealed.")

    def bytes(self) -> builtins.bytes:
        """Each part with its length prefix: associated data for AES-GCM, part of `info` for HPKE."""
        return joined(self.table.encode(), self.column.encode(), self.row.bytes)
