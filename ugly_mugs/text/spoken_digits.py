"""Reads digits written as words ("oh seven seven, double oh nine"): English, Portuguese, Romanian and Chinese."""

import re
from collections.abc import Iterator

from ugly_mugs.text.folding import fold

_WORDS = {
    "0": "zero oh o nought nil 零 〇",
    "1": "one um uma unu una 一 幺",
    "2": "two dois duas doi doua 二 两",
    "3": "three tres trei 三",
    "4": "four quatro patru 四",
    "5": "five cinco cinci 五",
    "6": "six seis meia sase 六",
    "7": "seven sete sapte 七",
    "8": "eight oito opt 八",
    "9": "nine nove noua 九",
}
_DIGIT_OF = {word: digit for digit, words in _WORDS.items() for word in words.split()}
_TIMES = {"double": 2, "duplo": 2, "dublu": 2, "treble": 3, "triple": 3}

_FEWEST_WORDS = 6
_TOKEN = re.compile(r"[\u2e80-\u9fff]|[0-9]|[^\W\d_\u2e80-\u9fff]+")
_LATIN_WORD = re.compile(r"[a-z]+")
_OTHER_DIGITS = re.compile("[" + "".join(word for word in _DIGIT_OF if not word.isascii()) + "]")
_GAP = re.compile(r"[\s,.\-–/]{0,3}")


def _digit_words(text: str) -> int:
    """How many digits are written as words anywhere in a text.

    Most texts have hardly any; counting is far cheaper than reading the text word by word.
    """
    folded = fold(text)
    latin = sum(word in _DIGIT_OF for word in _LATIN_WORD.findall(folded))
    return latin + len(_OTHER_DIGITS.findall(folded))


def digit(word: str) -> str | None:
    """The digit that a single word means in any of the languages, whatever its case and accents; None for others."""
    return _DIGIT_OF.get(fold(word))


def times(word: str) -> int | None:
    """How often the digit after a word such as "double" is repeated; None for other words."""
    return _TIMES.get(fold(word))


def digit_runs(text: str) -> Iterator[tuple[int, int, str]]:
    """Each run of digits of which at least six are written as words, as (start, end, digits)."""
    if _digit_words(text) < _FEWEST_WORDS:
        return
    start, end, digits, word_count, repeat = 0, 0, "", 0, 1
    for token in _TOKEN.finditer(text):
        word = fold(token.group())
        joined = _GAP.fullmatch(text, end, token.start()) is not None
        known = word in _DIGIT_OF or word in _TIMES or token.group().isdecimal()
        if (not known or not joined) and digits:
            if word_count >= _FEWEST_WORDS:
                yield start, end, digits
            digits, word_count, repeat = "", 0, 1
        if not known:
            continue
        if not digits and repeat == 1:
            start = token.start()
        if word in _TIMES:
            repeat = _TIMES[word]
        else:
            digits += _DIGIT_OF.get(word, token.group()) * repeat
            word_count, repeat = word_count + (word in _DIGIT_OF), 1
        end = token.end()
    if word_count >= _FEWEST_WORDS:
        yield start, end, digits
