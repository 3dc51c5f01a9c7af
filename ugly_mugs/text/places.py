"""Recognises places, no finer than an alert may name them: regions, police forces, outward codes and towns.

Sources and licences of the files read here: `ugly_mugs/data/CREDITS.md`.
"""

import csv
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from ugly_mugs.text.folding import fold

# When a smaller share of a postcode's addresses, in per cent, lies in its principal region or force, a person
# has to choose between the possible ones.
_CLEAR_SHARE = 95.0

_WHOLE_POSTCODE = re.compile(r"([A-Z]{1,2}[0-9][A-Z0-9]?) ?[0-9O][A-Z]{2}")
_SECTOR = re.compile(r"([A-Z]{1,2}[0-9][A-Z0-9]?) [0-9]")
_OUTWARD = re.compile(r"[A-Z]{1,2}[0-9][A-Z0-9]?")
# Irish Eircodes: the routing key covers a district, the four characters after it identify a single address.
_EIRCODE = re.compile(r"([AC-FHKNPRTV-Y][0-9]{2}|D6W)(?: ?[0-9AC-FHKNPRTV-Y]{4})?")
_DUBLIN_KEY = re.compile(r"D(?:[0-9]{2}|6W)")
_DUBLIN_DISTRICT = re.compile(r"dublin 0?(1?[0-9]|2[0-4]|6w)")


@dataclass(frozen=True, slots=True)
class Region:
    slug: str
    name: str
    nation: str


@dataclass(frozen=True, slots=True)
class Force:
    slug: str
    name: str
    nation: str
    regions: tuple[str, ...]
    kind: str


@dataclass(frozen=True, slots=True)
class PlaceMatch:
    """What a typed place stands for: the likeliest region and force first.

    `canonical` names the place no closer than a town or an outward code, so it may be shown.
    """

    regions: tuple[str, ...]
    forces: tuple[str, ...]
    choice_needed: bool
    canonical: str


def _rows(name: str) -> list[dict[str, str]]:
    with (files("ugly_mugs") / "data" / name).open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def _slugs(*cells: str) -> tuple[str, ...]:
    """The slugs of some `;`-separated cells in their order, each once."""
    return tuple(dict.fromkeys(slug for cell in cells for slug in cell.split(";") if slug))


REGIONS: Final[Mapping[str, Region]] = {
    row["slug"]: Region(row["slug"], row["name"], row["nation"]) for row in _rows("regions.csv")
}
FORCES: Final[Mapping[str, Force]] = {
    row["slug"]: Force(row["slug"], row["name"], row["nation"], _slugs(row["region_slugs"]), row["kind"])
    for row in _rows("police_forces.csv")
}


def _key(name: str) -> str:
    """The same for all ways to type a town: case, accents, hyphens and apostrophes do not count."""
    return " ".join(re.sub(r"[^\w]+", " ", re.sub(r"['’‘`.]", "", fold(name))).split())


@cache
def _towns() -> Mapping[str, PlaceMatch]:
    return {
        _key(row["name"]): PlaceMatch(
            regions=_slugs(row["region_slug"], row["other_region_slugs"]),
            forces=_slugs(row["force_slug"], row["other_force_slugs"]),
            choice_needed=bool(row["other_region_slugs"] or row["other_force_slugs"]),
            canonical=row["alias_of"] or row["name"],
        )
        for row in _rows("towns.csv")
    }


@cache
def _postcodes() -> Mapping[str, dict[str, str]]:
    """Rows by postcode area, and by outward code where one differs from its area."""
    areas = {
        row["area"]: row | {"force_slugs": row["principal_force_slugs"]}
        for row in _rows("postcode_areas.csv")
    }
    return areas | {row["outward"]: row for row in _rows("outward_exceptions.csv")}


def _area(outward: str) -> str:
    return outward.rstrip("0123456789") if outward[-1].isdigit() else re.split(r"[0-9]", outward)[0]


def outward_code(text: str) -> str | None:
    """The outward part of a postcode (Eircode: routing key), whether or not the rest was typed; else None.

    The rest would narrow the place down to a few addresses and is never returned.
    """
    code = " ".join(re.sub(r"[^\w]+", " ", unicodedata.normalize("NFKC", text)).split()).upper()
    for layout in (_WHOLE_POSTCODE, _SECTOR, _OUTWARD):
        match = layout.fullmatch(code)
        if match:
            outward = match.group(layout.groups)
            if outward in _postcodes() or _area(outward) in _postcodes():
                return outward
    eircode = _EIRCODE.fullmatch(code)
    return eircode.group(1) if eircode else None


def _postcode_match(outward: str) -> PlaceMatch | None:
    row = _postcodes().get(outward) or _postcodes().get(_area(outward))
    if row is None:
        # The data holds no Irish routing keys; Dublin's are known by their form.
        if _DUBLIN_KEY.fullmatch(outward):
            return PlaceMatch(("leinster",), ("garda",), choice_needed=False, canonical=outward)
        return None
    share = min(float(row["region_share_pct"]), float(row["force_share_pct"]))
    return PlaceMatch(
        regions=_slugs(row["region_slug"], row["other_region_slugs"]),
        forces=_slugs(row["force_slugs"]),
        choice_needed=share < _CLEAR_SHARE,
        canonical=outward,
    )


def regions_of(place: str) -> PlaceMatch | None:
    """The place in a field that holds a town, an outward code or a whole postcode; None when it holds none of them.

    A town must fill the whole field, because many town names are common words. Only a postcode may follow it
    ("Leeds, LS11 8ZQ"), and then the postcode decides.
    """
    town = _towns().get(_key(place))
    if town is not None:
        return town
    district = _DUBLIN_DISTRICT.fullmatch(_key(place))
    if district:
        return _postcode_match(f"D{district.group(1).upper():0>2}")
    outward = outward_code(place)
    if outward is not None:
        return _postcode_match(outward)
    words = place.replace(",", " ").split()
    for taken in (1, 2):
        town_part, outward = " ".join(words[:-taken]), outward_code(" ".join(words[-taken:]))
        if outward is not None and _key(town_part) in _towns():
            return _postcode_match(outward)
    return None
