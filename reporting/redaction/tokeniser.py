"""Reads a text the way a person would who looks for something in it: letters and digits, however they are set.

Case, accents, spaces, punctuation, full-width signs and invisible marks fall away; digits may be written as words.
Every sign that is left knows where in the text it came from.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from ugly_mugs.text import spoken_digits

_UNDECOMPOSED = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th"}
)
_DROPPED = frozenset({"Mn", "Me", "Cf"})
# Written without spaces between words, so that every sign is a word of its own.
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u2e80-\u9fff\uac00-\ud7af]")
# Letters that look like figures, where figures stand around them.
_LOOK_ALIKE = {"o": "0", "l": "1", "i": "1"}
_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_CARDINALS = {word: 10 + number for number, word in enumerate(_TEENS)} | {
    word: 10 * (2 + number) for number, word in enumerate(_TENS)
}


@dataclass(frozen=True, slots=True)
class Token:
    """A run of letters or of figures, folded; `group` is equal for tokens with nothing between them."""

    text: str
    start: int
    end: int
    group: int

    @property
    def is_number(self) -> bool:
        return self.text.isdecimal()


def folded(sign: str) -> str:
    """One sign without case, accent or width; empty for marks that nobody sees."""
    if sign.isascii():
        return sign.lower()
    if unicodedata.category(sign) in _DROPPED:
        return ""
    if sign.isdecimal():
        return str(unicodedata.decimal(sign))
    plain = unicodedata.normalize("NFKD", sign).casefold().translate(_UNDECOMPOSED)
    return "".join(c for c in plain if unicodedata.category(c) not in _DROPPED)


def tokens(text: str) -> list[Token]:
    """The words and figures of a text, in order; a letter beside a figure begins a new one."""
    found: list[Token] = []
    word, kind, start, end, group, glued = "", "", 0, 0, 0, False

    def finish() -> None:
        if word:
            found.append(Token(word, start, end, group))

    for place, sign in enumerate(text):
        plain = folded(sign)
        if not plain:
            continue
        seen = (
            "9"
            if plain.isdecimal()
            else "漢"
            if _UNSPACED.match(plain)
            else "a"
            if plain[0].isalnum()
            else ""
        )
        if not seen or seen != kind or seen == "漢":
            finish()
            word = ""
            if not seen:
                glued = False
                kind = ""
                continue
            start, kind = place, seen
            group += not glued
        word, end, glued = word + "".join(c for c in plain if c.isalnum()), place + 1, True
    finish()
    return found


@dataclass(frozen=True)
class Stream:
    """Tokens set tightly one behind the other, with the way back to the text they came from."""

    tokens: tuple[Token, ...]

    @cached_property
    def text(self) -> str:
        return "".join(token.text for token in self.tokens)

    @cached_property
    def _offsets(self) -> list[int]:
        offsets, at = [], 0
        for token in self.tokens:
            offsets.append(at)
            at += len(token.text)
        return offsets

    @cached_property
    def begins(self) -> frozenset[int]:
        return frozenset(self._offsets)

    @cached_property
    def ends(self) -> frozenset[int]:
        return frozenset({*self._offsets[1:], len(self.text)})

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Where in the text these tight signs stand; a match inside a word takes in the whole word."""
        first = bisect_right(self._offsets, start) - 1
        last = bisect_right(self._offsets, end - 1) - 1
        return self.tokens[first].start, self.tokens[last].end


def plain_stream(text: str) -> Stream:
    """The text with its words as they stand."""
    return Stream(tuple(tokens(text)))


def spoken_stream(stream: Stream) -> Stream:
    """The same with digits for words: "double oh nine" is 009, "9oo" is 900, "twenty-three" is 23."""
    return Stream(tuple(_spoken(list(stream.tokens))))


def _spoken(found: list[Token]) -> Iterator[Token]:
    times = 1
    waiting: Token | None = None
    tens: Token | None = None
    for token in _figures_alike(found):
        repeated, digit = spoken_digits.times(token.text), spoken_digits.digit(token.text)
        cardinal = _CARDINALS.get(token.text)
        if tens is not None:
            # "twenty three" is one number, "twenty" alone another.
            unit = digit if digit and digit != "0" and not token.is_number else None
            joined = f"{int(tens.text) + int(unit)}" if unit else tens.text
            yield Token(joined, tens.start, token.end if unit else tens.end, tens.group)
            tens = None
            if unit:
                continue
        if waiting is not None and digit is None and not token.is_number:
            yield waiting
            waiting, times = None, 1
        if repeated is not None:
            waiting, times = token, repeated
        elif cardinal is not None:
            number = Token(str(cardinal), token.start, token.end, token.group)
            if cardinal >= 20:
                tens = number
            else:
                yield number
        elif digit is not None or (waiting is not None and token.is_number):
            text = (digit or token.text[0]) * times + ("" if digit else token.text[1:])
            yield Token(text, (waiting or token).start, token.end, token.group)
            waiting, times = None, 1
        else:
            yield token
    if waiting is not None:
        yield waiting
    if tens is not None:
        yield tens


def _figures_alike(found: list[Token]) -> Iterator[Token]:
    """Groups such as "9oo123" read as figures."""
    for _group, members in groupby(found, key=lambda token: token.group):
        together = list(members)
        written = "".join(token.text for token in together)
        figures = sum(c.isdecimal() for c in written)
        if len(together) > 1 and figures >= 2 and all(c.isdecimal() or c in _LOOK_ALIKE for c in written):
            text = "".join(_LOOK_ALIKE.get(c, c) for c in written)
            yield Token(text, together[0].start, together[-1].end, together[0].group)
        else:
            yield from together
