"""Refuses a text that still says who reported: what the form knows of them, and what a moderator has hidden.

It looks for every spelling it can think of, and rather stops a harmless word than lets a telling one pass: the
moderator sees each find with its reason, and can say the same thing differently.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _

from reporting.redaction.leak_rules import Needle, Number, Sought, of_known, of_removed, value_of
from reporting.redaction.tokeniser import Stream, plain_stream, spoken_stream
from ugly_mugs.text.identifiers import Found, find


@dataclass(frozen=True, slots=True)
class Leak:
    """The code points from `start` to `end` of the text must not leave; `kind` is the kind of what is known about
    the reporter, or "removed"; `why` is a sentence for the moderator."""

    kind: str
    start: int
    end: int
    why: str
    text: str


def _whys() -> Mapping[str, str]:
    """The reasons in the moderator's language; those of kinds first, then those of where it was hidden."""
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
    """Every leak of the text, in order, none overlapping another.

    `known` holds what the form says about the reporter (working_name, name, phone, email, profile_url, postcode,
    reference, other), `removed` the words that were hidden in the report. An identifier of the alleged offender in
    `released` is no leak only because it was hidden; it stays one when it is the reporter's as well.
    """
    plain = plain_stream(text)
    streams = (plain, spoken_stream(plain))
    identifiers, whys = find(text), _whys()
    let_out = [*_let_out(identifiers, released), *_named(plain, released)]
    found = [*_leaks(text, of_known(known), streams, identifiers, whys)]
    found += [
        leak
        for leak in _leaks(text, of_removed(removed), streams, identifiers, whys)
        if not any(start <= leak.start and leak.end <= end for start, end in let_out)
    ]
    return _apart(found)


def _leaks(
    text: str,
    sought: Iterable[Sought],
    streams: Sequence[Stream],
    identifiers: Sequence[Found],
    whys: Mapping[str, str],
) -> Iterator[Leak]:
    numbers = _numbers(streams, identifiers)
    for each in dict.fromkeys(sought):
        spans = (
            numbers(each.value)
            if isinstance(each, Number)
            else (span for stream in streams for span in _spans(stream, each))
        )
        why = whys["handle"] if each.why == "known handle" else whys[each.kind]
        for start, end in spans:
            yield Leak(each.kind, start, end, why, text[start:end])


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
    """Where a match ends with a word; a plural "s" may also begin the next word, so shorter matches count."""
    for end in range(match.end(), max(match.end() - 3, match.start()), -1):
        if end in stream.ends and pattern.fullmatch(stream.text, match.start(), end):
            return end
    return None


def _numbers(
    streams: Sequence[Stream], identifiers: Sequence[Found]
) -> Callable[[str], Iterator[tuple[int, int]]]:
    """Where each whole number stands, outside phone numbers and the like; single digits only as figures."""
    places: dict[str, dict[tuple[int, int], None]] = {}
    plain, spoken = streams
    for stream in streams:
        for token in stream.tokens:
            inside = any(each.start <= token.start and token.end <= each.end for each in identifiers)
            if token.is_number and not inside and (stream is plain or len(token.text) > 1):
                places.setdefault(value_of(token.text), {})[token.start, token.end] = None
    for start, end, digits in _digits_in_words(spoken):
        places.setdefault(value_of(digits), {})[start, end] = None
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


def _let_out(identifiers: Sequence[Found], released: Sequence[str]) -> list[tuple[int, int]]:
    """Where identifiers stand that the alert is meant to name."""
    meant = {(each.kind, each.normalised) for text in released for each in find(text)}
    return [(each.start, each.end) for each in identifiers if (each.kind, each.normalised) in meant]


def _named(plain: Stream, released: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Where they stand letter for letter, also those that no rule knows for an identifier, such as a bare username."""
    for text in released:
        signs = plain_stream(text).text
        if signs:
            yield from _spans(plain, Needle("removed", "removed", re.compile(re.escape(signs))))


def _apart(leaks: Sequence[Leak]) -> list[Leak]:
    """Of leaks that overlap the one about the reporter stays, then the longest."""
    kept: list[Leak] = []
    for leak in sorted(leaks, key=lambda each: (each.kind == "removed", each.start - each.end, each.start)):
        if all(leak.end <= other.start or other.end <= leak.start for other in kept):
            kept.append(leak)
    return sorted(kept, key=lambda each: each.start)
