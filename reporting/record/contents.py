"""What a report holds, opened with its content key: sections in the order they came, and all of them merged."""

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
    """The secret point P of an identifier found in free text; a tag is made of it only when a moderator says so."""

    kind: IdentifierKind
    normalised: str
    point: bytes


class PartContents(NamedTuple):
    """What is sealed of one part."""

    sections: Mapping[str, Any]
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Part:
    """What was sent at one time. The first is the report as filed."""

    number: int
    added_on: date
    sections: Mapping[str, Any]
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Head:
    """The only place where the minute of filing stands."""

    received_at: datetime


@dataclass(frozen=True)
class Contents:
    """A whole report, opened. It lives as long as one request."""

    report_id: UUID
    head: Head
    consents: Consents
    parts: tuple[Part, ...]

    @property
    def account(self) -> str:
        """What happened, as first written and as added to later, with an empty line between."""
        return "\n\n".join(self.accounts)

    @property
    def accounts(self) -> list[str]:
        found = (part.sections.get("happened", {}).get("account") for part in self.parts)
        return [text for text in found if text]

    @property
    def offenders(self) -> list[Section]:
        """Everybody named, over all parts; the same person may stand here twice."""
        return [each for part in self.parts for each in part.sections.get("offenders", [])]

    @property
    def points(self) -> list[Point]:
        return [point for part in self.parts for point in part.points]

    @property
    def sections(self) -> dict[str, Any]:
        """All sections over all parts: lists grow, accounts are joined, elsewhere the latest answer counts."""
        merged: dict[str, Any] = {name: {} for name in KEPT_SECTIONS}
        merged["offenders"] = self.offenders
        for part in self.parts:
            for name, section in part.sections.items():
                if name != "offenders":
                    merged[name] = joined(merged[name], section)
        if self.account:
            merged["happened"]["account"] = self.account
        return merged


def joined(earlier: Section, later: Section) -> dict[str, Any]:
    """Two fillings of one section."""
    merged = dict(earlier)
    for name, value in later.items():
        grows = isinstance(value, list) and isinstance(merged.get(name), list)
        merged[name] = list(dict.fromkeys([*merged[name], *value])) if grows else value
    return merged


def filled(sections: Mapping[str, Any]) -> dict[str, Any]:
    """Only the sections, and in them only the questions, that were answered."""
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
    """One seal for all that was sent at one time; TooLong when it does not fit into the largest size."""
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
    """The minute it was received."""
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
    """What the form's own fields hold about the reporter, by kind, for suggestions and the leak check."""
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
    found: Sequence[str] = section.get(name) or []
    return list(found)
