"""Digits written out as words ("oh seven seven, double oh nine"), in the languages reports arrive in."""

import re
import unicodedata
from collections.abc import Iterator

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


def _bare(word: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", word.casefold()) if not unicodedata.combining(c))


def _digit_words(text: str) -> int:
    """How many spelled digits stand anywhere in a text: most have hardly any, and need not be read word by word."""
    bare = text.casefold() if text.isascii() else _bare(text)
    return sum(word in _DIGIT_OF for word in _LATIN_WORD.findall(bare)) + len(_OTHER_DIGITS.findall(bare))


def digit(word: str) -> str | None:
    """The digit a single word stands for, in any of the languages, whatever its case and accents."""
    return _DIGIT_OF.get(_bare(word))


def times(word: str) -> int | None:
    """How often the digit after a word such as "double" is meant."""
    return _TIMES.get(_bare(word))


def digit_runs(text: str) -> Iterator[tuple[int, int, str]]:
    """Each run of at least six spelled digits in a row, as (start, end, digits); figures may mix in."""
    if _digit_words(text) < _FEWEST_WORDS:
        return
    start, end, digits, words, times = 0, 0, "", 0, 1
    for token in _TOKEN.finditer(text):
        word = _bare(token.group())
        joined = _GAP.fullmatch(text, end, token.start()) is not None
        known = word in _DIGIT_OF or word in _TIMES or token.group().isdecimal()
        if (not known or not joined) and digits:
            if words >= _FEWEST_WORDS:
                yield start, end, digits
            digits, words, times = "", 0, 1
        if not known:
            continue
        if not digits and times == 1:
            start = token.start()
        if word in _TIMES:
            times = _TIMES[word]
        else:
            digits += _DIGIT_OF.get(word, token.group()) * times
            words, times = words + (word in _DIGIT_OF), 1
        end = token.end()
    if words >= _FEWEST_WORDS:
        yield start, end, digits
