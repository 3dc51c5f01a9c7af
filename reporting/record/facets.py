"""Facets: the values by which the desk sorts and labels its list, in one fixed size, sealed under the rest key.

A packed struct, not JSON, because the desk opens the facets of every open report for its list.
"""

import struct
from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from uuid import UUID

from reporting.record.choices import PLACELESS, UNSAID, IncidentType, Severity, suggested_severity
from ugly_mugs.text import places
from ugly_mugs.vault import ServiceVault, Where
from ugly_mugs.vault.padding import FACETS as SIZES

_LAYOUT: Final = struct.Struct(">BQBB24s12s")
_FORMAT: Final = 1
_TYPES: Final = tuple(IncidentType)
_SEVERITIES: Final = tuple(Severity)
_URGENT, _PLACELESS = 1, 2


class Facets(NamedTuple):
    """`region` and `sector` are "" when not given; `placeless` means that it happened only online or by phone."""

    types: frozenset[IncidentType]
    severity: Severity
    region: str
    sector: str
    urgent: bool
    placeless: bool


def of_sections(sections: Mapping[str, Any]) -> Facets:
    """The facets of a report's merged sections; severity and urgency are derived from the answers."""
    happened, place = sections.get("happened") or {}, sections.get("place") or {}
    types = frozenset(IncidentType(value) for value in happened.get("types") or () if value not in UNSAID)
    severity = suggested_severity(types)
    sector = (sections.get("about_you") or {}).get("sector") or ""
    return Facets(
        types=types,
        severity=severity,
        region=region_of(place),
        sector="" if sector in UNSAID else sector,
        urgent=happened.get("still_going_on") == "yes",
        placeless=place.get("premises") in PLACELESS and not place.get("place"),
    )


def region_of(place: Mapping[str, Any]) -> str:
    """The chosen region, otherwise the most likely region of the typed place, otherwise ""."""
    chosen = place.get("region")
    if chosen in places.REGIONS:
        return str(chosen)
    match = places.regions_of(place["place"]) if place.get("place") else None
    return match.regions[0] if match and match.regions else ""


def seal(facets: Facets, *, report_id: UUID, vault: ServiceVault) -> bytes:
    """One size for every report, and a new nonce, so that equal facets have different ciphertexts."""
    bits = sum(1 << _TYPES.index(incident_type) for incident_type in facets.types)
    flags = _URGENT * facets.urgent | _PLACELESS * facets.placeless
    severity = _SEVERITIES.index(facets.severity)
    packed = _LAYOUT.pack(_FORMAT, bits, severity, flags, facets.region.encode(), facets.sector.encode())
    return vault.seal_rest(packed, _where(report_id), sizes=SIZES)


def open_sealed(sealed: bytes, *, report_id: UUID, vault: ServiceVault) -> Facets:
    """The inverse of `seal`; CannotOpen when the bytes belong to another report."""
    return unpack(vault.open_rest(sealed, _where(report_id)))


def unpack(packed: bytes) -> Facets:
    _format, bits, severity, flags, region, sector = _LAYOUT.unpack(packed)
    return Facets(
        types=frozenset(incident_type for bit, incident_type in enumerate(_TYPES) if bits >> bit & 1)
        if bits
        else frozenset(),
        severity=_SEVERITIES[severity],
        region=region.rstrip(b"\0").decode(),
        sector=sector.rstrip(b"\0").decode(),
        urgent=bool(flags & _URGENT),
        placeless=bool(flags & _PLACELESS),
    )


def _where(report_id: UUID) -> Where:
    return Where("reports", "facets", report_id)
