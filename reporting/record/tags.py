"""Which identifiers of a report become tags, and which only leave their secret point inside the sealed report.

Tags are stored for the structured fields about alleged offenders, never for an identifier that also stands in a
field about the reporter. A username is tagged without its site, because people write one site in many ways.
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
# Whatever is an identifier has a figure, an at-sign or an underscore, unless it is spelled out, which takes room.
_SIGN: Final = re.compile(r"[\d@＠_]")
_SHORTEST_SPELLED: Final = 20
# Points cost computing time and room in the sealed part; nobody's account names more people than this.
MOST_POINTS: Final = 24


def of_offenders(offenders: Iterable[Mapping[str, Any]]) -> dict[Identifier, None]:
    """Every structured identifier that can be read as one, each once, in their order."""
    found: dict[Identifier, None] = {}
    for offender in offenders:
        for field, kind in _OFFENDER_FIELDS.items():
            for text in offender.get(field) or ():
                found |= _read(kind, text)
    return found


def of_reporter(about_you: Mapping[str, Any], consents: Consents) -> dict[Identifier, None]:
    """Every identifier that stands in any field about the reporter, however it is written there."""
    texts = [*_texts(about_you), *_texts(consents.safe_contact)]
    found: dict[Identifier, None] = {}
    for text in texts:
        found |= dict.fromkeys((each.kind, each.normalised) for each in find(text))
        for kind in _OFFENDER_FIELDS.values():
            found |= _read(kind, text)
    return found


def of_free_text(sections: Mapping[str, Any]) -> dict[Identifier, None]:
    """Identifiers somebody wrote into a text instead of a field; nothing says whose they are."""
    happened = sections.get("happened") or {}
    texts = [*_texts(happened)]
    for offender in sections.get("offenders") or ():
        texts += _texts({name: value for name, value in offender.items() if name not in _OFFENDER_FIELDS})
    found: dict[Identifier, None] = {}
    for text in texts:
        if len(text) >= _SHORTEST_SPELLED or _SIGN.search(text):
            found |= dict.fromkeys((each.kind, each.normalised) for each in find(text))
    return found


def points(identifiers: Iterable[Identifier], tags: IdentifierTags) -> list[Point]:
    """The secret points of the first few identifiers."""
    chosen = list(identifiers)[:MOST_POINTS]
    return [Point(kind, text, tags.secret_point(kind, text)) for kind, text in chosen]


def rows(report_id: UUID, identifiers: Iterable[Identifier], tags: IdentifierTags) -> list[dict[str, Any]]:
    """The tag rows of a report, in an order that says nothing about what they stand for."""
    made = [
        {
            "id": uuid4(),
            "report_id": report_id,
            "kind": kind,
            "tag": tags.series_tag(tags.secret_point(kind, text)),
        }
        for kind, text in identifiers
    ]
    return sorted(made, key=lambda row: row["id"])


def add(report_id: UUID, identifiers: Iterable[Identifier], tags: IdentifierTags) -> None:
    """Store the tags that are not stored yet."""
    stored = set(db.session.scalars(sa.select(IdentifierTag.tag).where(IdentifierTag.report_id == report_id)))
    fresh = [row for row in rows(report_id, identifiers, tags) if row["tag"] not in stored]
    if fresh:
        db.session.execute(sa.insert(IdentifierTag), fresh)


def remove(report_id: UUID, identifiers: Iterable[Identifier], tags: IdentifierTags) -> None:
    """Delete the report's tags of these identifiers; for those it has none of, nothing happens."""
    gone = [row["tag"] for row in rows(report_id, identifiers, tags)]
    if gone:
        db.session.execute(
            sa.delete(IdentifierTag).where(IdentifierTag.report_id == report_id, IdentifierTag.tag.in_(gone))
        )


def _read(kind: IdentifierKind, text: str) -> dict[Identifier, None]:
    try:
        return {(kind, normalise(kind, text)): None}
    except NotAnIdentifier:
        return {}


def _texts(section: Mapping[str, Any]) -> list[str]:
    """What somebody wrote in their own words; values chosen from a list are none."""
    found: list[str] = []
    for name, value in section.items():
        if name in _CHOSEN:
            continue
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, list):
            found += [each for each in value if isinstance(each, str)]
    return found
