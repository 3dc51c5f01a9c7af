"""Tokens: equal for words that a person reads as equal, with their offsets in the text."""

import pytest
from hypothesis import given, strategies as st

from reporting.redaction.tokeniser import plain_stream, spoken_stream, tokens
from ugly_mugs.text.folding import fold_character


def spoken(text: str) -> list[str]:
    return [token.text for token in spoken_stream(plain_stream(text)).tokens]


def test_words_and_numbers_are_separated_in_any_layout() -> None:
    assert [token.text for token in tokens("Ｌeeds, flat4b — É\u200dva")] == [
        "leeds",
        "flat",
        "4",
        "b",
        "eva",
    ]


def test_a_script_without_spaces_gives_a_token_for_each_character() -> None:
    assert [token.text for token in tokens("我在Leeds。")] == ["我", "在", "leeds"]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("double oh nine", ["00", "9"]),
        ("call 9oo123", ["call", "900123"]),
        ("look", ["look"]),
        ("twenty-three and twenty", ["23", "and", "20"]),
        ("três seven", ["3", "7"]),
        ("double room", ["double", "room"]),
        ("fifteen", ["15"]),
    ],
)
def test_digits_in_words_are_read(text: str, read: list[str]) -> None:
    assert spoken(text) == read


@given(st.text())
def test_each_token_equals_the_folded_text_at_its_offsets(text: str) -> None:
    end = 0
    for token in tokens(text):
        folded = "".join(map(fold_character, text[token.start : token.end]))
        assert token.text == "".join(c for c in folded if c.isalnum())
        assert end <= token.start < token.end
        end = token.end


@given(
    st.lists(st.sampled_from("double treble oh 9 9oo l0 twenty three seven booked ,".split())).map(" ".join)
)
def test_reading_digits_keeps_the_order_and_offsets_of_tokens(text: str) -> None:
    stream = spoken_stream(plain_stream(text))

    at = 0
    for token in stream.tokens:
        assert stream.place(at, at + len(token.text)) == (token.start, token.end)
        at += len(token.text)
    assert [token.start for token in stream.tokens] == sorted({token.start for token in stream.tokens})
