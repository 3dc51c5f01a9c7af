"""Figures: the numbers of a day that each feature can give. `ugly_mugs.app` wires them; the audit log keeps them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import cast

from ugly_mugs.audit.models import AuditKind
from ugly_mugs.runtime import runtime


@dataclass(frozen=True)
class Figure:
    """A number under the name it has in the audit log; `count` gives that of one day, for everybody together."""

    name: AuditKind
    count: Callable[[date], int]


def registered() -> Sequence[Figure]:
    """Every figure that is wired."""
    return cast(Sequence[Figure], runtime().wiring.figures)
