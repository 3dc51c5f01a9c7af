"""Phone numbers, e-mail addresses, usernames and number plates: finds them in text, normalises and masks them.

Identifier tags are keyed hashes of the normal forms. When a normal form changes, tags already stored match nothing
any more.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import phonenumbers
from flask_babel import gettext as _

from ugly_mugs.text import spoken_digits
from ugly_mugs.text.folding import ascii_forms, without_invisible


class IdentifierKind(StrEnum):
    PHONE = "phone"
    EMAIL = "email"
    HANDLE = "handle"
    PLATE = "plate"


@dataclass(frozen=True, slots=True)
class Found:
    """One identifier in a text: `text` is the slice from `start` to `end`, in code points."""

    kind: IdentifierKind
    text: str
    start: int
    end: int
    normalised: str


class NotAnIdentifier(ValueError):
    """The text is not an identifier of the kind asked for; the message is for the person who typed it."""


_HOME_REGION: Final = "GB"
_SHORTEST_FOREIGN = 8

# Up to three of these may stand between two digits; a keycap emoji has two marks after its digit.
_GAP = r"[\s().\-/·•_\u2010-\u2015\ufe0f\u20e3\u200b-\u200d]{0,3}"
_NATIONAL = rf"(?:[1-9]{_GAP}(?:[0-9]{_GAP}){{8}}[0-9]|[18]{_GAP}(?:[0-9]{_GAP}){{7}}[0-9])"
_HOME_PHONE = re.compile(
    rf"(?<![0-9A-Za-z_+])\(?(?:(?:\+|00){_GAP}(?:44|353)|44){_GAP}(?:\(?0\)?{_GAP})?{_NATIONAL}(?![0-9])"
    rf"|(?<![0-9A-Za-z_+])\(?0{_GAP}{_NATIONAL}(?![0-9])"
    r"|(?<![0-9A-Za-z_+/*#.-])7[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{3}(?![0-9])"
)
# Numbers of other countries are left to `phonenumbers`; they begin like this, whatever stands between the digits.
_ABROAD = re.compile(r"(?:\+|00)[^0-9]{0,8}[1-9](?:[^0-9]{0,6}[0-9]){7}")
# No number contains a letter, except the "x" and the "ー" (U+30FC) that `phonenumbers` accepts as separators.
_WITHOUT_LETTERS = re.compile(r"[\W0-9_xX\u30fc]+")
_DATE = re.compile(r"[0-3]?[0-9]([./-])[01]?[0-9]\1(?:19|20)[0-9]{2}(?![0-9])")
_PHONE_FIELD = re.compile(r"(?:tel|phone|mob|mobile)?[.: ]*[0-9\s+().\-/·•_\u2010-\u2015]+", re.IGNORECASE)

_EMAIL = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z][A-Za-z0-9-]{1,62}"
)
_AT = r"(?: ?[\[({] ?(?:at|@) ?[\])}] ?| at | arroba | a rond | 艾特 )"
_DOT = r"(?: ?[\[({] ?(?:dot|\.) ?[\])}] ?| dot | punct | ponto | 点 )"
# Searched first: it is rare, and far cheaper to find than a whole address with "at" and "dot" in words.
_WRITTEN_DOT = re.compile(_DOT, re.IGNORECASE)
_WRITTEN_AT = re.compile(r"[\[({] ?(?:at|@) ?[\])}]", re.IGNORECASE)
_LOCAL = r"([A-Za-z0-9._+-]{1,64})"
_WRITTEN_EMAIL = re.compile(rf"{_LOCAL}{_AT}([A-Za-z0-9.-]+(?:{_DOT}[A-Za-z0-9-]+)+)", re.IGNORECASE)
_BRACKETED_AT = re.compile(
    rf"{_LOCAL} ?[\[({{] ?(?:at|@) ?[\])}}] ?([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)", re.IGNORECASE
)

_HANDLE = re.compile(r"(?<![A-Za-z0-9_.@])@[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,38}[A-Za-z0-9_])?")
# A word of running text with an underscore inside is taken for a username.
_UNDERSCORED = re.compile(
    r"(?<![A-Za-z0-9_.@/-])[A-Za-z0-9.]+(?:_+[A-Za-z0-9.]*[A-Za-z0-9])+(?![A-Za-z0-9_@])"
)
_HANDLE_FIELD = re.compile(r"[\w.\-]{2,64}")
_PROFILE = re.compile(
    r"(?:https?://)?(?:www\.)?(?:instagram\.com|t\.me|twitter\.com|x\.com|tiktok\.com|onlyfans\.com|facebook\.com|"
    r"snapchat\.com/add)/@?([\w.\-]+)/?(?:\?.*)?",
    re.IGNORECASE,
)

_PLATES: Final = (
    re.compile(r"[A-Z]{2}[0-9]{2}[A-Z]{3}"),
    re.compile(r"[A-Z][0-9]{1,3}[A-Z]{3}"),
    re.compile(r"[A-Z]{3}[0-9]{1,3}[A-Z]"),
    re.compile(r"[A-Z]{1,3}[0-9]{1,4}"),
    re.compile(r"[0-9]{1,4}[A-Z]{1,3}"),
    re.compile(r"[0-9]{2,3}[A-Z]{1,2}[0-9]{1,6}"),
)
# Dateless plates look like outward codes ("M1") and reference numbers, so running text is not searched for them.
_PLATE_IN_TEXT = re.compile(
    r"(?<![A-Za-z0-9])(?:[A-Z]{2}[0-9]{2}[ -]?[A-Z]{3}|[a-z]{2}[0-9]{2} ?[a-z]{3}|[A-Z][0-9]{1,3} ?[A-Z]{3}"
    r"|[A-Z]{3} ?[0-9]{1,3}[A-Z]|[A-Z]{0,2}[IZ][A-Z]{0,2} [0-9]{3,4}|[0-9]{2,3}-[A-Z]{1,2}-[0-9]{1,6})"
    r"(?![A-Za-z0-9])"
)
_WORDS_LIKE_PLATES = re.compile(
    r"(?:and|are|but|did|for|had|has|her|him|his|man|not|now|off|out|she|the|was|who|you)$"
)


def _typed(text: str) -> str:
    """What a field holds, with digits and signs in ASCII and without direction marks."""
    return ascii_forms(without_invisible(text)).strip()


# Phones


def _e164(text: str) -> str | None:
    digits = re.sub(r"[^0-9+]", "", text)
    # Ten digits beginning 083, 085, 086, 087 or 089 are an Irish mobile: British 08 numbers have eleven.
    region = "IE" if re.fullmatch(r"08[35679][0-9]{7}", digits) else _HOME_REGION
    if re.fullmatch(r"44[0-9]{10}", digits):
        digits = f"+{digits}"
    try:
        number = phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException:
        return None
    national = phonenumbers.national_significant_number(number)
    if number.country_code == 44:
        # Not `is_valid_number`: it refuses the numbers that Ofcom reserves for drama, which tests and demo use.
        is_usable = re.fullmatch(r"(?:[1235789][0-9]{9}|1[0-9]{8}|800[0-9]{6})", national) is not None
    elif number.country_code == 353:
        is_usable = phonenumbers.is_possible_number(number) and len(national) >= 7
    else:
        is_usable = len(national) >= _SHORTEST_FOREIGN and phonenumbers.is_possible_number(number)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if is_usable else None


def _phones(text: str) -> Iterator[tuple[int, int, str]]:
    for match in _HOME_PHONE.finditer(text):
        normalised = None if _DATE.match(match.group()) else _e164(match.group())
        if normalised:
            # A parenthesis around the whole sentence is no part of the number.
            unclosed = match.group().startswith("(") and match.group().count("(") > match.group().count(")")
            yield match.start() + unclosed, match.end(), normalised
    for start, end, digits in spoken_digits.digit_runs(text):
        # Number words may follow the number ("… nine one one o'clock"), so only eleven digits are read.
        normalised = _e164(digits if digits.startswith("00") else digits[:11])
        if normalised:
            yield start, end, normalised
    if not _ABROAD.search(text):
        return
    # The library is slow on text with many digits, so it gets only the parts where such a number can stand.
    for run in _WITHOUT_LETTERS.finditer(text):
        if _ABROAD.search(run.group()):
            for start, end, normalised in _from_abroad(run.group()):
                yield run.start() + start, run.start() + end, normalised


def _from_abroad(text: str) -> Iterator[tuple[int, int, str]]:
    for match in phonenumbers.PhoneNumberMatcher(text, _HOME_REGION, leniency=phonenumbers.Leniency.POSSIBLE):
        international = re.match(r"\(?(?:\+|00)", match.raw_string)
        if international and text[max(match.start - 1, 0) : match.start] not in ("/", "*", "#"):
            normalised = _e164(match.raw_string)
            if normalised and (
                normalised.startswith(("+44", "+353")) or phonenumbers.is_valid_number(match.number)
            ):
                yield match.start, match.end, normalised


def _phone(text: str) -> str:
    typed = _typed(text)
    normalised = _e164(typed) if _PHONE_FIELD.fullmatch(typed) else None
    if normalised is None:
        raise NotAnIdentifier(
            _("This does not look like a phone number. Please write only the number, like 07700 900123.")
        )
    return normalised


def is_mobile(e164: str) -> bool:
    """Whether a number is a mobile of the UK, Ireland, Jersey, Guernsey or the Isle of Man, by its range.

    `phonenumbers.number_type` cannot be used: it says UNKNOWN for the numbers reserved for drama. 070 numbers are
    "personal" forwarding numbers and 076 are pagers, except the Isle of Man's 07624.
    """
    return re.fullmatch(r"\+447(?:[1-57-9][0-9]{8}|624[0-9]{6})|\+3538[35679][0-9]{7}", e164) is not None


def mobile(text: str) -> str:
    """The E.164 form of a mobile that may be texted; NotAnIdentifier says why another number may not."""
    normalised = _phone(text)
    if is_mobile(normalised):
        return normalised
    if not normalised.startswith(("+44", "+353")):
        raise NotAnIdentifier(
            _("We can only text mobiles of the UK, Ireland, Jersey, Guernsey or the Isle of Man.")
        )
    raise NotAnIdentifier(
        _("This is not a mobile. A text to a landline is read out loud, so please give a mobile number.")
    )


# E-mail addresses


def email(text: str) -> str:
    """An address in lower case with its domain in ASCII; NotAnIdentifier when nothing could be delivered to it.

    The part before the @ is lowered too: phones capitalise it by themselves, hardly any mail server distinguishes
    case, and somebody who joined as "Ana@" must be recognised as "ana@".
    """
    typed = _typed(text).removeprefix("mailto:").lower()
    local, at, domain = typed.rpartition("@")
    try:
        domain = domain.encode("idna").decode("ascii")
    except UnicodeError:
        domain = ""
    address = f"{local}{at}{domain}"
    is_deliverable = (
        _EMAIL.fullmatch(address)
        and len(address) <= 254
        and not local.startswith(".")
        and not local.endswith(".")
        and ".." not in local
        and not any(label.startswith("-") or label.endswith("-") for label in domain.split("."))
    )
    if not is_deliverable:
        raise NotAnIdentifier(
            _("This does not look like an e-mail address. It should look like name@example.org.")
        )
    return address


def _emails(text: str) -> Iterator[tuple[int, int, str]]:
    for pattern, sign in ((_EMAIL, None), (_BRACKETED_AT, _WRITTEN_AT), (_WRITTEN_EMAIL, _WRITTEN_DOT)):
        if sign is not None and not sign.search(text):
            continue
        for match in pattern.finditer(text):
            written = match.group()
            if pattern is not _EMAIL:
                written = f"{match[1]}@{re.sub(_DOT, '.', match[2], flags=re.IGNORECASE)}"
            try:
                yield match.start(), match.end(), email(written)
            except NotAnIdentifier:
                continue


# Usernames and number plates


def _handle(text: str) -> str:
    typed = _typed(text)
    profile = _PROFILE.fullmatch(typed)
    name = unicodedata.normalize(
        "NFKC", profile[1] if profile else typed.removeprefix("@").strip()
    ).casefold()
    if not _HANDLE_FIELD.fullmatch(name) or not any(c.isalnum() for c in name):
        raise NotAnIdentifier(
            _("This does not look like a username. Please write only the name, without spaces.")
        )
    return name


def _handles(text: str) -> Iterator[tuple[int, int, str]]:
    if "@" not in text and "_" not in text:
        return
    for pattern in (_HANDLE, _UNDERSCORED):
        for match in pattern.finditer(text):
            try:
                yield match.start(), match.end(), _handle(match.group())
            except NotAnIdentifier:
                continue


def _plate(text: str) -> str:
    plate = re.sub(r"[\s.\-–]+", "", _typed(text)).upper()
    if not any(layout.fullmatch(plate) for layout in _PLATES):
        raise NotAnIdentifier(
            _("This does not look like a whole UK or Irish number plate. A part can go in the description.")
        )
    return plate


def _plates(text: str) -> Iterator[tuple[int, int, str]]:
    for match in _PLATE_IN_TEXT.finditer(text):
        if not _WORDS_LIKE_PLATES.search(match.group()):
            yield match.start(), match.end(), _plate(match.group())


# All kinds

_FINDERS: Final[dict[IdentifierKind, Callable[[str], Iterator[tuple[int, int, str]]]]] = {
    IdentifierKind.EMAIL: _emails,
    IdentifierKind.PHONE: _phones,
    IdentifierKind.HANDLE: _handles,
    IdentifierKind.PLATE: _plates,
}


def find(text: str) -> list[Found]:
    """Every identifier of a text, in order; of two that overlap, the one whose kind is first in `_FINDERS`."""
    readable, identifiers, taken = ascii_forms(text), list[Found](), bytearray(len(text))
    for kind, finder in _FINDERS.items():
        for start, end, normalised in finder(readable):
            if not any(taken[start:end]):
                taken[start:end] = b"\1" * (end - start)
                identifiers.append(Found(kind, text[start:end], start, end, normalised))
    return sorted(identifiers, key=lambda identifier: identifier.start)


def normalise(kind: IdentifierKind, text: str) -> str:
    """The normal form of what a field holds: E.164, lower-case address, bare username, plate without spaces.

    A username means the name on any site. A normal form stays as it is. Raises NotAnIdentifier.
    """
    if kind is IdentifierKind.PHONE:
        return _phone(text)
    if kind is IdentifierKind.EMAIL:
        return email(text)
    if kind is IdentifierKind.PLATE:
        return _plate(text)
    return _handle(text)


def mask(kind: IdentifierKind, normalised: str) -> str:
    """Shows enough for somebody who knows the identifier to recognise it, and too little for anybody else."""
    if kind is IdentifierKind.PHONE:
        return f"••• {normalised[-3:]}"
    if kind is IdentifierKind.EMAIL:
        local, _at, domain = normalised.rpartition("@")
        return f"{local[:1]}•••@{domain[:1]}•••"
    if kind is IdentifierKind.PLATE:
        return f"{normalised[:2]}•••"
    return f"{normalised[:1]}•••"
