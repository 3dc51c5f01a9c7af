"""Marks in an account: without overlaps, complete, and with everything that the leak check would refuse."""

from itertools import pairwise

import pytest
from hypothesis import given, settings, strategies as st

from reporting.redaction import leak_check, marks, spans
from reporting.redaction.spans import OpenedRedaction, Span

pytestmark = pytest.mark.usefixtures("in_english")

KNOWN = {
    "working_name": ["Marisol Vega"],
    "name": ["Robin"],
    "phone": ["07700 900123"],
    "profile_url": ["https://listings.example/marisol-v"],
    "other": ["the florist in Mill Lane"],
}
WORDS = (
    "Marisol Vega robin 07700 900123 900123 he rang from 07700 900456 florist mill lane @marisol_v marisol-v and my "
    "friend Anna said [x] 小美 LS11 8ZQ oh nine double oh"
).split(" ")


def by_words(account_marks: list[marks.Mark]) -> dict[str, bool]:
    return {mark.words: mark.hidden for mark in account_marks}


def test_words_that_the_reporter_asked_to_keep_out_are_proposed() -> None:
    hidden = by_words(marks.of_account("Robin, the florist, saw it. He rang from 07700 900456.", KNOWN, None))

    assert hidden == {"Robin": True, "florist": True, "07700 900456": False}


def test_a_rejected_proposal_stays_unticked_and_one_in_added_text_is_ticked() -> None:
    first = "Marisol saw it."
    reviewed = spans.redact(first, [])

    account_marks = marks.of_account(f"{first}\n\nMarisol again.", KNOWN, reviewed)

    assert [mark.hidden for mark in account_marks] == [False, True]


def test_a_partly_hidden_proposal_is_marked_in_its_visible_part() -> None:
    account = "I am Marisol Vega."

    account_marks = marks.of_account(account, KNOWN, spans.redact(account, [Span(13, 17)]))

    assert by_words(account_marks) == {"Marisol ": False, "Vega": True}


@settings(max_examples=150)
@given(
    st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join),
    st.lists(st.tuples(st.integers(0, 120), st.integers(0, 120)), max_size=4),
)
def test_pieces_are_the_account_and_marks_never_overlap(account: str, places: list[tuple[int, int]]) -> None:
    stored = spans.redact(account, [Span(*place) for place in places])

    for kept in (None, stored):
        account_marks = marks.of_account(account, KNOWN, kept)
        assert "".join(piece.text for piece in marks.pieces(account, account_marks)) == account
        assert all(one.span.end <= other.span.start for one, other in pairwise(account_marks))
    hidden = {at for span in stored.spans for at in range(span.start, span.end)}
    shown = {at for mark in account_marks if mark.hidden for at in range(mark.span.start, mark.span.end)}
    assert shown == hidden


@settings(max_examples=150)
@given(st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join))
def test_hiding_every_proposal_leaves_no_leak(account: str) -> None:
    account_marks = marks.of_account(account, KNOWN, None)

    left: OpenedRedaction = spans.redact(account, [mark.span for mark in account_marks if mark.hidden])

    assert leak_check.check(left.text, KNOWN, []) == []
