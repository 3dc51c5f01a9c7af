"""What is marked in an account: nothing twice, nothing lost, and nothing the leak check would refuse left out."""

from collections.abc import Iterator
from itertools import pairwise

import pytest
from flask import Flask
from flask_babel import Babel
from hypothesis import given, settings, strategies as st

from reporting.redaction import leak_check, marks, spans
from reporting.redaction.spans import Settled, Span

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


@pytest.fixture(scope="module", autouse=True)
def in_english() -> Iterator[None]:
    app = Flask("marks")
    Babel(app)
    with app.test_request_context():
        yield


def by_words(found: list[marks.Mark]) -> dict[str, bool]:
    return {mark.words: mark.hidden for mark in found}


def test_what_the_reporter_asked_to_keep_out_is_proposed() -> None:
    found = by_words(marks.of_account("Robin, the florist, saw it. He rang from 07700 900456.", KNOWN, None))

    assert found == {"Robin": True, "florist": True, "07700 900456": False}


def test_a_refused_proposal_stays_refused_and_one_in_a_later_part_is_ticked() -> None:
    first = "Marisol saw it."
    refused = spans.redact(first, [])

    found = marks.of_account(f"{first}\n\nMarisol again.", KNOWN, refused)

    assert [mark.hidden for mark in found] == [False, True]


def test_what_is_half_hidden_is_marked_for_its_other_half() -> None:
    account = "I am Marisol Vega."

    found = marks.of_account(account, KNOWN, spans.redact(account, [Span(13, 17)]))

    assert by_words(found) == {"Marisol ": False, "Vega": True}


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join),
    st.lists(st.tuples(st.integers(0, 120), st.integers(0, 120)), max_size=4),
)
def test_pieces_are_the_account_and_marks_never_overlap(account: str, places: list[tuple[int, int]]) -> None:
    stored = spans.redact(account, [Span(*place) for place in places])

    for kept in (None, stored):
        found = marks.of_account(account, KNOWN, kept)
        assert "".join(piece.text for piece in marks.pieces(account, found)) == account
        assert all(one.span.end <= other.span.start for one, other in pairwise(found))
    hidden = {at for span in stored.spans for at in range(span.start, span.end)}
    shown = {at for mark in found if mark.hidden for at in range(mark.span.start, mark.span.end)}
    assert shown == hidden


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join))
def test_whoever_hides_all_that_is_proposed_can_settle_the_rest(account: str) -> None:
    found = marks.of_account(account, KNOWN, None)

    left: Settled = spans.redact(account, [mark.span for mark in found if mark.hidden])

    assert leak_check.check(left.text, KNOWN, []) == []
