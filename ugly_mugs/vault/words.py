"""One list of 7,776 accent-free words: receipts, passphrases and recovery words are drawn from it."""

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
_RUN = re.compile(r"[^\W_]+")
# Far more than ten words need; what is longer is not a phrase, and reading it would only cost time.
_MOST_TYPED = 1_000


def phrase(count: int) -> str:
    """So many words from the system's randomness, almost 13 bits each."""
    return " ".join(secrets.choice(WORDS) for _ in range(count))


def digits_of(number: int, count: int) -> tuple[int, ...]:
    """The number written in base 7,776 with so many places, the highest first."""
    places = []
    for _ in range(count):
        number, place = divmod(number, BASE)
        places.append(place)
    return tuple(reversed(places))


def spell(number: int, count: int) -> str:
    """The number as so many words."""
    return " ".join(WORDS[place] for place in digits_of(number, count))


def plain_letters(text: str) -> str:
    """Lower case without accents, so that however a phone writes a word, it is read alike.

    Keys are derived from the result, so it must never change. `text.folding` is not used for that reason, and
    because the vault imports nothing above it.
    """
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign))


def squeezed(text: str) -> str:
    """Letters and digits only: a passphrase without its case, spaces, hyphens and punctuation."""
    return "".join(_RUN.findall(plain_letters(text)))


def nearest(word: str) -> list[str]:
    """At most three words of the list that look most like this one."""
    typed = plain_letters(word)[: 2 * _LONGEST]
    return difflib.get_close_matches(typed, WORDS, n=3, cutoff=0.6)


def read(text: str, count: int, *, digits: bool = False) -> tuple[int, ...]:
    """The places of so many words, however they are laid out; with `digits`, also their four-digit numbers.

    Raises UnknownWord for the first word (counted from one) that is not in the list, else WrongLength.
    """
    runs = _RUN.findall(plain_letters(text[:_MOST_TYPED]))
    if digits and runs and all(run.isdecimal() for run in runs):
        return _read_digits("".join(runs), count)
    # People number their words ("1. apple 2. pear"); a number alone is never a word.
    typed = [run for run in runs if not run.isdecimal()]
    places = [_PLACES[word] for word in typed if word in _PLACES]
    if len(places) == len(typed) == count:
        return tuple(places)
    run_together = _split_run_together("".join(typed))
    if run_together is not None and len(run_together) == count:
        return run_together
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


def _split_run_together(letters: str) -> tuple[int, ...] | None:
    """Words without spaces between them; there is one way at most, because no word begins another."""
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
