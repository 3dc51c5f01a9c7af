"""The contents of a report, opened with its content key: each part as it was sent, and all parts merged."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from typing import Any, Final, NamedTuple
from uuid import UUID

from reporting.record import consents as consent_records
from reporting.record.consents import Consents
from reporting.record.models import Report, ReportPart
from reporting.record.schemas import KEPT_SECTIONS
from ugly_mugs.database.sealed_json import Plain, SealedJson
from ugly_mugs.errors import NotThere
from ugly_mugs.text.identifiers import IdentifierKind
from ugly_mugs.vault import Where, symmetric
from ugly_mugs.vault.padding import HEAD, TEXT

Section = Mapping[str, Any]


@dataclass(frozen=True)
class Point:
    """The secret point P of an identifier found in free text.

    Its tag is stored only when a moderator says that the identifier is the alleged offender's.
    """

    kind: IdentifierKind
    normalised: str
    point: bytes


class PartContents(NamedTuple):
    sections: Mapping[str, Any]
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Part:
    """One part, opened. The first part is the report as filed; later ones are additions."""

    number: int
    added_on: date
    sections: Mapping[str, Any]
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Head:
    """The minute of filing; it is stored nowhere else."""

    received_at: datetime


@dataclass(frozen=True)
class Contents:
    report_id: UUID
    head: Head
    consents: Consents
    parts: tuple[Part, ...]

    @property
    def account(self) -> str:
        """The accounts of all parts, separated by an empty line."""
        return "\n\n".join(self.accounts)

    @property
    def accounts(self) -> list[str]:
        accounts = (part.sections.get("happened", {}).get("account") for part in self.parts)
        return [account for account in accounts if account]

    @property
    def offenders(self) -> list[Section]:
        """The alleged offenders of all parts; the same person may appear twice."""
        return [offender for part in self.parts for offender in part.sections.get("offenders", [])]

    @property
    def points(self) -> list[Point]:
        return [point for part in self.parts for point in part.points]

    @property
    def sections(self) -> dict[str, Any]:
        """All parts merged: lists are extended, accounts are joined, any other answer is the latest one."""
        merged: dict[str, Any] = {name: {} for name in KEPT_SECTIONS}
        merged["offenders"] = self.offenders
        for part in self.parts:
            for name, section in part.sections.items():
                if name != "offenders":
                    merged[name] = merge_answers(merged[name], section)
        if self.account:
            merged["happened"]["account"] = self.account
        return merged


def merge_answers(earlier: Section, later: Section) -> dict[str, Any]:
    """The answers of one section from two parts: lists are extended, any other answer is the later one."""
    merged = dict(earlier)
    for name, value in later.items():
        both_lists = isinstance(value, list) and isinstance(merged.get(name), list)
        merged[name] = list(dict.fromkeys([*merged[name], *value])) if both_lists else value
    return merged


def answered_only(sections: Mapping[str, Any]) -> dict[str, Any]:
    """The sections without unanswered questions, and without sections that have no answer; dates as ISO text."""
    kept: dict[str, Any] = {}
    for name in KEPT_SECTIONS:
        given = sections.get(name)
        if name == "offenders":
            people = [person for person in map(_answered, given or ()) if person]
            if people:
                kept[name] = people
        elif given and (answers := _answered(given)):
            kept[name] = answers
    return kept


def _answered(section: Section) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in section.items()
        if value is not None and value != "" and value != []
    }


def seal_part(
    sections: Mapping[str, Any], points: Iterable[Point], *, part_id: UUID, content_key: bytes
) -> bytes:
    """Seal one part; TooLong when it exceeds the largest padding size."""
    value = PartContents(sections, tuple(points))
    return PARTS.seal(value, row=part_id, sealer=partial(symmetric.seal, content_key))


def open_part(part: ReportPart, content_key: bytes) -> Part:
    """The inverse of `seal_part`; CannotOpen when the key is another report's."""
    opened = PARTS.open(part.sections, row=part.id, opener=partial(symmetric.open_sealed, content_key))
    return Part(part.number, part.added_on, opened.sections, opened.points)


def _plain(value: PartContents) -> Plain:
    plain: dict[str, Any] = {"sections": value.sections}
    if value.points:
        plain["points"] = [
            [point.kind, point.normalised, base64.b64encode(point.point).decode()] for point in value.points
        ]
    return plain


def _from_plain(plain: Plain) -> PartContents:
    points = tuple(
        Point(IdentifierKind(kind), normalised, base64.b64decode(point))
        for kind, normalised, point in plain.get("points", [])
    )
    return PartContents(plain["sections"], points)


PARTS: Final = SealedJson("report_parts", "sections", sizes=TEXT, dump=_plain, load={1: _from_plain})


def seal_head(now: datetime, *, report_id: UUID, content_key: bytes) -> bytes:
    """Seal the minute in which the report was received."""
    minute = int(now.timestamp()) // 60
    return symmetric.seal(content_key, str(minute).encode(), Where("reports", "head", report_id), sizes=HEAD)


def open_head(sealed: bytes, *, report_id: UUID, content_key: bytes) -> Head:
    """The inverse of `seal_head`; CannotOpen when the key is another report's."""
    minute = int(symmetric.open_sealed(content_key, sealed, Where("reports", "head", report_id)))
    return Head(datetime.fromtimestamp(minute * 60, UTC))


def open_with_key(report: Report, content_key: bytes) -> Contents:
    """The whole report; NotThere once it is withdrawn, CannotOpen when the key is another report's."""
    if report.head is None or report.consents is None:
        raise NotThere
    return Contents(
        report_id=report.id,
        head=open_head(report.head, report_id=report.id, content_key=content_key),
        consents=consent_records.open_sealed(report.consents, report_id=report.id, content_key=content_key),
        parts=tuple(open_part(part, content_key) for part in report.parts),
    )


def known_about_reporter(contents: Contents) -> dict[str, list[str]]:
    """What the form's fields say about the reporter, by kind, for suggestions and the leak check."""
    about: Section = contents.sections["about_you"]
    safe = contents.consents.safe_contact
    where = _one(safe, "where")
    known = {
        "name": _one(about, "call_you") + _one(safe, "name_to_use"),
        "working_name": _many(about, "working_names"),
        "phone": _many(about, "phones") + [text for text in where if "@" not in text],
        "email": _many(about, "emails") + [text for text in where if "@" in text],
        "profile_url": _many(about, "profile_links"),
        "reference": _one(about, "police_reference"),
        "other": _many(about, "keep_out"),
    }
    return {kind: list(dict.fromkeys(texts)) for kind, texts in known.items() if texts}


def _one(section: Section, name: str) -> list[str]:
    value = section.get(name)
    return [value] if value else []


def _many(section: Section, name: str) -> list[str]:
    values: Sequence[str] = section.get(name) or []
    return list(values)
