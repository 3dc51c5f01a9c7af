"""What the desk asks of the reader: which words of a text it would hide, and why."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, Protocol

Known = Mapping[str, Sequence[str]]


class Suggested(Protocol):
    """Hide or keep the code points from `start` to `end`."""

    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def action(self) -> Literal["remove", "keep"]: ...
    @property
    def why(self) -> str: ...


class Reader(Protocol):
    def suggest(self, text: str, known: Known) -> Sequence[Suggested]:
        """What to hide and which identifiers to keep, in order and never overlapping; a person decides."""
        ...


class InTheWeb:
    """Runs the rules it is given where it stands."""

    def __init__(self, rules: Callable[[str, Known], Sequence[Suggested]]) -> None:
        self._rules = rules

    def suggest(self, text: str, known: Known) -> Sequence[Suggested]:
        return self._rules(text, known)
