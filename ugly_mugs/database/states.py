"""State machines: an enum with a table of moves. `tests/rules/test_state_writes.py` finds code that bypasses it."""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

S = TypeVar("S", bound=StrEnum)


class IllegalMove(Exception):
    """The table of moves does not allow this change of state."""

    def __init__(self, current: StrEnum, wanted: StrEnum) -> None:
        super().__init__(f"{type(current).__name__}: {current} cannot become {wanted}")
        self.current = current
        self.wanted = wanted


class HasState(Protocol[S]):
    state: S


class Moves(Generic[S]):
    """Which states may follow each state; the table has every member of the enum, final ones with an empty set."""

    def __init__(self, table: Mapping[S, frozenset[S]]) -> None:
        self._table = dict(table)

    def allows(self, current: S, wanted: S) -> bool:
        return wanted in self._table[current]

    def sources(self, wanted: S, *, among: Collection[S] | None = None) -> frozenset[S]:
        """Every state that may move to `wanted`, for the WHERE of a set-based update; `among` narrows them.

        Raises ValueError when one of `among` may not move to `wanted`.
        """
        legal = frozenset(state for state, targets in self._table.items() if wanted in targets)
        if among is None:
            return legal
        if not legal.issuperset(among):
            raise ValueError(f"not every one of {sorted(among)} may become {wanted}")
        return frozenset(among)

    def final(self) -> frozenset[S]:
        return frozenset(state for state, targets in self._table.items() if not targets)

    def move(self, row: HasState[S], wanted: S) -> None:
        """Assign the state, or raise IllegalMove."""
        if not self.allows(row.state, wanted):
            raise IllegalMove(row.state, wanted)
        row.state = wanted
