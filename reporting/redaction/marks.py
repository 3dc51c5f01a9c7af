"""The marks that a moderator sees in an account: hidden spans, and the reader's suggestions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from flask_babel import gettext as _

from reporting.redaction import leak_check
from reporting.redaction.spans import BY_HAND, OpenedRedaction, Span, merge_spans, surrounding_lines
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
    """One span as the page shows it, hidden or not; `value` is what its tick box sends."""

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
    """A part of the account; `mark` is None where nothing is marked."""

    text: str
    mark: Mark | None


@dataclass(frozen=True)
class _Proposal:
    span: Span
    hide: bool
    why: str


def of_account(
    account: str, known: Known, saved: OpenedRedaction | None, ticked: Sequence[Span] | None = None
) -> list[Mark]:
    """Every mark, in order, without overlaps.

    Hidden and ticked spans take precedence over proposals of the leak check and the reader. A proposal to hide is
    ticked unless its part of the account was reviewed before, or `ticked` is given: the spans of a posted form that
    could not be saved.
    """
    chosen = merge_spans([*(saved.spans if saved else ()), *(ticked or ())], touching=False)
    reviewed_up_to = saved.account_length if saved else 0
    proposals = _proposals(account, known)
    marks = [
        (span, True, next((p.why for p in proposals if p.hide and _overlap(p.span, span)), ""))
        for span in chosen
    ]
    for proposal in proposals:
        for span in _uncovered(proposal.span, chosen, account):
            marks.append(
                (span, proposal.hide and ticked is None and span.start >= reviewed_up_to, proposal.why)
            )
    marks.sort(key=lambda mark: mark[0])
    names, around = kind_names(), surrounding_lines(account, [span for span, _hidden, _why in marks])
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
    """Proposals to hide, merged where they overlap, then proposals to keep that overlap none of these.

    Everything that the leak check would refuse later is proposed for hiding here.
    """
    names = {**known, "working_name": [*known.get("working_name", ()), *known.get("name", ())]}
    to_hide = [
        _Proposal(Span(leak.start, leak.end, _KIND_OF_LEAK[leak.kind]), True, leak.why)
        for leak in leak_check.check(account, known, [])
    ]
    suggested = READER.suggest(account, names)
    to_hide += [
        _Proposal(Span(s.start, s.end, s.kind), True, s.why) for s in suggested if s.action == "remove"
    ]
    hide: list[_Proposal] = []
    for proposal in sorted(to_hide, key=lambda p: (p.span.start, -p.span.end)):
        if hide and proposal.span.start < hide[-1].span.end:
            last = hide[-1].span
            hide[-1] = replace(hide[-1], span=replace(last, end=max(last.end, proposal.span.end)))
        else:
            hide.append(proposal)
    keep = [
        _Proposal(Span(s.start, s.end, s.kind), False, s.why)
        for s in suggested
        if s.action == "keep" and not any(_overlap(p.span, Span(s.start, s.end)) for p in hide)
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


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end


def _uncovered(span: Span, others: Sequence[Span], text: str) -> Iterator[Span]:
    """The parts of a span outside `others`, except parts of only spaces and punctuation."""
    at = span.start
    for other in [
        *(overlapping for overlapping in others if _overlap(overlapping, span)),
        Span(span.end, span.end + 1),
    ]:
        if other.start > at and any(c.isalnum() for c in text[at : other.start]):
            yield Span(at, other.start, span.kind)
        at = max(at, other.end)
