"""The interface through which the desk gets suggestions: which words of a text to hide, and why."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, Protocol

Known = Mapping[str, Sequence[str]]


class Suggested(Protocol):
    """To hide or keep the code points from `start` to `end`; `why` is a sentence for the moderator."""

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
        """What to hide and which identifiers to keep, in order, without overlaps; a moderator decides about each.

        `known` is what the form says about the reporter, by kind.
        """
        ...


class InTheWeb:
    """A reader that calls the rules in its own process."""

    def __init__(self, rules: Callable[[str, Known], Sequence[Suggested]]) -> None:
        self._rules = rules

    def suggest(self, text: str, known: Known) -> Sequence[Suggested]:
        return self._rules(text, known)
