"""Hides words of an account: spans in code points, what is left of the text, and how both are kept sealed.

A hidden place reads `[…]`. What a person makes of the rest by hand may only be shorter, never new.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import Final
from uuid import UUID

from ugly_mugs.database.sealed_json import Plain, SealedJson
from ugly_mugs.text.folding import tokens
from ugly_mugs.vault import symmetric
from ugly_mugs.vault.padding import TEXT

HIDDEN: Final = "[…]"
BY_HAND: Final = "mo"
"""The kind of a span that a moderator marked, beside the two-letter kinds of suggestions."""

_AROUND = 40
_LETTER = "0-9A-Za-z\u00c0-\u024f"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """The code points from `start` to `end` of the account are hidden."""

    start: int
    end: int
    kind: str = BY_HAND


@dataclass(frozen=True)
class Settled:
    """A redaction, opened: what is left of the account, where was hidden what, and how far it had been read.

    `covers` counts the code points of the account it was made from; a reporter may have added to it since.
    """

    text: str
    spans: tuple[Span, ...]
    removed: list[str]
    covers: int


def read_spans(texts: Iterable[str]) -> list[Span]:
    """Places as tick boxes send them, `start-end-kind`; what no page of ours wrote is left out."""
    found = (re.fullmatch(r"([0-9]{1,7})-([0-9]{1,7})-([a-z]{2})", text) for text in texts)
    return [Span(int(each[1]), int(each[2]), each[3]) for each in found if each]


def joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same places in order, none overlapping or touching another; the first one's kind stays."""
    kept: list[Span] = []
    for span in sorted(spans):
        if kept and span.start <= kept[-1].end:
            kept[-1] = Span(kept[-1].start, max(kept[-1].end, span.end), kept[-1].kind)
        else:
            kept.append(span)
    return tuple(kept)


def within(spans: Iterable[Span], text: str) -> list[Span]:
    """Those that are places in this text; others come from no page of ours."""
    return [span for span in spans if 0 <= span.start < span.end <= len(text)]


def redact(text: str, spans: Iterable[Span]) -> Settled:
    """The text with every span hidden."""
    places = joined(within(spans, text))
    pieces, at = [], 0
    for span in places:
        pieces += [text[at : span.start], HIDDEN]
        at = span.end
    return Settled(
        text="".join([*pieces, text[at:]]),
        spans=places,
        removed=list(dict.fromkeys(text[span.start : span.end] for span in places)),
        covers=len(text),
    )


def occurrences(text: str, words: str) -> list[Span]:
    """Everywhere these words stand as words, whatever their case and the kind of space between them."""
    pattern = r"\s+".join(re.escape(word) for word in words.split())
    if not pattern:
        return []
    first, last = words.strip()[0], words.strip()[-1]
    before = f"(?<![{_LETTER}])" if re.match(f"[{_LETTER}]", first) else ""
    behind = f"(?![{_LETTER}])" if re.match(f"[{_LETTER}]", last) else ""
    found = re.finditer(f"{before}{pattern}{behind}", text, re.IGNORECASE)
    return [Span(match.start(), match.end()) for match in found]


def find_all(
    text: str, words: str, *, first_only: bool, besides: Sequence[Span]
) -> tuple[list[Span], list[str]]:
    """Where each line of `words` stands, and the lines that stand nowhere.

    With `first_only` the first place of each that is not hidden by `besides` already.
    """
    found: list[Span] = []
    missing: list[str] = []
    for line in filter(None, map(str.strip, words.splitlines())):
        places = occurrences(text, line)
        open_ones = [
            each for each in places if not any(o.start <= each.start and each.end <= o.end for o in besides)
        ]
        found += open_ones[:1] if first_only else open_ones
        if not places:
            missing.append(line)
    return found, missing


def not_from(shorter: str, longer: str) -> str | None:
    """The first word of `shorter` that is not left over from `longer` in its order; None when it only shortens it.

    Case, accents and punctuation may change, so that what is left can be made into sentences.
    """
    rest = iter([token.text for token in tokens(longer)])
    for token in tokens(shorter):
        if not any(token.text == other for other in rest):
            return shorter[token.start : token.end]
    return None


def lines_of(text: str, spans: Sequence[Span]) -> list[str]:
    """The words around each span, on one line, to tell two places with the same words apart."""
    breaks = [0, *accumulate(len(line) for line in text.splitlines(keepends=True))]
    told = []
    for span in spans:
        line = breaks[bisect_right(breaks, span.start) - 1]
        end = next((each for each in breaks if each >= span.end), len(text))
        before, behind = text[line : span.start], text[span.end : end]
        if len(before) > _AROUND:
            before = "… " + before[-_AROUND:].partition(" ")[2]
        if len(behind) > _AROUND:
            behind = behind[:_AROUND].rpartition(" ")[0] + " …"
        told.append(" ".join(f"{before}{text[span.start : span.end]}{behind}".split()))
    return told


def seal(settled: Settled, *, redaction_id: UUID, content_key: bytes) -> bytes:
    """Under the report's content key; TooLong when text and hidden words together fit into no size."""
    return REDACTIONS.seal(settled, row=redaction_id, sealer=partial(symmetric.seal, content_key))


def open_sealed(sealed: bytes, *, redaction_id: UUID, content_key: bytes) -> Settled:
    """The inverse of `seal`; CannotOpen when the key is another report's."""
    return REDACTIONS.open(sealed, row=redaction_id, opener=partial(symmetric.open_sealed, content_key))


def _plain(settled: Settled) -> Plain:
    return {
        "text": settled.text,
        "spans": [[span.start, span.end, span.kind] for span in settled.spans],
        "removed": settled.removed,
        "covers": settled.covers,
    }


def _from_plain(plain: Plain) -> Settled:
    spans = tuple(Span(start, end, kind) for start, end, kind in plain["spans"])
    return Settled(plain["text"], spans, plain["removed"], plain["covers"])


REDACTIONS: Final = SealedJson("redactions", "contents", sizes=TEXT, dump=_plain, load={1: _from_plain})
