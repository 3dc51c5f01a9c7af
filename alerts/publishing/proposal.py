"""First contents of a draft: the report's structured fields, made coarse so that they do not reveal the reporter."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final

from flask_babel import format_date, gettext as _

from alerts.membership.models import Sector
from alerts.publishing.texts.contents import AlertContents, Identifier
from reporting.record.choices import AGES, GENDERS, PLACELESS, UNSAID, Severity, label_of, suggested_severity
from reporting.record.contents import Contents
from ugly_mugs.text import places
from ugly_mugs.text.identifiers import IdentifierKind

# By which an offender can be recognised. Without accent and language, because they suggest an origin.
_LOOKS: Final = (
    "ethnic_appearance", "height", "build", "hair", "eyes", "complexion", "marks", "clothing", "smell",
)  # fmt: skip
_IDENTIFIERS: Final = (
    ("names", "name"),
    ("phones", IdentifierKind.PHONE),
    ("emails", IdentifierKind.EMAIL),
    ("handles", IdentifierKind.HANDLE),
    ("plates", IdentifierKind.PLATE),
)
_THIRD_PARTIES: Final = frozenset({"third_party"})

Section = Mapping[str, Any]


def from_report(report: Contents, *, redacted: str) -> AlertContents:
    """The proposed contents, which a person edits before submitting them."""
    sections = report.sections
    types = tuple(kind for kind in sections["happened"].get("types", []) if kind not in UNSAID)
    premises = sections["place"].get("premises", "")
    place, regions = _where(sections["place"])
    severity = suggested_severity(frozenset(types))
    return AlertContents(
        severity=Severity.DANGER if severity is Severity.DANGER else Severity.RISK,
        types=types,
        place=place,
        when=_when(sections["when"]),
        premises="" if premises in UNSAID else premises,
        description="; ".join(filter(None, map(_description, report.offenders))),
        vehicle="; ".join(filter(None, (offender.get("vehicle", "") for offender in report.offenders))),
        regions=regions,
        online=premises in PLACELESS or not regions,
        sectors=() if regions else (Sector.ONLINE,),
        third_party=is_third_party(report),
        offered=identifiers_in(report),
        redacted=redacted,
    )


def with_answers(
    contents: AlertContents, answers: Mapping[str, Any], report: Contents, *, redacted: str
) -> AlertContents:
    """The contents of a draft after its form was filled in; `redacted` is the settled text it was checked against."""
    chosen = set(answers.get("identifiers") or ())
    offered = identifiers_in(report)
    return replace(
        contents,
        severity=Severity(answers["severity"]),
        types=tuple(answers["types"]),
        place=answers["place"] or "",
        when=answers["when"] or "",
        premises=answers["premises"] or "",
        description=answers["description"] or "",
        vehicle=answers["vehicle"] or "",
        advice=answers["advice"] or "",
        regions=tuple(answers["regions"]),
        online=bool(answers["online"]),
        sectors=tuple(answers["sectors"]),
        kinds=tuple(answers["kinds"]),
        channels=tuple(answers["channels"]),
        days=answers["days"],
        identifiers=tuple(identifier for identifier in offered if identifier.key in chosen),
        offered=offered,
        third_party=is_third_party(report),
        establishments_too=bool(answers.get("establishments_too")),
        redacted=redacted,
    )


def is_third_party(report: Contents) -> bool:
    """Whether an offender is a manager or third party. By default, establishments get no alert about those."""
    return any(offender.get("relation") in _THIRD_PARTIES for offender in report.offenders)


def identifiers_in(report: Contents) -> tuple[Identifier, ...]:
    """The structured identifiers of the alleged offenders, without duplicates."""
    identifiers = (
        Identifier(str(kind), value)
        for offender in report.offenders
        for name, kind in _IDENTIFIERS
        for value in offender.get(name, [])
    )
    return tuple(dict.fromkeys(identifiers))


def _where(section: Section) -> tuple[str, tuple[str, ...]]:
    """A town or outward code and its regions, or the region that was named, or nothing."""
    typed, named = section.get("place", ""), section.get("region", "")
    match = places.regions_of(typed) if typed else None
    if match is not None:
        return match.canonical, match.regions
    if named in places.REGIONS:
        return places.REGIONS[named].name, (named,)
    # A place that is no known town may be a street or a house, so it is not proposed.
    return "", ()


def _when(section: Section) -> str:
    """The week and the time of day, never the day itself or the reporter's own words."""
    parts = []
    if section.get("day"):
        day = date.fromisoformat(section["day"])
        monday = day - timedelta(days=day.weekday())
        parts.append(_("in the week of %(monday)s", monday=format_date(monday, "d MMMM")))
    band = {
        "morning": _("in the morning"),
        "afternoon": _("in the afternoon"),
        "evening": _("in the evening"),
        "night": _("at night"),
    }.get(section.get("time_band", ""))
    if band:
        parts.append(str(band))
    return ", ".join(parts)


def _description(offender: Section) -> str:
    features = [
        label_of(offered, offender[name]).lower()
        for name, offered in (("gender", GENDERS), ("age", AGES))
        if offender.get(name) and offender[name] not in UNSAID
    ]
    features += [offender[name] for name in _LOOKS if offender.get(name)]
    return ", ".join(feature.strip().rstrip(".") for feature in features if feature.strip())
