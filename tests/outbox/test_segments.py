"""SMS parts: the count holds against a second one written another way, and downgrading never costs a part."""

import unicodedata

import pytest
from hypothesis import example, given, strategies as st

from tests.make.languages import PORTUGUESE, ROMANIAN, WELSH, add_languages
from ugly_mugs.outbox.segments import compose, count, downgrade

GSM_ALPHABET = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
ESCAPED = "^{}\\[~]|€"

texts = st.one_of(
    st.text(alphabet=GSM_ALPHABET + ESCAPED, max_size=700),
    st.text(alphabet="a€", max_size=700),
    st.text(alphabet="a中😀", max_size=400),
    st.text(max_size=400),
)


@pytest.fixture(autouse=True)
def more_languages(monkeypatch: pytest.MonkeyPatch) -> None:
    add_languages(monkeypatch, PORTUGUESE, ROMANIAN, WELSH)


def second_count(text: str) -> tuple[str, int, int]:
    """Writes the text as it goes over the air and cuts the units into parts, backing off where a pair opens."""
    if set(text) <= set(GSM_ALPHABET + ESCAPED):
        units = [unit for c in text for unit in (["escape", c] if c in ESCAPED else [c])]
        encoding, whole, part = "GSM-7", 160, 153
    else:
        raw = text.encode("utf-16-be", "surrogatepass")
        units = ["escape" if 0xD8 <= raw[i] <= 0xDB else "unit" for i in range(0, len(raw), 2)]
        encoding, whole, part = "UCS-2", 70, 67
    if len(units) <= whole:
        return encoding, min(len(units), 1), len(units)
    parts, at = 0, 0
    while at < len(units):
        cut = at + part
        if cut < len(units) and units[cut - 1] == "escape":
            cut -= 1
        parts, at = parts + 1, cut
    return encoding, parts, len(units)


@given(texts)
@example("a" * 152 + "€" + "a" * 152)
@example("a" * 66 + "😀" * 40)
@example("€" * 77 + "a" * 152)
def test_the_count_agrees_with_an_independent_one(text: str) -> None:
    counted = count(text)

    assert (counted.encoding, counted.segments, counted.units) == second_count(text)
    assert counted.text == text


def test_the_alphabet_has_its_127_characters_and_the_extension_its_nine() -> None:
    assert all(count(c).encoding == "GSM-7" and count(c).units == 1 for c in GSM_ALPHABET)
    assert len(set(GSM_ALPHABET)) == 127  # the 128th is the escape itself
    assert all(count(c).encoding == "GSM-7" and count(c).units == 2 for c in ESCAPED)


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("", 0),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("中" * 70, 1),
        ("中" * 71, 2),
        ("中" * 134, 2),
        ("😀" * 35, 1),
        ("ç" + "a" * 70, 2),
    ],
)
def test_known_lengths(text: str, segments: int) -> None:
    assert count(text).segments == segments


def test_a_pair_is_never_cut_in_two_so_dividing_would_be_one_part_short() -> None:
    escapes = "€" * 153
    surrogates = "😀" * 67

    assert count(escapes).units == 2 * 153 and count(escapes).segments == 3
    assert count(surrogates).units == 2 * 67 and count(surrogates).segments == 3


def test_typographic_signs_become_plain_ones() -> None:
    assert downgrade("“Don’t” – he said…\u00a0ok\u200b\ufeff • 2×") == '"Don\'t" - he said... ok - 2x'


def test_accents_the_alphabet_has_stay_and_others_go_where_they_may() -> None:
    assert downgrade("café naïve Zoë", "en") == "café naive Zoe"
    assert downgrade("um homem não pagou à São", "pt") == "um homem nao pagou à Sao"
    assert downgrade("bărbat în mașină, ţară", "ro") == "barbat in masina, tara"


@pytest.mark.parametrize("language", ["cy", "hu", "vi", "zh"])
def test_accents_stay_where_a_word_would_become_another(language: str) -> None:
    assert downgrade("tŵr", language) == "tŵr"


def test_a_decomposed_accent_counts_as_the_letter_it_is() -> None:
    assert compose(unicodedata.normalize("NFD", "café")).units == 4


def test_a_text_that_stays_ucs_2_keeps_its_accents_and_quotes() -> None:
    text = "Tânără 中 “aici” 👩\u200d🚒"

    assert downgrade(text, "ro") == text


@given(texts, st.sampled_from(["en", "pt", "ro", "zh", "cy"]))
def test_downgrading_twice_changes_nothing_and_never_costs_a_part(text: str, language: str) -> None:
    once = downgrade(text, language)

    assert downgrade(once, language) == once
    assert count(once).segments <= count(text).segments


@given(texts)
def test_a_downgraded_text_hides_no_marks(text: str) -> None:
    hidden = {c for c in downgrade(text) if unicodedata.category(c) in ("Cf", "Cc")}

    assert hidden <= {"\n", "\t", "\u200c", "\u200d"}


@given(st.text(alphabet=GSM_ALPHABET.replace("\r", "") + ESCAPED))
def test_a_text_in_the_alphabet_is_left_alone(text: str) -> None:
    assert compose(text).text == text
