"""Holds every column of a real database to what is declared of it, by looking at every value in it."""

import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from alerts.membership.models import Level
from alerts.membership.proving import placeholder_owner
from alerts.publishing.versions import REFERENCE_SIGNS
from tests.rules.columns import BEGIN, PAGE
from tests.thief.haul import Haul, id_of
from ugly_mugs.app import WIRING
from ugly_mugs.database.columns import Clear, Model
from ugly_mugs.outbox import ledger
from ugly_mugs.outbox.inbound import handovers
from ugly_mugs.outbox.models import Channel
from ugly_mugs.text import places
from ugly_mugs.vault import CannotOpen, PublicKey, padding
from ugly_mugs.vault.encoding import Format

# Alembic's own table; the threat model names it, too.
VERSION_TABLE = "alembic_version"

_LADDERS = (
    padding.TEXT, padding.FACETS, padding.CONSENTS, padding.CONTACT, padding.SESSION, padding.CODE, padding.HEAD,
    padding.NAME, padding.SETTINGS, handovers.SIZES, ledger.BODY_SIZES,
)  # fmt: skip
PADDED = {size for ladder in _LADDERS for size in ladder}
_NONCE, _TAG, _ENCAPSULATED = 12, 16, 1_120
_KEY, _SEED = 32, 96
# Of each format: what stands before the random part, what the seal adds to its contents, and their sizes.
LAYOUTS: Mapping[Format, tuple[int, int, set[int]]] = {
    Format.SYMMETRIC: (1, 1 + _NONCE + _TAG, PADDED),
    Format.RING: (2, 2 + _NONCE + _TAG, PADDED),
    Format.HYBRID: (1, 1 + _ENCAPSULATED + _TAG, {_KEY, _SEED}),
    Format.HYBRID_PADDED: (1, 1 + _ENCAPSULATED + _TAG, PADDED),
    Format.PASSPHRASE: (4, 4 + 16 + _NONCE + _TAG, {128}),
    Format.RECEIPT: (2, 2 + _NONCE + _TAG, {64}),
}
TAG = 32
_LARGEST_COUNT = 10**9  # a telephone number is larger
_LARGEST_VERSION = 10**4
_NAMED = {
    "language": r"en",
    "level": "|".join(Level),
    "region": "|".join(map(re.escape, places.REGIONS)),
    "provider_id": r"SM[0-9a-f]{32}|<[\w.-]+@[\w.-]+>",
}


def problems(haul: Haul) -> list[str]:
    """Everything that is not as declared, by table and column."""
    from_members = {
        placeholder_owner(id_of(row["id"]), channel) for row in haul.rows["members"] for channel in Channel
    }
    found = [each for table, names in haul.columns.items() for each in _undeclared(table, names)]
    for table, name, value, _row in haul.values():
        column = _declared(table, name)
        if column is not None and not _is_as_declared(column, value, from_members):
            found.append(f"{table}.{name}: not {column.info['holds']} as declared")
    return found + [f"{name}: not random" for name in _not_random(haul)]


def _declared(table: str, name: str) -> "sa.Column[Any] | None":
    known = Model.metadata.tables.get(table)
    return None if known is None else known.columns.get(name)


def _undeclared(table: str, names: list[str]) -> Iterator[str]:
    prose = PAGE.read_text("utf-8").partition(BEGIN)[0]
    for name in names:
        column = _declared(table, name)
        if table == VERSION_TABLE:
            if f"`{VERSION_TABLE}`" not in prose:
                yield f"{table}: not named in the threat model"
        elif column is None or column.info.get("holds") not in ("sealed", "keyed", "clear"):
            yield f"{table}.{name}: not declared"
        elif column.info.get("what") is Clear.NAMED and not re.search(rf"`(?:\w+\.)?{name}`", prose):
            yield f"{table}.{name}: not named in the threat model"


def _is_as_declared(column: "sa.Column[Any]", value: Any, from_members: set[UUID]) -> bool:
    match column.info["holds"]:
        case "sealed":
            return _is_sealed(value)
        case "keyed":
            return isinstance(value, bytes) and len(value) == TAG and _looks_random(value)
    what = column.info["what"]
    if what is Clear.STATE:
        return value in set(column.info["members"])
    if what is Clear.KIND:
        return value in {spec.kind for spec in WIRING.output_kinds}
    if what is Clear.ID:
        return _is_random_id(column, value, from_members)
    if what is Clear.NAMED:
        return _is_moment(value) or re.fullmatch(_NAMED.get(column.name, "(?!)"), str(value)) is not None
    return _PLAIN[what](value)


def _is_sealed(value: object) -> bool:
    """A known format, contents of one of its sizes, and nothing in it that could be told from chance."""
    if not isinstance(value, bytes) or value[:1] not in {each.byte for each in LAYOUTS}:
        return False
    header, added, sizes = LAYOUTS[Format(value[0])]
    return len(value) - added in sizes and _looks_random(value[header:])


def _looks_random(body: bytes) -> bool:
    """It cannot be compressed, and as many different bytes occur as in random ones of that length."""
    expected = 256 * (1 - (255 / 256) ** len(body))
    return len(zlib.compress(body, 9)) > len(body) and len(set(body)) > 0.6 * expected


def _not_random(haul: Haul) -> Iterator[str]:
    """Columns in which, over all rows together, some bytes occur more often than chance allows."""
    together: dict[str, Counter[int]] = {}
    for table, name, value, _row in haul.values():
        column = _declared(table, name)
        if column is not None and column.info["holds"] in ("sealed", "keyed") and isinstance(value, bytes):
            header = (
                LAYOUTS[Format(value[0])][0] if column.info["holds"] == "sealed" and _is_sealed(value) else 0
            )
            together.setdefault(f"{table}.{name}", Counter()).update(value[header:])
    for column_name, counted in together.items():
        total = counted.total()
        # Chi-squared with 255 degrees of freedom: 255 expected, and 450 less than once in 10^12.
        if (
            total >= 2_560
            and sum((counted[each] - total / 256) ** 2 for each in range(256)) / (total / 256) > 450
        ):
            yield column_name


def _is_random_id(column: "sa.Column[Any]", value: Any, from_members: set[UUID]) -> bool:
    if column.name == "reference":
        return re.fullmatch(rf"[{REFERENCE_SIGNS}]{{4}}", value) is not None
    try:
        found = id_of(value)
    except ValueError:
        return False
    # An address typed inside and not proved yet belongs to an id made of its member's, which is random.
    # SQLite makes the ids of a fan-out itself, of 128 random bits without a version in them.
    by_sqlite = column.table.name == "deliveries" and isinstance(value, str)
    return found.version == 4 or found in from_members or (by_sqlite and _looks_random(found.bytes))


def _is_moment(value: object) -> bool:
    return isinstance(value, datetime) or (
        isinstance(value, str)
        and re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{6})?", value) is not None
    )


def _is_day(value: object) -> bool:
    if isinstance(value, str):
        return re.fullmatch(r"\d{4}-\d\d-\d\d", value) is not None
    return isinstance(value, date) and not isinstance(value, datetime)


def _is_public_key(value: object) -> bool:
    try:
        return isinstance(value, bytes) and bool(PublicKey(value))
    except CannotOpen:
        return False


_PLAIN: Mapping[Clear, Callable[[Any], bool]] = {
    Clear.FLAG: lambda value: value in (0, 1),
    Clear.DAY: _is_day,
    Clear.COUNT: lambda value: isinstance(value, int) and 0 <= value < _LARGEST_COUNT,
    Clear.VERSION: lambda value: isinstance(value, int) and 0 < value < _LARGEST_VERSION,
    Clear.PUBLIC_KEY: _is_public_key,
}
