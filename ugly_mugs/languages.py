"""The languages of the service. To add one: a line in `LANGUAGES`, and its catalogue in `translations/`.

`UGLY_MUGS_LANGUAGES` chooses which of them an installation offers; the first one it names is its default.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Language:
    """One language, by the code that settings and rows name it with (at most 8 characters)."""

    code: str
    locale: str  # writes dates and numbers, and finds the catalogue
    own_name: str  # for people who read no other language
    # Whether people commonly text without accents and are understood, as in Portuguese and Romanian. In Welsh,
    # Hungarian or Vietnamese a lost accent makes another word.
    spares_accents: bool = False


# Dates and numbers as people in the United Kingdom and Ireland write them.
LANGUAGES: Final = {each.code: each for each in (Language("en", "en_GB", "English", spares_accents=True),)}


def own_name(code: str) -> str:
    """What the language calls itself; the code for one that is not in the list any more."""
    return LANGUAGES[code].own_name if code in LANGUAGES else code
