"""Folding: brings text into one form, so that two ways to write the same thing compare equal.

The functions differ in what has to stay: the case of the letters, the number of code points, or neither.
"""

import unicodedata

# Letters that Unicode does not decompose into a base letter and an accent.
_UNDECOMPOSED = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th"}
)
# Non-spacing marks (accents), enclosing marks (the frame of a keycap emoji), format characters (zero-width joiner).
_MARKS = frozenset({"Mn", "Me", "Cf"})


def without_accents(text: str) -> str:
    """Without accents, and compatibility forms such as full-width letters replaced; case stays."""
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def fold(text: str) -> str:
    """Lower case without accents, for comparing words. Its length may differ from that of the text."""
    return text.lower() if text.isascii() else without_accents(text.casefold())


def fold_character(character: str) -> str:
    """One character without case, accent or width; any decimal digit is an ASCII one, invisible marks are empty.

    Goes further than `fold`: it also replaces letters such as "ø", and drops marks that are no accents.
    """
    if character.isascii():
        return character.lower()
    if unicodedata.category(character) in _MARKS:
        return ""
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    decomposed = unicodedata.normalize("NFKD", character).casefold().translate(_UNDECOMPOSED)
    return "".join(c for c in decomposed if unicodedata.category(c) not in _MARKS)


def fold_in_place(text: str) -> str:
    """Lower case without accents, one code point for each of the text, so that an offset is valid in both."""
    return "".join((unicodedata.normalize("NFKD", c)[:1] or c).lower()[:1] or c for c in text)


def ascii_forms(text: str) -> str:
    """Full-width characters, wide spaces and the digits of every script as ASCII, code point for code point.

    Everything else, accents included, stays as it is.
    """
    if text.isascii():
        return text
    return "".join(
        c if c.isascii()
        else str(unicodedata.decimal(c)) if c.isdecimal()
        else chr(ord(c) - 0xFEE0) if "！" <= c <= "～"
        else " " if c in "\u3000\u00a0\u2007\u202f"
        else c
        for c in text
    )  # fmt: skip


def without_invisible(text: str) -> str:
    """Without format characters, such as the direction marks that copying from a contact list leaves."""
    return "".join(c for c in text if unicodedata.category(c) != "Cf")
