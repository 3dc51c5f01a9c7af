"""What to look for: every way in which one thing known about a reporter, or hidden from a report, may be written."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from reporting.redaction.common_words import COMMON
from reporting.redaction.suggestion_rules import LINK, TITLES
from reporting.redaction.tokeniser import Token, plain_stream, spoken_stream, tokens
from ugly_mugs.text.identifiers import IdentifierKind, find

# With this many signs in a row nothing else is meant, whatever stands before and behind.
UNMISTAKABLE: Final = 8
LAST_DIGITS: Final = 6
_FEWEST_SIGNS: Final = 3
_FEWEST_OF_A_NAME: Final = 4

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
    """One thing to look for in a tight text. `whole` asks for a word's edge on both sides."""

    kind: str
    why: str
    pattern: re.Pattern[str]
    whole: bool = True


@dataclass(frozen=True)
class Number:
    """A number that stands for something only as a whole: 12 is no part of 2012. `value` is as `value_of` gives it."""

    kind: str
    why: str
    value: str


Sought = Needle | Number


def value_of(figures: str) -> str:
    """Equal for figures of equal value. No `int`: that refuses very long ones, which anybody may type."""
    return figures.lstrip("0") or "0"


def of_known(known: Mapping[str, Sequence[str]]) -> Iterator[Sought]:
    """Everything the form's fields hold about the reporter; kinds nobody knows are read as free words."""
    readers = {
        "name": _name, "working_name": _name, "phone": _phone, "email": _email, "profile_url": _link,
        "postcode": _postcode, "reference": _reference,
    }  # fmt: skip
    for kind, texts in known.items():
        for text in texts:
            if text.strip():
                reader = readers.get(kind)
                yield from reader(text, kind) if reader else of_phrase(text, "other", "known")


def of_removed(removed: Iterable[str]) -> Iterator[Sought]:
    """What the moderator hid, and every telling word of it."""
    for text in removed:
        yield from of_phrase(text, "removed", "removed")


def of_phrase(text: str, kind: str, why: str) -> Iterator[Sought]:
    """Identifiers, links and postcodes in a phrase each in their own way; of the rest all of it, its telling words
    and its numbers."""
    rest = text
    for link in LINK.finditer(text):
        yield from _link(link.group(), kind, why)
        rest = _blank(rest, *link.span())
    for found in find(rest):
        if found.kind is IdentifierKind.PHONE:
            yield from _phone(found.normalised, kind, why)
        elif found.kind is IdentifierKind.EMAIL:
            yield from _email(found.normalised, kind, why)
        else:
            yield from _tight(found.text, kind, why)
        rest = _blank(rest, found.start, found.end)
    for postcode in _POSTCODE.finditer(rest):
        yield from _postcode(postcode.group(), kind, why)
        rest = _blank(rest, *postcode.span())
    words = tokens(rest)
    if len(words) > 1 and rest.strip() == text.strip():
        yield from _tight(rest, kind, why)
    for word in words:
        if word.is_number:
            yield from _number(word, kind, why)
        elif _telling(word):
            yield _word(word.text, kind, why)
    for number in spoken_stream(plain_stream(rest)).tokens:
        if number.is_number and len(number.text) > 1:
            yield from _number(number, kind, why)


def _name(text: str, kind: str, why: str = "known") -> Iterator[Sought]:
    parts = tokens(text)
    if not parts or (len(parts) == 1 and parts[0].text in COMMON):
        return
    yield Needle(kind, why, re.compile("".join(re.escape(part.text) for part in parts) + _PLURAL))
    for part in parts if len(parts) > 1 else ():
        if _telling(part) and part.text not in TITLES:
            yield _word(part.text, kind, why)


def _phone(text: str, kind: str, why: str = "known") -> Iterator[Sought]:
    digits = "".join(t.text for t in spoken_stream(plain_stream(text)).tokens if t.is_number)
    if len(digits) >= LAST_DIGITS:
        yield Needle(kind, why, _ending_in(digits), whole=False)
    elif len(digits) >= _FEWEST_SIGNS:
        yield Number(kind, why, value_of(digits))


def _email(text: str, kind: str, why: str = "known") -> Iterator[Sought]:
    local, at, domain = text.rpartition("@")
    names, labels = tokens(local), tokens(domain)
    if not at or not names or not labels:
        yield from of_phrase(text, kind, why) if not at else ()
        return
    first = _DASH.join(re.escape(token.text) for token in names)
    whole = first + _AT + _DOT.join(re.escape(token.text) for token in labels)
    length = sum(len(token.text) for token in (*names, *labels))
    yield Needle(kind, why, re.compile(whole), whole=length < UNMISTAKABLE)
    yield from _handle(names, first, kind, why)


def _link(text: str, kind: str, why: str = "known") -> Iterator[Sought]:
    text = text.strip()
    parts = urlsplit(text if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text) else f"//{text}")
    host = [token for token in tokens(parts.netloc) if token.text != "www"]
    path = tokens(parts.path)
    if host or path:
        tight = _SLASH.join(re.escape(token.text) for token in (*host, *path))
        length = sum(len(token.text) for token in (*host, *path))
        yield Needle(kind, why, re.compile(tight), whole=length < UNMISTAKABLE)
    steps = [step for step in parts.path.split("/") if step]
    asked = [value for pair in parts.query.split("&") for value in [pair.rpartition("=")[2]] if value]
    named = [*steps[-1:], *asked, *([parts.fragment] if parts.fragment else [])]
    if not steps and not asked:
        # A site with nothing behind its name may be the reporter's own.
        named.append(parts.netloc.removeprefix("www.").partition(".")[0])
    for each in named:
        inside = tokens(each)
        yield from _handle(inside, _DASH.join(re.escape(token.text) for token in inside), kind, why)


def _handle(parts: Sequence[Token], pattern: str, kind: str, why: str) -> Iterator[Sought]:
    """A username, also without its at-sign or its site, unless it is a word that stands in everybody's addresses."""
    tight = "".join(part.text for part in parts)
    if len(tight) >= _FEWEST_OF_A_NAME and tight not in _ORDINARY_PATHS and tight not in COMMON:
        yield Needle(kind, f"{why} handle", re.compile(pattern + _PLURAL))


def _postcode(text: str, kind: str, why: str = "known") -> Iterator[Sought]:
    whole, inward = _POSTCODE.search(text), _INWARD.search(text)
    if whole is None and inward is None:
        yield from _tight(text, kind, why)
        return
    last = (whole[2] if whole else inward[1] if inward else "").lower()
    yield Needle(kind, why, re.compile(f"(?:[a-z]{{1,2}}[0-9][a-z0-9]?)?{last}"))
    if whole:
        yield Needle(kind, why, re.compile(f"{whole[1]}{last}".lower()), whole=False)


def _reference(text: str, kind: str, why: str = "known") -> Iterator[Sought]:
    yield from _tight(text, kind, why)
    for number in re.findall(r"[0-9]+", "".join(token.text + " " for token in tokens(text))):
        if len(number) >= _FEWEST_OF_A_NAME:
            yield Number(kind, why, value_of(number))


def _tight(text: str, kind: str, why: str) -> Iterator[Sought]:
    """The signs of a text in this order, whatever stands between them."""
    signs = "".join(token.text for token in tokens(text))
    # Two Chinese signs can be a name; two letters of ours are hardly a word.
    if len(signs) >= (_FEWEST_SIGNS if signs.isascii() else 2) and signs not in COMMON:
        yield Needle(kind, why, re.compile(re.escape(signs)), whole=len(signs) < UNMISTAKABLE)


def _telling(word: Token) -> bool:
    return len(word.text) >= _FEWEST_SIGNS and not word.is_number and word.text not in COMMON


def _word(word: str, kind: str, why: str) -> Needle:
    return Needle(kind, why, re.compile(re.escape(word) + _PLURAL))


def _number(token: Token, kind: str, why: str) -> Iterator[Sought]:
    if len(token.text) >= LAST_DIGITS:
        yield Needle(kind, why, _ending_in(token.text), whole=False)
    yield Number(kind, why, value_of(token.text))


def _ending_in(figures: str) -> re.Pattern[str]:
    """All figures in a row up to the last ones of these. Only from their first: trying each would take for ever."""
    return re.compile(f"(?<![0-9])[0-9]*{figures[-LAST_DIGITS:]}")


def _blank(text: str, start: int, end: int) -> str:
    return f"{text[:start]}{'.' * (end - start)}{text[end:]}"
