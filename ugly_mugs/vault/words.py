"""The list of 7,776 words without accents, from which receipts, passphrases and recovery words are made."""

import difflib
import re
import secrets
import unicodedata
from importlib.resources import files

from ugly_mugs.vault.errors import UnknownWord, WrongLength

WORDS: tuple[str, ...] = tuple(files("ugly_mugs.vault").joinpath("words.txt").read_text("ascii").split())
BASE = len(WORDS)
DIGITS_PER_WORD = 4

_PLACES = {word: place for place, word in enumerate(WORDS)}
_LONGEST = max(map(len, WORDS))
_ALPHANUMERIC = re.compile(r"[^\W_]+")
# Characters read; ten words need far fewer, and the limit bounds the work a long input can cause.
_MAX_INPUT = 1_000


def phrase(count: int) -> str:
    """`count` random words from the operating system's random source, 12.9 bits each."""
    return " ".join(secrets.choice(WORDS) for _ in range(count))


def digits_of(number: int, count: int) -> tuple[int, ...]:
    """The number in base 7,776 as `count` indices into the list, the most significant first."""
    places = []
    for _ in range(count):
        number, place = divmod(number, BASE)
        places.append(place)
    return tuple(reversed(places))


def spell(number: int, count: int) -> str:
    return " ".join(WORDS[place] for place in digits_of(number, count))


def plain_letters(text: str) -> str:
    """Lower case without accents or compatibility forms, because keyboards of phones produce both.

    Keys are derived from the result, so it must never change. `text.folding` is not used for that reason, and
    because the vault imports nothing above it.
    """
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign))


def squeezed(text: str) -> str:
    """Letters and digits only: a passphrase in lower case without spaces, hyphens and punctuation."""
    return "".join(_ALPHANUMERIC.findall(plain_letters(text)))


def nearest(word: str) -> list[str]:
    """Up to three words of the list that are most similar to this one."""
    typed = plain_letters(word)[: 2 * _LONGEST]
    return difflib.get_close_matches(typed, WORDS, n=3, cutoff=0.6)


def read(text: str, count: int, *, digits: bool = False) -> tuple[int, ...]:
    """The indices of `count` words with any separators or none; with `digits`, also of their four-digit numbers.

    UnknownWord for the first word that is not in the list, else WrongLength.
    """
    parts = _ALPHANUMERIC.findall(plain_letters(text[:_MAX_INPUT]))
    if digits and parts and all(part.isdecimal() for part in parts):
        return _read_digits("".join(parts), count)
    # People number their words ("1. apple 2. pear"): numbers are skipped, since none is a word of the list.
    typed = [part for part in parts if not part.isdecimal()]
    places = [_PLACES[word] for word in typed if word in _PLACES]
    if len(places) == len(typed) == count:
        return tuple(places)
    joined_words = _split_joined_words("".join(typed))
    if joined_words is not None and len(joined_words) == count:
        return joined_words
    for position, word in enumerate(typed, start=1):
        if word not in _PLACES:
            raise UnknownWord(word, position, nearest(word))
    raise WrongLength(expected=count, found=len(typed))


def _read_digits(typed: str, count: int) -> tuple[int, ...]:
    if len(typed) != count * DIGITS_PER_WORD:
        raise WrongLength(expected=count * DIGITS_PER_WORD, found=len(typed), digits=True)
    groups = [typed[start : start + DIGITS_PER_WORD] for start in range(0, len(typed), DIGITS_PER_WORD)]
    for position, group in enumerate(groups, start=1):
        if int(group) >= BASE:
            raise UnknownWord(group, position, [])
    return tuple(int(group) for group in groups)


def _split_joined_words(letters: str) -> tuple[int, ...] | None:
    """Indices of words typed without spaces, or None; unambiguous, because no word is a prefix of another."""
    places: list[int] = []
    start = 0
    while start < len(letters):
        for end in range(start + 1, min(start + _LONGEST, len(letters)) + 1):
            if letters[start:end] in _PLACES:
                places.append(_PLACES[letters[start:end]])
                start = end
                break
        else:
            return None
    return tuple(places)
