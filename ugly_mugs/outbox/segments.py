"""SMS segments: the encoding of a text, its number of segments, and a cheaper spelling of the same words."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final, Literal

from ugly_mugs.languages import LANGUAGES
from ugly_mugs.text.folding import without_accents

GSM_7: Final = "GSM-7"
UCS_2: Final = "UCS-2"

# Twilio refuses a longer body (21617).
BODY_LIMIT: Final = 1600

# GSM 03.38: the basic alphabet takes one unit a character, the extension an escape and one more.
_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION: Final = frozenset("^{}\\[~]|€")

_WHOLE: Final = {GSM_7: 160, UCS_2: 70}
_PART: Final = {GSM_7: 153, UCS_2: 67}

_GSM_FOR: Final = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′´`ʼ‹›", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–—―−•·", "-"),
        "…": "...",
        "×": "x",
        "\t": " ",
    }
)
_LETTERS_WITHOUT_ACCENT: Final = str.maketrans(
    {"ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ı": "i", "œ": "oe", "Œ": "OE"}
)
# Zero-width joiners combine emoji and shape letters; they may go only where the GSM alphabet can have neither.
_JOINERS: Final = frozenset("\u200c\u200d")


@dataclass(frozen=True, slots=True)
class SmsText:
    """A text as it is sent, with its size in units and in segments, which are what is paid for."""

    text: str
    encoding: Literal["GSM-7", "UCS-2"]
    segments: int
    units: int


def _is_gsm(text: str) -> bool:
    return all(c in _BASIC or c in _EXTENSION for c in text)


def _units(character: str, encoding: str) -> int:
    if encoding == GSM_7:
        return 2 if character in _EXTENSION else 1
    return 2 if ord(character) > 0xFFFF else 1


def count(text: str) -> SmsText:
    """Count the segments of a text exactly as given; an empty one has none.

    A character of two units (escape pair, surrogate pair) is never split between segments, so dividing the units
    by the size of a segment would sometimes be one too few.
    """
    encoding: Literal["GSM-7", "UCS-2"] = "GSM-7" if _is_gsm(text) else "UCS-2"
    sizes = [_units(character, encoding) for character in text]
    units = sum(sizes)
    if units <= _WHOLE[encoding]:
        return SmsText(text, encoding, segments=1 if text else 0, units=units)
    segments, room = 1, _PART[encoding]
    for size in sizes:
        if size > room:
            segments, room = segments + 1, _PART[encoding]
        room -= size
    return SmsText(text, encoding, segments, units)


def _without_accent(character: str) -> str:
    if character in _BASIC or character in _EXTENSION:
        return character
    return without_accents(character).translate(_LETTERS_WITHOUT_ACCENT)


def _clean(text: str) -> str:
    """NFC, with plain line ends and spaces, without invisible characters, which could mark a copy."""
    text = unicodedata.normalize("NFC", re.sub(r"\r\n?|[\u2028\u2029\v\f\x85]", "\n", text))
    return "".join(
        " " if unicodedata.category(c) == "Zs" else c
        for c in text
        if c in "\n\t" or c in _JOINERS or unicodedata.category(c) not in ("Cc", "Cf")
    )


def downgrade(text: str, language: str = "en") -> str:
    """The same words in the GSM alphabet where that does not need more segments; otherwise only cleaned.

    Typographic quotes, dashes and dots become plain ones. Accents that the alphabet lacks are removed in languages
    where that is common. One emoji or Chinese character forces the whole text into UCS-2, where accents cost
    nothing: then they stay.
    """
    cleaned = _clean(text)
    plain = "".join(c for c in cleaned if c not in _JOINERS).translate(_GSM_FOR)
    if language in LANGUAGES and LANGUAGES[language].spares_accents:
        plain = "".join(_without_accent(c) for c in plain)
    if _is_gsm(plain) and count(plain).segments <= count(cleaned).segments:
        return plain
    return cleaned


def compose(text: str, language: str = "en") -> SmsText:
    return count(downgrade(text, language))
