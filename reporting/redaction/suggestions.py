"""Suggests what to hide in a report by simple rules; a moderator decides about every suggestion.

A kind is two letters, such as `ph` for a phone. The rules find only the reporter's working names and names after
words like "my friend"; the moderator has to find other names.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from flask_babel import gettext as _

from reporting.redaction import suggestion_rules as rules
from ugly_mugs.text.folding import fold_in_place
from ugly_mugs.text.identifiers import Found, IdentifierKind, find


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Hide or keep the code points from `start` to `end`; `why` is a sentence for the moderator."""

    start: int
    end: int
    kind: str
    action: Literal["remove", "keep"]
    why: str


_KIND = {
    IdentifierKind.PHONE: "ph",
    IdentifierKind.EMAIL: "em",
    IdentifierKind.HANDLE: "hd",
    IdentifierKind.PLATE: "rg",
}


def _whys() -> Mapping[str, str]:
    """The reasons in the moderator's language, by rule."""
    return {
        "known": _("This is in what the reporter told us about themselves."),
        "ours": _("The words before it say that this belongs to the reporter or somebody near them."),
        "theirs": _("This seems to belong to the person reported."),
        "unclear": _("Please look whose this is. If it is the person reported, it can stay."),
        "link": _("A link may lead to the reporter."),
        "postcode": _("The end of a postcode points to a few doors. The first half can stay."),
        "reference": _("A reference number leads to a case file, and so to the reporter."),
        "age": _("An age or a birth date can help somebody guess who the reporter is."),
        "alone": _("Only one person fits this."),
        "self": _("This describes the reporter."),
        "flat": _("This points to one door."),
        "building": _("This may name the building where it happened or where somebody lives."),
        "street": _("This looks like a street address."),
        "real": _("This looks like a real name."),
        "third": _("This looks like the name of somebody near the reporter."),
    }


def _whole_words(text: str, word: str) -> Iterator[tuple[int, int]]:
    """The places of a whole word in a folded text; a word with non-ASCII characters needs no boundaries around it."""
    for match in re.finditer(re.escape(word).replace(r"\ ", r"[\s_-]*"), text):
        around = text[max(match.start() - 1, 0) : match.start()] + text[match.end() : match.end() + 1]
        if not any(c.isalnum() and ("a" <= c <= "z" or c.isdecimal()) for c in around) or not word.isascii():
            yield match.span()


@dataclass(frozen=True, slots=True)
class _Known:
    """What the form says about the reporter, ready to compare with identifiers."""

    identifiers: frozenset[str]
    name_parts: frozenset[str]

    @classmethod
    def of(cls, known: Mapping[str, Sequence[str]]) -> "_Known":
        contacts = [value for key in ("phone", "email") for value in known.get(key, ())]
        parts = {
            fold_in_place(part)
            for name in known.get("working_name", ())
            for part in re.findall(r"[^\W\d_]{4,}", name)
        }
        return cls(
            identifiers=frozenset(match.normalised for value in contacts for match in find(value)),
            name_parts=frozenset(parts - rules.TITLES),
        )


def _known_spans(text: str, known: Mapping[str, Sequence[str]]) -> Iterator[tuple[int, int, str]]:
    folded = fold_in_place(text)
    for name in (value.strip() for value in known.get("working_name", ()) if value.strip()):
        for start, end in _whole_words(folded, fold_in_place(name)):
            yield start, end, "wn"
        for part in re.findall(r"[^\W\d_]{3,}", name):
            for start, end in (
                _whole_words(folded, fold_in_place(part)) if part.lower() not in rules.TITLES else ()
            ):
                # A part of a name may be a common word, such as Rose; it counts as the name only with a capital.
                if text[start].isupper():
                    yield start, end, "wn"
    for postcode in known.get("postcode", ()):
        inward = re.search(r"([0-9][A-Za-z]{2})\s*$", postcode)
        for start, end in _whole_words(folded, inward[1].lower()) if inward else ():
            yield start, end, "pc"
    for link in known.get("profile_url", ()):
        bare = re.sub(r"^(?:https?://)?(?:www\.)?", "", link.strip().lower()).rstrip("/")
        for match in re.finditer(rf"(?:https?://)?(?:www\.)?{re.escape(bare)}/?", folded) if bare else ():
            yield *match.span(), "ur"


def _owner(text: str, start: int) -> str | None:
    """The owner by the nearest word of OWNERS before it in its sentence: "ours", "theirs" or None."""
    before = re.split(r"[.!]\s|[。！\n]", text[max(start - rules.REACH, 0) : start])[-1]
    nearest = [
        (match.end(), owner) for owner, words in rules.OWNERS.items() for match in words.finditer(before)
    ]
    return max(nearest)[1] if nearest else None


def _identifier(text: str, found: Found, known: _Known, whys: Mapping[str, str]) -> Suggestion:
    kind, owner = _KIND[found.kind], _owner(text, found.start)
    name = fold_in_place(found.normalised.partition("@")[0])
    if found.normalised in known.identifiers or any(part in name for part in known.name_parts):
        return Suggestion(found.start, found.end, kind, "remove", whys["known"])
    if owner == "ours":
        return Suggestion(found.start, found.end, kind, "remove", whys["ours"])
    return Suggestion(found.start, found.end, kind, "keep", whys["theirs" if owner else "unclear"])


def _joined(hidden: list[Suggestion], known: str) -> list[Suggestion]:
    """Merge overlapping suggestions into one that spans all of them; dropping one would leave its end readable."""
    joined: list[Suggestion] = []
    for suggestion in sorted(hidden, key=lambda s: (s.start, -s.end)):
        if not joined or joined[-1].end <= suggestion.start:
            joined.append(suggestion)
            continue
        last = joined[-1]
        reason = suggestion if suggestion.why == known and last.why != known else last
        joined[-1] = replace(reason, start=last.start, end=max(last.end, suggestion.end))
    return joined


def suggest(text: str, known: Mapping[str, Sequence[str]]) -> list[Suggestion]:
    """What to hide and which identifiers to keep, in order and never overlapping.

    `known` holds what the form says about the reporter under any of working_name, phone, email, postcode,
    profile_url. Hiding wins over keeping.
    """
    whys, reporter = _whys(), _Known.of(known)
    hidden = [Suggestion(s, e, kind, "remove", whys["known"]) for s, e, kind in _known_spans(text, known)]
    hidden += [Suggestion(*match.span(), "ur", "remove", whys["link"]) for match in rules.LINK.finditer(text)]
    hidden += [
        Suggestion(*match.span(1), rule.kind, "remove", whys[rule.why])
        for rule in rules.RULES
        for match in rule.pattern.finditer(text)
    ]
    identifiers = [_identifier(text, found, reporter, whys) for found in find(text)]
    hidden = _joined([*hidden, *(s for s in identifiers if s.action == "remove")], whys["known"])
    kept = [
        s
        for s in identifiers
        if s.action == "keep" and all(s.end <= h.start or h.end <= s.start for h in hidden)
    ]
    return sorted([*hidden, *kept], key=lambda s: s.start)
