"""Divides a text into words and numbers for comparison that ignores layout, case, accents and punctuation.

Digits may also be written as words. Every token has its offsets in the text.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Literal

from ugly_mugs.text import spoken_digits
from ugly_mugs.text.folding import fold_character

# Scripts without spaces between words (Thai, Lao, Chinese, Japanese, Korean): each character is a token of its own.
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u2e80-\u9fff\uac00-\ud7af]")
# Letters that look like digits; they are read as such only within a group that has at least two real digits.
_LOOK_ALIKE = {"o": "0", "l": "1", "i": "1"}
_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_CARDINALS = {word: 10 + number for number, word in enumerate(_TEENS)} | {
    word: 10 * (2 + number) for number, word in enumerate(_TENS)
}


@dataclass(frozen=True, slots=True)
class Token:
    """A run of letters or of digits, folded; tokens with nothing between them have the same `group`."""

    text: str
    start: int
    end: int
    group: int

    @property
    def is_number(self) -> bool:
        return self.text.isdecimal()


def tokens(text: str) -> list[Token]:
    """The words and numbers of a text, in order; a letter beside a digit begins a new token."""
    result: list[Token] = []
    word, kind, start, end, group, adjacent = "", "", 0, 0, 0, False

    def finish() -> None:
        if word:
            result.append(Token(word, start, end, group))

    for offset, character in enumerate(text):
        folded = fold_character(character)
        if not folded:
            continue
        kind_now = _kind(folded)
        if not kind_now:
            finish()
            word, kind, adjacent = "", "", False
            continue
        if kind_now != kind or kind_now == "unspaced":
            finish()
            word, kind, start = "", kind_now, offset
            group += not adjacent
        word, end, adjacent = word + "".join(c for c in folded if c.isalnum()), offset + 1, True
    finish()
    return result


def _kind(folded: str) -> Literal["digit", "unspaced", "letter", ""]:
    """What kind of token a folded character belongs to; empty for space and punctuation."""
    if folded.isdecimal():
        return "digit"
    if _UNSPACED.match(folded):
        return "unspaced"
    return "letter" if folded[0].isalnum() else ""


@dataclass(frozen=True)
class Stream:
    """Tokens and their concatenated text; an offset in that text leads back to the original text."""

    tokens: tuple[Token, ...]

    @cached_property
    def text(self) -> str:
        return "".join(token.text for token in self.tokens)

    @cached_property
    def _offsets(self) -> list[int]:
        offsets, offset = [], 0
        for token in self.tokens:
            offsets.append(offset)
            offset += len(token.text)
        return offsets

    @cached_property
    def begins(self) -> frozenset[int]:
        return frozenset(self._offsets)

    @cached_property
    def ends(self) -> frozenset[int]:
        return frozenset({*self._offsets[1:], len(self.text)})

    def place(self, start: int, end: int) -> tuple[int, int]:
        """The span in the original text of this part of `text`; a match inside a token gives the whole token."""
        first = bisect_right(self._offsets, start) - 1
        last = bisect_right(self._offsets, end - 1) - 1
        return self.tokens[first].start, self.tokens[last].end


def plain_stream(text: str) -> Stream:
    """The text with its words as they stand."""
    return Stream(tuple(tokens(text)))


def spoken_stream(stream: Stream) -> Stream:
    """The same with digits for words: "double oh nine" is 009, "9oo" is 900, "twenty-three" is 23."""
    return Stream(tuple(_digits_for_words(list(stream.tokens))))


def _digits_for_words(words: list[Token]) -> Iterator[Token]:
    times = 1
    multiplier: Token | None = None  # "double" and the like, until the digit after it is known
    tens: Token | None = None  # "twenty" and the like, until it is known whether a unit follows
    for token in _digits_for_look_alikes(words):
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
        if multiplier is not None and digit is None and not token.is_number:
            yield multiplier
            multiplier, times = None, 1
        if repeated is not None:
            multiplier, times = token, repeated
        elif cardinal is not None:
            number = Token(str(cardinal), token.start, token.end, token.group)
            if cardinal >= 20:
                tens = number
            else:
                yield number
        elif digit is not None or (multiplier is not None and token.is_number):
            text = (digit or token.text[0]) * times + ("" if digit else token.text[1:])
            yield Token(text, (multiplier or token).start, token.end, token.group)
            multiplier, times = None, 1
        else:
            yield token
    if multiplier is not None:
        yield multiplier
    if tens is not None:
        yield tens


def _digits_for_look_alikes(words: list[Token]) -> Iterator[Token]:
    """Groups such as "9oo123" as one number; all others unchanged."""
    for _group, members in groupby(words, key=lambda token: token.group):
        group = list(members)
        written = "".join(token.text for token in group)
        digits = sum(c.isdecimal() for c in written)
        if len(group) > 1 and digits >= 2 and all(c.isdecimal() or c in _LOOK_ALIKE for c in written):
            text = "".join(_LOOK_ALIKE.get(c, c) for c in written)
            yield Token(text, group[0].start, group[-1].end, group[0].group)
        else:
            yield from group
