"""Looks for strings in bytes, in every form in which somebody's habit may have left them there."""

import re
import zlib
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote, quote_plus

# Shorter than this, something stands in random bytes by chance.
SHORTEST = 6
DIGITS = re.compile(r"\d{6}")
_MOST = 1_000_000
_STARTS = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]")


def search(loot: Mapping[str, bytes], canaries: Iterable[str]) -> list[str]:
    """Every (place, canary) found, also inside whatever can be decompressed."""
    wanted = sorted(set(canaries))
    needles = [(each, _forms(each), _coded(each)) for each in wanted if not DIGITS.fullmatch(each)]
    codes = [(each, _alone(each)) for each in wanted if DIGITS.fullmatch(each)]
    found = []
    for place, contents in loot.items():
        for layer, data in _layers(contents):
            lower = data.lower()
            found += [
                f"{place}{layer}: {canary}"
                for canary, forms, coded in needles
                if any(form in lower for form in forms) or any(form in data for form in coded)
            ]
            found += [f"{place}{layer}: {code}" for code, pattern in codes if pattern.search(data)]
    return found


def _forms(canary: str) -> set[bytes]:
    """Forms in which the case of letters does not count: UTF-8, UTF-16, hexadecimal, as in an address, as in JSON."""
    assert len(canary) >= SHORTEST, f"{canary!r} is too short to be looked for"
    plain = canary.encode()
    forms = {
        plain,
        # Without its last byte it is the same in both byte orders, but for the first.
        canary.encode("utf-16-le")[:-1],
        plain.hex().encode(),
        plain.lower().hex().encode(),
        quote(canary).encode(),
        quote_plus(canary).encode(),
        canary.encode("ascii", "backslashreplace"),
    }
    return {form.lower() for form in forms}


def _coded(canary: str) -> set[bytes]:
    """Base64 shifts with what stands before it, so at each shift the part that no neighbour touches is looked for."""
    coded = set()
    for plain in {canary.encode(), canary.lower().encode()}:
        for shift in range(3):
            for encode in (b64encode, urlsafe_b64encode):
                text = encode(bytes(shift) + plain)
                coded.add(text[(4 if shift else 0) : len(text) - 4])
    return {text for text in coded if len(text) >= SHORTEST}


def _alone(code: str) -> re.Pattern[bytes]:
    """Six digits stand by chance in hexadecimal and in times, so a code counts only where it stands by itself."""
    digits = f"{code[:3]} ?{code[3:]}".encode()
    return re.compile(rb"(?<![0-9A-Fa-f.])" + digits + rb"(?![0-9A-Fa-f])")


def _layers(contents: bytes) -> Iterator[tuple[str, bytes]]:
    """The bytes themselves, and whatever gzip or zlib begins in them anywhere."""
    yield "", contents
    view = memoryview(contents)
    for match in _STARTS.finditer(contents):
        wbits = 31 if match[0].startswith(b"\x1f") else 15
        try:
            inside = zlib.decompressobj(wbits).decompress(view[match.start() : match.start() + _MOST], _MOST)
        except zlib.error:
            continue
        if inside:
            yield f" (compressed at {match.start()})", inside
