"""Which identifiers of a report become tags, and which are stored only as secret points in the sealed report.

Tags are stored for the structured fields about alleged offenders, never for an identifier that is also in a field
about the reporter. A username is tagged without its site, because people write the same site in many ways.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID, uuid4

import sqlalchemy as sa

from reporting.record.consents import Consents
from reporting.record.contents import Point
from reporting.record.models import IdentifierTag
from reporting.record.schemas import SECTIONS
from ugly_mugs.database.engine import db
from ugly_mugs.text.identifiers import IdentifierKind, NotAnIdentifier, find, normalise
from ugly_mugs.vault import IdentifierTags
from ugly_mugs.web.form_fields import OneOf, SomeOf

Identifier = tuple[IdentifierKind, str]

_OFFENDER_FIELDS: Final = {
    "phones": IdentifierKind.PHONE,
    "emails": IdentifierKind.EMAIL,
    "handles": IdentifierKind.HANDLE,
    "plates": IdentifierKind.PLATE,
}
_CHOSEN: Final = frozenset(
    {
        name
        for schema in SECTIONS.values()
        for name, field in schema._declared_fields.items()
        if isinstance(field, OneOf | SomeOf)
    }
)
# A quick filter: an identifier has a digit, an at sign or an underscore; one spelled out in words is a long text.
_SIGN: Final = re.compile(r"[\d@＠_]")
_SHORTEST_SPELLED: Final = 20
# A limit, because each point costs computing time and space in the sealed part.
MOST_POINTS: Final = 24


def of_offenders(offenders: Iterable[Mapping[str, Any]]) -> dict[Identifier, None]:
    """Every valid identifier of the structured fields, without duplicates, in order."""
    identifiers: dict[Identifier, None] = {}
    for offender in offenders:
        for field, kind in _OFFENDER_FIELDS.items():
            for text in offender.get(field) or ():
                identifiers |= _read(kind, text)
    return identifiers


def of_reporter(about_you: Mapping[str, Any], consents: Consents) -> dict[Identifier, None]:
    """Every identifier in any field about the reporter, in any spelling."""
    texts = [*_texts(about_you), *_texts(consents.safe_contact)]
    identifiers: dict[Identifier, None] = {}
    for text in texts:
        identifiers |= dict.fromkeys((match.kind, match.normalised) for match in find(text))
        for kind in _OFFENDER_FIELDS.values():
            identifiers |= _read(kind, text)
    return identifiers


def of_free_text(sections: Mapping[str, Any]) -> dict[Identifier, None]:
    """Identifiers in free text, where it is unknown whose they are."""
    happened = sections.get("happened") or {}
    texts = _texts(happened)
    for offender in sections.get("offenders") or ():
        texts += _texts({name: value for name, value in offender.items() if name not in _OFFENDER_FIELDS})
    identifiers: dict[Identifier, None] = {}
    for text in texts:
        if len(text) >= _SHORTEST_SPELLED or _SIGN.search(text):
            identifiers |= dict.fromkeys((match.kind, match.normalised) for match in find(text))
    return identifiers


def points(identifiers: Iterable[Identifier], tags: IdentifierTags) -> list[Point]:
    """The secret points of the first MOST_POINTS identifiers."""
    chosen = list(identifiers)[:MOST_POINTS]
    return [Point(kind, text, tags.secret_point(kind, text)) for kind, text in chosen]


def rows(report_id: UUID, identifiers: Iterable[Identifier], tags: IdentifierTags) -> list[dict[str, Any]]:
    """The tag rows of a report, sorted by random id, so that their order reveals nothing about the identifiers."""
    tag_rows = [
        {
            "id": uuid4(),
            "report_id": report_id,
            "kind": kind,
            "tag": tags.series_tag(tags.secret_point(kind, text)),
        }
        for kind, text in identifiers
    ]
    return sorted(tag_rows, key=lambda row: row["id"])


def stored(report_id: UUID) -> set[bytes]:
    return set(db.session.scalars(sa.select(IdentifierTag.tag).where(IdentifierTag.report_id == report_id)))


def add(report_id: UUID, identifiers: Iterable[Identifier], tags: IdentifierTags) -> None:
    known = stored(report_id)
    missing = [row for row in rows(report_id, identifiers, tags) if row["tag"] not in known]
    if missing:
        db.session.execute(sa.insert(IdentifierTag), missing)


def remove(report_id: UUID, identifiers: Iterable[Identifier], tags: IdentifierTags) -> None:
    """Delete the report's tags of these identifiers, where they exist."""
    series_tags = [row["tag"] for row in rows(report_id, identifiers, tags)]
    if series_tags:
        statement = sa.delete(IdentifierTag).where(IdentifierTag.report_id == report_id)
        db.session.execute(statement.where(IdentifierTag.tag.in_(series_tags)))


def _read(kind: IdentifierKind, text: str) -> dict[Identifier, None]:
    try:
        return {(kind, normalise(kind, text)): None}
    except NotAnIdentifier:
        return {}


def _texts(section: Mapping[str, Any]) -> list[str]:
    """The free text of a section, without values chosen from a list."""
    texts: list[str] = []
    for name, value in section.items():
        if name in _CHOSEN:
            continue
        if isinstance(value, str):
            texts.append(value)
        elif isinstance(value, list):
            texts += [text for text in value if isinstance(text, str)]
    return texts
