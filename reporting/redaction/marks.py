"""What a moderator sees marked in an account: places already hidden, and what the reader suggests."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from flask_babel import gettext as _

from reporting.redaction import leak_check
from reporting.redaction.spans import BY_HAND, Settled, Span, lines_of
from reporting.redaction.suggestions import suggest
from ugly_mugs.reader.suggesting import InTheWeb, Known, Reader

READER: Final[Reader] = InTheWeb(suggest)

_KIND_OF_LEAK: Final[Mapping[str, str]] = {
    "name": "wn",
    "working_name": "wn",
    "phone": "ph",
    "email": "em",
    "profile_url": "ur",
    "postcode": "pc",
    "reference": "cr",
    "other": "ko",
}


def kind_names() -> Mapping[str, str]:
    """What each kind of place is called."""
    return {
        "ph": _("phone number"),
        "em": _("e-mail address"),
        "hd": _("username"),
        "rg": _("number plate"),
        "wn": _("working name"),
        "rn": _("name"),
        "pc": _("postcode"),
        "ur": _("link"),
        "cr": _("reference number"),
        "ag": _("age or birthday"),
        "sd": _("description of the reporter"),
        "bl": _("building or flat"),
        "ad": _("address"),
        "ko": _("to be kept out"),
        BY_HAND: _("marked by a moderator"),
    }


@dataclass(frozen=True)
class Mark:
    """One place to hide or to leave, as the page shows it; `value` is what its tick box sends."""

    number: int
    span: Span
    words: str
    around: str
    name: str
    why: str
    hidden: bool

    @property
    def value(self) -> str:
        return f"{self.span.start}-{self.span.end}-{self.span.kind}"


class Piece(NamedTuple):
    """A stretch of the account; `mark` is None where nothing is marked."""

    text: str
    mark: Mark | None


@dataclass(frozen=True)
class _Proposal:
    span: Span
    hide: bool
    why: str


def of_account(
    account: str, known: Known, settled: Settled | None, ticked: Sequence[Span] | None = None
) -> list[Mark]:
    """Every mark, in order, none overlapping another.

    Kept places come first, then what the leak check and the reader propose. What is proposed for hiding is ticked
    until somebody has decided about that part of the account; `ticked` is what a form held that could not be kept.
    """
    chosen = _apart([*(settled.spans if settled else ()), *(ticked or ())])
    read_up_to = settled.covers if settled else 0
    proposals = _proposals(account, known)
    marks = [
        (span, True, next((each.why for each in proposals if each.hide and _meet(each.span, span)), ""))
        for span in chosen
    ]
    for each in proposals:
        for span in _outside(each.span, chosen, account):
            marks.append((span, each.hide and ticked is None and span.start >= read_up_to, each.why))
    marks.sort(key=lambda mark: mark[0])
    names, around = kind_names(), lines_of(account, [span for span, _hidden, _why in marks])
    return [
        Mark(
            number=number,
            span=span,
            words=account[span.start : span.end],
            around=around[number - 1],
            name=names.get(span.kind, names[BY_HAND]),
            why=why,
            hidden=hidden,
        )
        for number, (span, hidden, why) in enumerate(marks, start=1)
    ]


def _proposals(account: str, known: Known) -> list[_Proposal]:
    """What to hide, none overlapping, and what to keep beside it.

    Whatever the leak check would refuse later is proposed here, so that nobody is stopped by what nobody showed them.
    """
    names = {**known, "working_name": [*known.get("working_name", ()), *known.get("name", ())]}
    found = [
        _Proposal(Span(leak.start, leak.end, _KIND_OF_LEAK[leak.kind]), True, leak.why)
        for leak in leak_check.check(account, known, [])
    ]
    suggested = READER.suggest(account, names)
    found += [
        _Proposal(Span(each.start, each.end, each.kind), True, each.why)
        for each in suggested
        if each.action == "remove"
    ]
    hide: list[_Proposal] = []
    for proposal in sorted(found, key=lambda each: (each.span.start, -each.span.end)):
        if hide and proposal.span.start < hide[-1].span.end:
            last = hide[-1].span
            hide[-1] = replace(hide[-1], span=replace(last, end=max(last.end, proposal.span.end)))
        else:
            hide.append(proposal)
    keep = [
        _Proposal(Span(each.start, each.end, each.kind), False, each.why)
        for each in suggested
        if each.action == "keep" and not any(_meet(other.span, Span(each.start, each.end)) for other in hide)
    ]
    return hide + keep


def pieces(account: str, marks: Sequence[Mark]) -> Iterator[Piece]:
    """The whole account, cut where a mark begins and ends."""
    at = 0
    for mark in marks:
        if mark.span.start > at:
            yield Piece(account[at : mark.span.start], None)
        yield Piece(mark.words, mark)
        at = mark.span.end
    if at < len(account):
        yield Piece(account[at:], None)


def _meet(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end


def _outside(span: Span, others: Sequence[Span], text: str) -> Iterator[Span]:
    """The stretches of a span that none of the others covers, without those that are only space and punctuation."""
    at = span.start
    for other in [*(each for each in others if _meet(each, span)), Span(span.end, span.end + 1)]:
        if other.start > at and any(c.isalnum() for c in text[at : other.start]):
            yield Span(at, other.start, span.kind)
        at = max(at, other.end)


def _apart(spans: Sequence[Span]) -> list[Span]:
    """Overlapping ones as one, so that no word is marked twice; ones that only touch stay two to decide about."""
    kept: list[Span] = []
    for span in sorted(spans):
        if kept and span.start < kept[-1].end:
            kept[-1] = Span(kept[-1].start, max(kept[-1].end, span.end), kept[-1].kind)
        else:
            kept.append(span)
    return kept
