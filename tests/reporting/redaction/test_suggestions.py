"""Suggestions: what is known about the reporter is found in any spelling, and never hidden only in part."""

import time
from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from reporting.redaction.suggestions import Suggestion, suggest

KNOWN = {
    "working_name": ["Marisol Vega"],
    "phone": ["07700 900123"],
    "email": ["marisol@example.org"],
    "postcode": ["LS11 8ZQ"],
    "profile_url": ["https://www.listings.example/marisol-vega"],
}


def hidden(text: str, known: dict[str, list[str]] | None = None) -> list[tuple[str, str]]:
    """Kind and words of each suggestion to hide."""
    return [(s.kind, text[s.start : s.end]) for s in suggest(text, known or {}) if s.action == "remove"]


def kept(text: str, known: dict[str, list[str]] | None = None) -> list[tuple[str, str]]:
    return [(s.kind, text[s.start : s.end]) for s in suggest(text, known or {}) if s.action == "keep"]


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        ("wn", "Marisol Vega"),
        ("wn", "marisol vega"),
        ("wn", "MARISOL-VEGA"),
        ("wn", "Marisól"),
        ("ph", "07700 900123"),
        ("ph", "+44 (0)7700-900-123"),
        ("ph", "０７７００９００１２３"),
        ("ph", "oh seven seven double-oh nine double-oh one two three"),
        ("em", "Marisol@Example.org"),
        ("em", "marisol [at] example [dot] org"),
        ("hd", "@marisol.leeds"),
        ("pc", "8zq"),
        ("ur", "listings.example/marisol-vega"),
        ("ur", "HTTPS://listings.example/Marisol-Vega"),
    ],
)
def test_known_values_are_hidden_in_any_spelling(kind: str, written: str) -> None:
    text = f"he wrote down {written} twice"

    assert hidden(text, KNOWN) == [(kind, written)]


@given(
    st.text(max_size=60),
    st.sampled_from(["Marisol Vega", "07700 900123", "marisol@example.org"]),
    st.text(max_size=60),
)
def test_known_values_are_hidden_in_any_surrounding_text(before: str, value: str, after: str) -> None:
    text = f"{before}\n, {value} ,\n{after}"
    start = len(before) + 3

    covered = {i for s in suggest(text, KNOWN) if s.action == "remove" for i in range(s.start, s.end)}

    assert covered >= set(range(start, start + len(value)))


@given(st.text(), st.dictionaries(st.sampled_from(sorted(KNOWN)), st.lists(st.text(max_size=20), max_size=2)))
def test_suggestions_are_ordered_without_overlaps_and_have_a_reason(
    text: str, known: dict[str, list[str]]
) -> None:
    suggestions = suggest(text, known)

    assert all(a.end <= b.start for a, b in pairwise(suggestions))
    assert all(0 <= s.start < s.end <= len(text) for s in suggestions)
    assert all(s.why.endswith(".") and len(s.kind) == 2 for s in suggestions)


@given(st.text(alphabet="😀中é", max_size=20))
def test_places_are_counted_in_code_points(before: str) -> None:
    text = f"{before} 07700 900123"

    assert [(s.start, s.end) for s in suggest(text, KNOWN)] == [(len(before) + 1, len(text))]


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("it was at M1 2AB, late", "pc", "2AB"),
        ("I live at 12 Tallow Street now", "ad", "12 Tallow Street"),
        ("they know i am on 4b old mill rd", "ad", "4b old mill rd"),
        ("he waited in Tallow Lane", "ad", "Tallow Lane"),
        ("at Flat 3, Weir Court, after ten", "bl", "Flat 3, Weir Court"),
        ("he knows it is room 12", "bl", "room 12"),
        ("I'm 24 and new here", "ag", "I'm 24"),
        ("she is a worker aged 31", "ag", "aged 31"),
        ("my daughter saw, she's seven", "ag", "she's seven"),
        ("born 3 March 1990", "ag", "born 3 March 1990"),
        ("出生日期：1990年3月生", "ag", "1990年3月生"),
        ("I am deaf and sign", "sd", "I am deaf and sign"),
        ("I am the only redhead in town", "sd", "the only redhead in town"),
        ("he saw my rose tattoo", "sd", "my rose tattoo"),
        ("police gave me CAD 1234/01JAN26", "cr", "CAD 1234/01JAN26"),
        ("crime number 35/12345/26", "cr", "35/12345/26"),
        ("my real name is Nell Arkwright", "rn", "Nell Arkwright"),
        ("my friend Petra was there", "rn", "Petra"),
        ("my advert www.listings.example/nell", "ur", "www.listings.example/nell"),
        ("ring my mum on 01632 960142", "ph", "01632 960142"),
        ("that one is my car KZ12 ABC", "rg", "KZ12 ABC"),
    ],
)
def test_identifying_details_of_the_reporter_are_hidden(text: str, kind: str, words: str) -> None:
    assert (kind, words) in hidden(text)


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("he rang from 07700 900456", "ph", "07700 900456"),
        ("his email is grey.man@example.net", "em", "grey.man@example.net"),
        ("he goes by @grey_man on there", "hd", "@grey_man"),
        ("he drove off in a van, KZ12 ABC", "rg", "KZ12 ABC"),
        ("对方电话07700 900456", "ph", "07700 900456"),
    ],
)
def test_identifiers_of_the_alleged_offender_are_kept(text: str, kind: str, words: str) -> None:
    assert kept(text, KNOWN) == [(kind, words)]
    assert hidden(text, KNOWN) == []


@pytest.mark.parametrize(
    "text",
    [
        "White, about 50, tall, scar on his chin, came on Friday at 10pm and would not pay",
        "I'm 10 minutes from the station, he was 6 foot 2 and paid £50 deposit by bank",
        "he is the only one who paid, in Leeds, LS11",
        "",
    ],
)
def test_descriptions_times_and_towns_are_left_alone(text: str) -> None:
    assert suggest(text, {}) == []


def test_only_the_end_of_a_postcode_is_hidden() -> None:
    assert hidden("near LS11 8ZQ", KNOWN) == [("pc", "8ZQ")]


def test_a_name_inside_a_longer_word_is_not_taken_for_the_name() -> None:
    assert hidden("the vegan cafe", {"working_name": ["Vega"]}) == []
    assert hidden("我叫小雨，今天", {"working_name": ["小雨"]}) == [("wn", "小雨")]


def test_a_part_of_a_name_that_is_a_common_word_needs_its_capital() -> None:
    assert hidden("he rose and Rose ran", {"working_name": ["Rose Hartley"]}) == [("wn", "Rose")]


def test_overlapping_rules_hide_everything_that_either_matches() -> None:
    text = "at no 40 tallow street"

    assert suggest(text, {})[0].start == text.index("no")
    assert suggest(text, {})[0].end == len(text)


def test_a_kept_identifier_never_shows_what_is_to_be_hidden() -> None:
    text = "his email is marisol@example.org"

    assert kept(text, KNOWN) == []
    assert hidden(text, KNOWN) == [("em", "marisol@example.org")]


def test_a_suggestion_has_exactly_the_fields_the_command_writes() -> None:
    assert Suggestion.__slots__ == ("start", "end", "kind", "action", "why")


@pytest.mark.parametrize(
    "stuff", ["a", "a.", "0 ", "07", "@a", "a_", "my ", "A ", "Aa ", "at a ", "one ", "12 a ", "中", "ref "]
)
def test_a_long_hostile_text_costs_no_minutes_of_computing(stuff: str) -> None:
    # Computing time of this thread, which does not grow while the machine is busy. It takes about a second; a pattern
    # that tries every way to divide the text would take hours.
    before = time.thread_time()

    suggest(stuff * (32_000 // len(stuff)), KNOWN)

    assert time.thread_time() - before < 60
