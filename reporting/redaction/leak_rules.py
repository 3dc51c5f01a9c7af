"""Search terms of the leak check: the ways in which a known or hidden value may be written.

Patterns are matched against condensed text: tokens joined without spaces and punctuation (`Stream.text`).
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from reporting.redaction.common_words import COMMON
from reporting.redaction.suggestion_rules import LINK, TITLES
from reporting.redaction.tokeniser import Token, plain_stream, spoken_stream, tokens
from ugly_mugs.text.identifiers import IdentifierKind, find

# A match with this many characters needs no word boundaries around it.
UNAMBIGUOUS_LENGTH: Final = 8
LAST_DIGITS: Final = 6
_MIN_CHARACTERS: Final = 3
_MIN_USERNAME: Final = 4

_AT = "(?:at|arroba|arond|艾特)?"
_DOT = "(?:dot|punct|ponto|punto|点)?"
_DASH = "(?:dot|punct|ponto|punto|点|underscore|dash|hyphen|minus|plus)?"
_SLASH = "(?:slash|forwardslash|dot|punct|ponto|punto|点|dash|hyphen|underscore)?"
_PLURAL = "(?:s|es)?"

_POSTCODE = re.compile(
    r"(?i)(?<![a-z0-9])([a-z]{1,2}[0-9][a-z0-9]?)\s*([0-9][abd-hjlnp-uw-z]{2})(?![a-z0-9])"
)
_INWARD = re.compile(r"(?i)(?<![a-z0-9])([0-9][abd-hjlnp-uw-z]{2})\s*$")
_ORDINARY_PATHS: Final = frozenset(
    "profile profiles user users escort escorts ad ads advert adverts view listing listings page index html php en gb "
    "uk www com http https mailto info contact hello mail admin bookings booking enquiries office".split()
)


@dataclass(frozen=True)
class Needle:
    """A pattern to search in condensed text. `whole` demands a word boundary on both sides."""

    kind: str
    why: str
    pattern: re.Pattern[str]
    whole: bool = True


@dataclass(frozen=True)
class Number:
    """A number that matches only as a whole: 12 does not match 2012. `value` is a `number_value`."""

    kind: str
    why: str
    value: str


SearchTerm = Needle | Number


def number_value(figures: str) -> str:
    """The digits without leading zeros. `int` is not used, because it refuses more than 4,300 digits."""
    return figures.lstrip("0") or "0"


def of_known(known: Mapping[str, Sequence[str]]) -> Iterator[SearchTerm]:
    """Terms for what the form says about the reporter; values of an unknown kind are read as phrases."""
    readers = {
        "name": _name, "working_name": _name, "phone": _phone, "email": _email, "profile_url": _link,
        "postcode": _postcode, "reference": _reference,
    }  # fmt: skip
    for kind, texts in known.items():
        for text in texts:
            if text.strip():
                reader = readers.get(kind)
                yield from reader(text, kind) if reader else of_phrase(text, "other", "known")


def of_removed(removed: Iterable[str]) -> Iterator[SearchTerm]:
    """Terms for the phrases that the moderator hid, and for each distinctive word of them."""
    for text in removed:
        yield from of_phrase(text, "removed", "removed")


def of_phrase(text: str, kind: str, why: str) -> Iterator[SearchTerm]:
    """Terms for a phrase: its links, identifiers and postcodes by their own rules, then the phrase as a whole when it
    has none, its distinctive words and its numbers."""
    rest = text
    for link in LINK.finditer(text):
        yield from _link(link.group(), kind, why)
        rest = _blank(rest, *link.span())
    for identifier in find(rest):
        if identifier.kind is IdentifierKind.PHONE:
            yield from _phone(identifier.normalised, kind, why)
        elif identifier.kind is IdentifierKind.EMAIL:
            yield from _email(identifier.normalised, kind, why)
        else:
            yield from _condensed(identifier.text, kind, why)
        rest = _blank(rest, identifier.start, identifier.end)
    for postcode in _POSTCODE.finditer(rest):
        yield from _postcode(postcode.group(), kind, why)
        rest = _blank(rest, *postcode.span())
    words = tokens(rest)
    if len(words) > 1 and rest.strip() == text.strip():
        yield from _condensed(rest, kind, why)
    for word in words:
        if word.is_number:
            yield from _number(word, kind, why)
        elif _is_distinctive(word):
            yield _word(word.text, kind, why)
    for number in spoken_stream(plain_stream(rest)).tokens:
        if number.is_number and len(number.text) > 1:
            yield from _number(number, kind, why)


def _name(text: str, kind: str, why: str = "known") -> Iterator[SearchTerm]:
    parts = tokens(text)
    if not parts or (len(parts) == 1 and parts[0].text in COMMON):
        return
    yield Needle(kind, why, re.compile("".join(re.escape(part.text) for part in parts) + _PLURAL))
    for part in parts if len(parts) > 1 else ():
        if _is_distinctive(part) and part.text not in TITLES:
            yield _word(part.text, kind, why)


def _phone(text: str, kind: str, why: str = "known") -> Iterator[SearchTerm]:
    digits = "".join(t.text for t in spoken_stream(plain_stream(text)).tokens if t.is_number)
    if len(digits) >= LAST_DIGITS:
        yield Needle(kind, why, _ending_in(digits), whole=False)
    elif len(digits) >= _MIN_CHARACTERS:
        yield Number(kind, why, number_value(digits))


def _email(text: str, kind: str, why: str = "known") -> Iterator[SearchTerm]:
    local, at, domain = text.rpartition("@")
    names, labels = tokens(local), tokens(domain)
    if not at or not names or not labels:
        yield from of_phrase(text, kind, why) if not at else ()
        return
    first = _DASH.join(re.escape(token.text) for token in names)
    whole = first + _AT + _DOT.join(re.escape(token.text) for token in labels)
    length = sum(len(token.text) for token in (*names, *labels))
    yield Needle(kind, why, re.compile(whole), whole=length < UNAMBIGUOUS_LENGTH)
    yield from _handle(names, first, kind, why)


def _link(text: str, kind: str, why: str = "known") -> Iterator[SearchTerm]:
    text = text.strip()
    parts = urlsplit(text if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text) else f"//{text}")
    host = [token for token in tokens(parts.netloc) if token.text != "www"]
    path = tokens(parts.path)
    if host or path:
        pattern = _SLASH.join(re.escape(token.text) for token in (*host, *path))
        length = sum(len(token.text) for token in (*host, *path))
        yield Needle(kind, why, re.compile(pattern), whole=length < UNAMBIGUOUS_LENGTH)
    steps = [step for step in parts.path.split("/") if step]
    query_values = [value for pair in parts.query.split("&") for value in [pair.rpartition("=")[2]] if value]
    names = [*steps[-1:], *query_values, *([parts.fragment] if parts.fragment else [])]
    if not steps and not query_values:
        # A link to a whole site may be the reporter's own site, so the site's name is a term too.
        names.append(parts.netloc.removeprefix("www.").partition(".")[0])
    for name in names:
        parts_of_name = tokens(name)
        pattern = _DASH.join(re.escape(token.text) for token in parts_of_name)
        yield from _handle(parts_of_name, pattern, kind, why)


def _handle(parts: Sequence[Token], pattern: str, kind: str, why: str) -> Iterator[SearchTerm]:
    """A username, also without its at sign or its site, unless it is a word common in addresses."""
    condensed = "".join(part.text for part in parts)
    if len(condensed) >= _MIN_USERNAME and condensed not in _ORDINARY_PATHS and condensed not in COMMON:
        yield Needle(kind, f"{why} handle", re.compile(pattern + _PLURAL))


def _postcode(text: str, kind: str, why: str = "known") -> Iterator[SearchTerm]:
    whole, inward = _POSTCODE.search(text), _INWARD.search(text)
    if whole is None and inward is None:
        yield from _condensed(text, kind, why)
        return
    last = (whole[2] if whole else inward[1] if inward else "").lower()
    yield Needle(kind, why, re.compile(f"(?:[a-z]{{1,2}}[0-9][a-z0-9]?)?{last}"))
    if whole:
        yield Needle(kind, why, re.compile(f"{whole[1]}{last}".lower()), whole=False)


def _reference(text: str, kind: str, why: str = "known") -> Iterator[SearchTerm]:
    yield from _condensed(text, kind, why)
    for number in re.findall(r"[0-9]+", "".join(token.text + " " for token in tokens(text))):
        if len(number) >= _MIN_USERNAME:
            yield Number(kind, why, number_value(number))


def _condensed(text: str, kind: str, why: str) -> Iterator[SearchTerm]:
    """The letters and digits of a text in this order, with any spaces and punctuation between them."""
    condensed = "".join(token.text for token in tokens(text))
    # Two Chinese characters can be a name; two Latin letters are too short to search for.
    if len(condensed) >= (_MIN_CHARACTERS if condensed.isascii() else 2) and condensed not in COMMON:
        yield Needle(kind, why, re.compile(re.escape(condensed)), whole=len(condensed) < UNAMBIGUOUS_LENGTH)


def _is_distinctive(word: Token) -> bool:
    return len(word.text) >= _MIN_CHARACTERS and not word.is_number and word.text not in COMMON


def _word(word: str, kind: str, why: str) -> Needle:
    return Needle(kind, why, re.compile(re.escape(word) + _PLURAL))


def _number(token: Token, kind: str, why: str) -> Iterator[SearchTerm]:
    if len(token.text) >= LAST_DIGITS:
        yield Needle(kind, why, _ending_in(token.text), whole=False)
    yield Number(kind, why, number_value(token.text))


def _ending_in(figures: str) -> re.Pattern[str]:
    """A run of digits that ends in the last LAST_DIGITS of these.

    Matches begin only at the first digit of a run; trying each digit takes quadratic time on long runs.
    """
    return re.compile(f"(?<![0-9])[0-9]*{figures[-LAST_DIGITS:]}")


def _blank(text: str, start: int, end: int) -> str:
    return f"{text[:start]}{'.' * (end - start)}{text[end:]}"
