"""The order of the desk's list: open reports by urgency, then by day, ranked in memory from their facets."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import Any, Final, cast
from uuid import UUID

import sqlalchemy as sa

from reporting.record import facets
from reporting.record.choices import Severity
from reporting.record.facets import Facets
from reporting.record.models import OPEN, Report, ReportState
from ugly_mugs.database.engine import db
from ugly_mugs.database.statements import count
from ugly_mugs.vault import ServiceVault

PAGE: Final = 25
_ORDER: Final = (
    (Severity.DANGER, True),
    (Severity.RISK, True),
    (Severity.DANGER, False),
    (Severity.RISK, False),
    (Severity.NUISANCE, True),
    (Severity.NUISANCE, False),
)

_Ranked = tuple[Any, Any, bytes]


@dataclass(frozen=True)
class Listed:
    """One report in the list; only its facets are opened."""

    id: UUID
    state: ReportState
    received_on: date
    changed_on: date
    taken_by: UUID | None
    epoch_id: UUID
    desk_wrap: bytes | None
    head: bytes | None
    facets: Facets | None


@dataclass(frozen=True)
class Page:
    rows: list[Listed]
    number: int
    last: int
    total: int


class RankCache:
    """Caches the rank of each open report by its sealed facets.

    Opening the facets of ten thousand reports takes longer than drawing the page. Each sort keeps only the ranks of
    reports that are open then, so that a withdrawn report leaves the cache the next time the list is shown.
    """

    def __init__(self) -> None:
        self._ranks: Mapping[bytes, int] = {}

    def __len__(self) -> int:
        return len(self._ranks)

    def sort(self, rows: Iterable[_Ranked], vault: ServiceVault) -> list[list[_Ranked]]:
        """The rows grouped by rank, the most urgent rank first, each group in the given order."""
        cached, current = self._ranks, dict[bytes, int]()
        ranked: list[list[_Ranked]] = [[] for _rank in _ORDER]
        for row in rows:
            sealed = row[2]
            rank = cached.get(sealed)
            if rank is None:
                rank = rank_of(facets.open_sealed(sealed, report_id=_id_of(row), vault=vault))
            current[sealed] = rank
            ranked[rank].append(row)
        self._ranks = current
        return ranked


def rank_of(opened: Facets) -> int:
    """The index in _ORDER: first danger and risk that are still going on, then other danger and risk, then nuisance."""
    return _ORDER.index((opened.severity, opened.urgent))


def open_page(*, number: int, ranks: RankCache, vault: ServiceVault) -> Page:
    """One page of the open reports: the most urgent first, and of equally urgent ones the oldest."""
    ranked = ranks.sort(chain.from_iterable(map(_rows_to_rank, OPEN)), vault)
    # Each rank consists of a few sorted runs, which Timsort merges in linear time.
    order = [row for rank in ranked for row in sorted(rank)]
    number, last = _page_within(number, len(order))
    chosen = [_id_of(row) for row in order[(number - 1) * PAGE : number * PAGE]]
    rows = {row.id: row for row in _rows(Report.id.in_(chosen), vault=vault)}
    return Page([rows[report_id] for report_id in chosen if report_id in rows], number, last, len(order))


def _rows_to_rank(state: ReportState) -> Sequence[_Ranked]:
    """Day, id and sealed facets of every report in this state, oldest first, as the driver returns them.

    Read from the driver's cursor, because converting thousands of unused ids, days and rows takes most of the time.
    """
    query = sa.select(
        sa.type_coerce(Report.received_on, sa.types.NullType()),
        sa.type_coerce(Report.id, sa.types.NullType()),
        sa.type_coerce(Report.facets, sa.types.NullType()),
    ).where(Report.state == state, Report.facets.is_not(None))
    result = db.session.connection().execute(query.order_by(Report.received_on, Report.id))
    rows = result.cursor.fetchall() if result.cursor is not None else []
    result.close()
    return cast(Sequence[_Ranked], rows)


def _id_of(row: _Ranked) -> UUID:
    return row[1] if isinstance(row[1], UUID) else UUID(row[1])


def finished_page(state: ReportState, *, number: int, vault: ServiceVault) -> Page:
    """One page of reports in this final state, the latest change first."""
    total = count(Report.state == state)
    number, last = _page_within(number, total)
    rows = _rows(
        Report.state == state,
        order=(Report.changed_on.desc(), Report.id),
        offset=(number - 1) * PAGE,
        vault=vault,
    )
    return Page(rows, number, last, total)


def counts() -> dict[ReportState, int]:
    query = sa.select(Report.state, sa.func.count()).group_by(Report.state)
    return {row[0]: row[1] for row in db.session.execute(query)}


def _page_within(number: int, total: int) -> tuple[int, int]:
    last = max(1, -(-total // PAGE))
    return min(max(number, 1), last), last


def _rows(
    condition: sa.ColumnElement[bool],
    *,
    vault: ServiceVault,
    order: Sequence[Any] = (),
    offset: int = 0,
) -> list[Listed]:
    query = sa.select(
        Report.id,
        Report.state,
        Report.received_on,
        Report.changed_on,
        Report.taken_by,
        Report.epoch_id,
        Report.desk_wrap,
        Report.head,
        Report.facets,
    )
    rows = db.session.execute(query.where(condition).order_by(*order).offset(offset).limit(PAGE))
    return [
        Listed(
            *row[:-1],
            facets=facets.open_sealed(row.facets, report_id=row.id, vault=vault) if row.facets else None,
        )
        for row in rows
    ]
