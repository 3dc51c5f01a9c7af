"""Folding: ways to write the same thing compare equal, and offsets stay valid where they have to."""

import unicodedata

import pytest
from hypothesis import given, strategies as st

from ugly_mugs.text.folding import (
    ascii_forms,
    fold,
    fold_character,
    fold_in_place,
    without_accents,
    without_invisible,
)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Três", "tres"),
        ("ȘAPTE", "sapte"),
        ("Straße", "strasse"),
        ("ＤＯＵＢＬＥ", "double"),
        ("Leeds", "leeds"),
    ],
)
def test_case_accents_and_width_do_not_count(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_accents_go_without_the_case() -> None:
    assert without_accents("São João, ﬁ") == "Sao Joao, fi"


@given(st.text())
def test_a_text_without_accents_has_none_to_lose(text: str) -> None:
    once = without_accents(text)

    assert without_accents(once) == once
    assert not any(unicodedata.combining(c) for c in once)


@given(st.text(alphabet=st.characters(max_codepoint=0x24F)))
def test_composed_and_decomposed_text_fold_alike(text: str) -> None:
    composed, decomposed = unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)

    assert fold(composed) == fold(decomposed)


@pytest.mark.parametrize(
    ("character", "folded"),
    [
        ("Ø", "o"),
        ("ß", "ss"),
        ("Æ", "ae"),
        ("７", "7"),
        ("٧", "7"),
        ("\u200d", ""),
        ("\u20e3", ""),
        ("É", "e"),
    ],
)
def test_a_character_is_what_a_person_reads(character: str, folded: str) -> None:
    assert fold_character(character) == folded


@given(st.characters())
def test_no_mark_is_left_of_a_character(character: str) -> None:
    assert not {"Mn", "Me", "Cf"} & {unicodedata.category(c) for c in fold_character(character)}


@given(st.text())
def test_an_offset_in_the_folded_text_is_one_in_the_text(text: str) -> None:
    assert len(fold_in_place(text)) == len(ascii_forms(text)) == len(text)


@given(st.text(), st.text())
def test_each_code_point_is_folded_by_itself(first: str, second: str) -> None:
    assert fold_in_place(first + second) == fold_in_place(first) + fold_in_place(second)
    assert ascii_forms(first + second) == ascii_forms(first) + ascii_forms(second)


def test_digits_signs_and_spaces_of_any_script_become_ascii_and_letters_stay() -> None:
    assert ascii_forms("＋44\u00a0٧７00 São") == "+44 7700 São"
    assert ascii_forms("ａ＠ｂ．example") == "a@b.example"


@given(st.text())
def test_what_has_ascii_forms_already_stays(text: str) -> None:
    assert ascii_forms(ascii_forms(text)) == ascii_forms(text)


def test_direction_marks_go() -> None:
    assert without_invisible("\u202a07700 900123\u202c") == "07700 900123"
