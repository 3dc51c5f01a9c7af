"""The word list and how typed words are read."""

from itertools import pairwise

import pytest
from hypothesis import given, settings, strategies as st

from ugly_mugs.vault import UnknownWord, WrongLength
from ugly_mugs.vault.words import WORDS, nearest, phrase, plain_letters, read, squeezed


def test_the_list_has_7776_different_words_of_plain_letters() -> None:
    assert len(WORDS) == len(set(WORDS)) == 7_776
    assert all(word.isascii() and word.isalpha() and word.islower() for word in WORDS)


def test_no_word_is_a_prefix_of_another_so_words_typed_without_spaces_are_unambiguous() -> None:
    # In a sorted list a prefix of any word is also a prefix of its direct successor.
    assert list(WORDS) == sorted(WORDS)
    assert not any(later.startswith(word) for word, later in pairwise(WORDS))


def test_a_phrase_has_the_requested_number_of_words_and_is_random() -> None:
    assert len(phrase(6).split()) == 6
    assert set(phrase(6).split()) <= set(WORDS)
    assert phrase(6) != phrase(6)


@pytest.mark.parametrize(
    ("typed", "meant"), [("acrobt", "acrobat"), ("UMBRELA", "umbrella"), ("Cárwash", "carwash")]
)
def test_a_misspelt_word_is_recognised(typed: str, meant: str) -> None:
    assert meant in nearest(typed)
    assert len(nearest(typed)) <= 3


def test_only_the_beginning_of_a_long_input_is_compared() -> None:
    longest = max(WORDS, key=len)

    # Compared whole, a million letters would be similar to no word.
    assert longest in nearest(longest + "z" * 1_000_000)


@given(st.text())
@settings(max_examples=200)
def test_reading_any_text_gives_indices_or_a_known_error(text: str) -> None:
    try:
        assert len(read(text, 7, digits=True)) == 7
    except UnknownWord as error:
        assert error.position >= 1
        assert error.word not in WORDS
    except WrongLength as error:
        assert error.found != error.expected


@given(st.text())
def test_squeezing_twice_changes_nothing_more(text: str) -> None:
    once = squeezed(text)

    assert squeezed(once) == once
    assert " " not in once
    assert "-" not in once


def test_letters_with_accents_are_read_as_letters_without() -> None:
    assert plain_letters("ÀcröBAT") == "acrobat"
