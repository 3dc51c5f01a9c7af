"""Hides spans of an account, counted in code points, and seals the spans together with the remaining text.

A hidden span reads `[…]`. A moderator may shorten the remaining text by hand, but not add words to it.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import Final
from uuid import UUID

from reporting.redaction.tokeniser import tokens
from ugly_mugs.database.sealed_json import Plain, SealedJson
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
class OpenedRedaction:
    """A redaction, opened: the remaining text, the hidden spans and the hidden words (`removed`).

    `account_length` is the length of the account in code points when it was redacted; the account may be longer now.
    """

    text: str
    spans: tuple[Span, ...]
    removed: list[str]
    account_length: int


def read_spans(texts: Iterable[str]) -> list[Span]:
    """The spans that tick boxes sent as `start-end-kind`; other values are ignored."""
    matches = (re.fullmatch(r"([0-9]{1,7})-([0-9]{1,7})-([a-z]{2})", text) for text in texts)
    return [Span(int(match[1]), int(match[2]), match[3]) for match in matches if match]


def merge_spans(spans: Iterable[Span], *, touching: bool = True) -> tuple[Span, ...]:
    """The spans in order, merged where they overlap or touch; a merged span has the kind of its first.

    Without `touching`, spans that only touch stay separate.
    """
    kept: list[Span] = []
    for span in sorted(spans):
        if kept and span.start < kept[-1].end + touching:
            kept[-1] = Span(kept[-1].start, max(kept[-1].end, span.end), kept[-1].kind)
        else:
            kept.append(span)
    return tuple(kept)


def within(spans: Iterable[Span], text: str) -> list[Span]:
    """The spans that are inside this text and not empty; forged forms may send others."""
    return [span for span in spans if 0 <= span.start < span.end <= len(text)]


def redact(text: str, spans: Iterable[Span]) -> OpenedRedaction:
    places = merge_spans(within(spans, text))
    pieces, at = [], 0
    for span in places:
        pieces += [text[at : span.start], HIDDEN]
        at = span.end
    return OpenedRedaction(
        text="".join([*pieces, text[at:]]),
        spans=places,
        removed=list(dict.fromkeys(text[span.start : span.end] for span in places)),
        account_length=len(text),
    )


def occurrences(text: str, words: str) -> list[Span]:
    """Every place with these whole words, ignoring case and the kind of space between them."""
    pattern = r"\s+".join(re.escape(word) for word in words.split())
    if not pattern:
        return []
    first, last = words.strip()[0], words.strip()[-1]
    before = f"(?<![{_LETTER}])" if re.match(f"[{_LETTER}]", first) else ""
    behind = f"(?![{_LETTER}])" if re.match(f"[{_LETTER}]", last) else ""
    matches = re.finditer(f"{before}{pattern}{behind}", text, re.IGNORECASE)
    return [Span(match.start(), match.end()) for match in matches]


def find_lines(
    text: str, words: str, *, first_only: bool, besides: Sequence[Span]
) -> tuple[list[Span], list[str]]:
    """The places of each line of `words`, and the lines that are not in the text.

    Places inside a span of `besides` are left out; with `first_only` only the first place of each line is returned.
    """
    spans: list[Span] = []
    missing: list[str] = []
    for line in filter(None, map(str.strip, words.splitlines())):
        places = occurrences(text, line)
        visible = [
            place
            for place in places
            if not any(span.start <= place.start and place.end <= span.end for span in besides)
        ]
        spans += visible[:1] if first_only else visible
        if not places:
            missing.append(line)
    return spans, missing


def first_new_word(shorter: str, longer: str) -> str | None:
    """The first word of `shorter` that is not in `longer` in the same order; None when it only leaves words out.

    Case, accents and punctuation may differ, so that a moderator can form sentences from the remaining words.
    """
    rest = iter([token.text for token in tokens(longer)])
    for token in tokens(shorter):
        if not any(token.text == other for other in rest):
            return shorter[token.start : token.end]
    return None


def surrounding_lines(text: str, spans: Sequence[Span]) -> list[str]:
    """Each span with the words around it on one line, to tell two places with the same words apart."""
    breaks = [0, *accumulate(len(line) for line in text.splitlines(keepends=True))]
    contexts = []
    for span in spans:
        line = breaks[bisect_right(breaks, span.start) - 1]
        end = next((offset for offset in breaks if offset >= span.end), len(text))
        before, behind = text[line : span.start], text[span.end : end]
        if len(before) > _AROUND:
            before = "… " + before[-_AROUND:].partition(" ")[2]
        if len(behind) > _AROUND:
            behind = behind[:_AROUND].rpartition(" ")[0] + " …"
        contexts.append(" ".join(f"{before}{text[span.start : span.end]}{behind}".split()))
    return contexts


def seal(settled: OpenedRedaction, *, redaction_id: UUID, content_key: bytes) -> bytes:
    """Seal under the report's content key; TooLong when text and hidden words exceed the largest padding size."""
    return REDACTIONS.seal(settled, row=redaction_id, sealer=partial(symmetric.seal, content_key))


def open_sealed(sealed: bytes, *, redaction_id: UUID, content_key: bytes) -> OpenedRedaction:
    """The inverse of `seal`; CannotOpen when the key is another report's."""
    return REDACTIONS.open(sealed, row=redaction_id, opener=partial(symmetric.open_sealed, content_key))


def _plain(settled: OpenedRedaction) -> Plain:
    return {
        "text": settled.text,
        "spans": [[span.start, span.end, span.kind] for span in settled.spans],
        "removed": settled.removed,
        "covers": settled.account_length,
    }


def _from_plain(plain: Plain) -> OpenedRedaction:
    spans = tuple(Span(start, end, kind) for start, end, kind in plain["spans"])
    return OpenedRedaction(plain["text"], spans, plain["removed"], plain["covers"])


REDACTIONS: Final = SealedJson("redactions", "contents", sizes=TEXT, dump=_plain, load={1: _from_plain})
