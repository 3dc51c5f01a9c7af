"""The lines of the desk's list, as text."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from flask_babel import format_date, format_timedelta, gettext as _

from reporting.desk.labels import of_state
from reporting.desk.queue import Listed, rank_of
from reporting.record.choices import INCIDENT_TYPES, SEVERITIES, Severity, label_of
from reporting.record.facets import Facets
from reporting.record.models import OPEN, ReportState
from ugly_mugs.accounts import queries as accounts
from ugly_mugs.text.places import REGIONS
from ugly_mugs.vault import ServiceVault
from ugly_mugs.web.form_fields import Words

_MOST_TYPES = 2
SEVERITY_TAGS = {Severity.DANGER: "bad", Severity.RISK: "warn", Severity.NUISANCE: ""}


class Tab(StrEnum):
    OPEN = "open"
    SETTLED = "settled"
    DECLINED = "declined"

    @classmethod
    def read(cls, text: str | None) -> "Tab":
        return cls(text) if text in {tab.value for tab in cls} else cls.OPEN

    @property
    def label(self) -> Words:
        return {Tab.OPEN: _("Open"), Tab.SETTLED: _("Settled"), Tab.DECLINED: _("Declined")}[self]

    def total(self, counts: Mapping[ReportState, int]) -> int:
        return sum(
            counts.get(state, 0) for state in (OPEN if self is Tab.OPEN else {ReportState(self.value)})
        )


class Line(NamedTuple):
    """One report in the list. `age` is empty where its head was not opened."""

    id: UUID
    summary: str
    place: str
    severity: str
    severity_tag: str
    urgent: bool
    state: str
    state_tag: str
    age: str
    day: str
    taken_by: str


def lines(
    rows: Iterable[Listed],
    *,
    received: Mapping[UUID, datetime],
    staff_id: UUID,
    now: datetime,
    vault: ServiceVault,
) -> list[Line]:
    """The lines of one page; rows of equal rank and day are sorted by their minute, where `received` has it."""
    rows = (
        sorted(rows, key=lambda row: (_sort_key(row), received.get(row.id, now))) if received else list(rows)
    )
    names = accounts.names_of({row.taken_by for row in rows if row.taken_by}, vault=vault)
    return [
        Line(
            id=row.id,
            summary=incident_summary(row.facets),
            place=place_summary(row.facets),
            severity=label_of(SEVERITIES, row.facets.severity) if row.facets else "",
            severity_tag=SEVERITY_TAGS[row.facets.severity] if row.facets else "",
            urgent=row.facets is not None and row.facets.urgent,
            state=of_state(row.state),
            state_tag="good" if row.state is ReportState.RECEIVED else "",
            age=waiting_time(received[row.id], now) if row.id in received else "",
            day=str(format_date(row.received_on if row.state in OPEN else row.changed_on, "medium")),
            taken_by=_("you")
            if row.taken_by == staff_id
            else names.get(row.taken_by, "")
            if row.taken_by
            else "",
        )
        for row in rows
    ]


def _sort_key(row: Listed) -> tuple[int, date]:
    return (rank_of(row.facets) if row.facets else 0, row.received_on)


def incident_summary(facets: Facets | None) -> Words:
    """The first incident types, and the number of further ones."""
    ticked = [str(label) for value, label in INCIDENT_TYPES if facets and value in facets.types]
    if not ticked:
        return _("Nothing ticked: please read")
    kinds = ", ".join(ticked[:_MOST_TYPES])
    more = len(ticked) - _MOST_TYPES
    return _("%(kinds)s and %(count)s more", kinds=kinds, count=more) if more > 0 else kinds


def place_summary(facets: Facets | None) -> Words:
    if facets is None:
        return ""
    if facets.placeless:
        return _("only online or by phone")
    region = REGIONS.get(facets.region)
    return region.name if region else ""


def waiting_time(received_at: datetime, now: datetime) -> str:
    return str(format_timedelta(max(now - received_at, timedelta(0)), granularity="minute"))
