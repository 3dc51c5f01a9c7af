"""Finds what identifies the reporter in a text: what the form says about them, and what a moderator has hidden.

It searches for many spellings and prefers false alarms to misses: the moderator sees each leak with its reason and
can rephrase the text.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _

from reporting.redaction.leak_rules import Needle, Number, SearchTerm, number_value, of_known, of_removed
from reporting.redaction.tokeniser import Stream, plain_stream, spoken_stream
from ugly_mugs.text.identifiers import Found, find


@dataclass(frozen=True, slots=True)
class Leak:
    """The code points from `start` to `end` of the text must not be sent.

    `kind` is a key of `known` in `check`, or "removed"; `why` is a sentence for the moderator.
    """

    kind: str
    start: int
    end: int
    why: str
    text: str


def _whys() -> Mapping[str, str]:
    """The reasons in the moderator's language, by the kind of a leak, or "handle"."""
    return {
        "name": _("This is how the reporter wants to be called."),
        "working_name": _("This is a working name of the reporter, or a part of one."),
        "phone": _("This is the reporter's own phone number, or the end of it."),
        "email": _("This is the reporter's own e-mail address."),
        "profile_url": _("This leads to a profile or an advert of the reporter."),
        "postcode": _("This postcode points to a few doors."),
        "reference": _("This number leads to a case file, and so to the reporter."),
        "other": _("The reporter asked us to keep this out."),
        "handle": _("This is part of an address or a profile of the reporter."),
        "removed": _("This was hidden in the report."),
    }


def check(
    text: str,
    known: Mapping[str, Sequence[str]],
    removed: Sequence[str],
    *,
    released: Sequence[str] = (),
) -> list[Leak]:
    """Every leak of the text, in order, without overlaps.

    `known` holds what the form says about the reporter (working_name, name, phone, email, profile_url, postcode,
    reference, other), `removed` the words that were hidden in the report. `released` holds identifiers of the alleged
    offender that the alert names: these are no leak when they were hidden, but are one when they are in `known` too.
    """
    plain = plain_stream(text)
    streams = (plain, spoken_stream(plain))
    identifiers, whys = find(text), _whys()
    exempt = [*_released_spans(identifiers, released), *_literal_spans(plain, released)]
    leaks = [*_leaks(text, of_known(known), streams, identifiers, whys)]
    leaks += [
        leak
        for leak in _leaks(text, of_removed(removed), streams, identifiers, whys)
        if not any(start <= leak.start and leak.end <= end for start, end in exempt)
    ]
    return _without_overlaps(leaks)


def _leaks(
    text: str,
    terms: Iterable[SearchTerm],
    streams: Sequence[Stream],
    identifiers: Sequence[Found],
    whys: Mapping[str, str],
) -> Iterator[Leak]:
    numbers = _numbers(streams, identifiers)
    for term in dict.fromkeys(terms):
        spans = (
            numbers(term.value)
            if isinstance(term, Number)
            else (span for stream in streams for span in _spans(stream, term))
        )
        why = whys["handle"] if term.why == "known handle" else whys[term.kind]
        for start, end in spans:
            yield Leak(term.kind, start, end, why, text[start:end])


def _spans(stream: Stream, needle: Needle) -> Iterator[tuple[int, int]]:
    at = 0
    while match := needle.pattern.search(stream.text, at):
        at = match.start() + 1
        if match.start() == match.end():
            continue
        if not needle.whole:
            yield stream.place(*match.span())
        elif match.start() in stream.begins and (end := _word_end(stream, needle.pattern, match)) is not None:
            yield stream.place(match.start(), end)


def _word_end(stream: Stream, pattern: re.Pattern[str], match: re.Match[str]) -> int | None:
    """The last word end within a match, or None.

    Up to two final letters may be dropped, because a matched plural "s" or "es" may begin the next word.
    """
    for end in range(match.end(), max(match.end() - 3, match.start()), -1):
        if end in stream.ends and pattern.fullmatch(stream.text, match.start(), end):
            return end
    return None


def _numbers(
    streams: Sequence[Stream], identifiers: Sequence[Found]
) -> Callable[[str], Iterator[tuple[int, int]]]:
    """A function from a number's value to its spans in the text.

    Numbers inside identifiers, such as phone numbers, do not count; single digits count only when written as digits.
    """
    places: dict[str, dict[tuple[int, int], None]] = {}
    plain, spoken = streams
    for stream in streams:
        for token in stream.tokens:
            inside = any(i.start <= token.start and token.end <= i.end for i in identifiers)
            if token.is_number and not inside and (stream is plain or len(token.text) > 1):
                places.setdefault(number_value(token.text), {})[token.start, token.end] = None
    for start, end, digits in _digits_in_words(spoken):
        places.setdefault(number_value(digits), {})[start, end] = None
    return lambda value: iter(places.get(value, {}))


def _digits_in_words(spoken: Stream) -> Iterator[tuple[int, int, str]]:
    """ "One two" read as 12: runs of single digits next to each other."""
    run: list[tuple[int, int, str]] = []
    for token in (*spoken.tokens, None):
        if token is not None and token.is_number and len(token.text) == 1:
            run.append((token.start, token.end, token.text))
            continue
        if len(run) > 1:
            yield run[0][0], run[-1][1], "".join(digit for _start, _end, digit in run)
        run = []


def _released_spans(identifiers: Sequence[Found], released: Sequence[str]) -> list[tuple[int, int]]:
    named = {(match.kind, match.normalised) for text in released for match in find(text)}
    return [(i.start, i.end) for i in identifiers if (i.kind, i.normalised) in named]


def _literal_spans(plain: Stream, released: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The spans of released texts letter for letter, for identifiers that `find` misses, such as a bare username."""
    for text in released:
        condensed = plain_stream(text).text
        if condensed:
            yield from _spans(plain, Needle("removed", "removed", re.compile(re.escape(condensed))))


def _without_overlaps(leaks: Sequence[Leak]) -> list[Leak]:
    """Of overlapping leaks, keep one from `known` before one from `removed`, then the longest."""
    kept: list[Leak] = []
    for leak in sorted(leaks, key=lambda leak: (leak.kind == "removed", leak.start - leak.end, leak.start)):
        if all(leak.end <= other.start or other.end <= leak.start for other in kept):
            kept.append(leak)
    return sorted(kept, key=lambda leak: leak.start)
