"""One line of the benchmark: a figure beside its bar."""

from typing import Any, NamedTuple


class Figure(NamedTuple):
    name: str
    value: float
    unit: str
    bar: str
    holds: bool

    def as_json(self) -> dict[str, Any]:
        return self._asdict()
