"""The leak check finds what is known about a reporter in any spelling, and accepts everything else."""

from itertools import pairwise

import pytest
from hypothesis import example, given, settings, strategies as st

from reporting.redaction.leak_check import Leak, check

pytestmark = pytest.mark.usefixtures("in_english")

KNOWN = {
    "working_name": ["Marisol Vega", "Lady Rose"],
    "name": ["Jo"],
    "phone": ["07700 900123"],
    "email": ["mari.vega@example.org"],
    "profile_url": ["https://www.listings.example/marisol-vega-leeds"],
    "postcode": ["LS11 8ZQ"],
    "reference": ["CAD 7741 of 5/3"],
    "other": ["the blue door in Mill Lane 12"],
}
ALERT = (
    "It is reported that a man who calls himself Example took money back and would not leave. About 40, tall, scar on "
    "the chin, northern voice. Grey van, AB12 CDE. He rings from 07700 900456 and writes as bad.client@example.com. "
    "Hotel in Leeds, first week of March, in the evening. If he books with you, think twice, and tell us."
)


def kinds(
    text: str, known: dict[str, list[str]] | None = None, removed: list[str] | None = None
) -> list[str]:
    return [leak.kind for leak in check(text, KNOWN if known is None else known, removed or [])]


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        ("working_name", "marisol"),
        ("working_name", "MARISOL-VEGA's"),
        ("working_name", "marisols"),
        ("working_name", "Márisól"),
        ("working_name", "Ｍａｒｉｓｏｌ"),
        ("working_name", "#MarisolVega95"),
        ("working_name", "mari\u200bsol"),
        ("working_name", "Rose"),
        ("name", "Jo’s"),
        ("phone", "07700900123"),
        ("phone", "+44 (0)7700-900-123"),
        ("phone", "a number ending in 900123"),
        ("phone", "０７７００　９００１２３"),
        ("phone", "0️⃣7️⃣7️⃣0️⃣0️⃣9️⃣0️⃣0️⃣1️⃣2️⃣3️⃣"),
        ("phone", "O77OO 9oo123"),
        ("phone", "oh seven seven double-oh nine double-oh one two three"),
        ("phone", "077 double oh 900 one two 3"),
        ("phone", "9\n0\n0\n1\n2\n3"),
        ("email", "Mari.Vega@Example.org"),
        ("email", "mari.vega [at] example [dot] org"),
        ("email", "mari dot vega at example dot org"),
        ("email", "@mari_vega"),
        ("profile_url", "http://listings.example/Marisol-Vega-Leeds/"),
        ("profile_url", "listings dot example slash marisol-vega-leeds"),
        ("profile_url", "marisolvegaleeds"),
        ("postcode", "8zq"),
        ("postcode", "LS118ZQ"),
        ("postcode", "eight zq"),
        ("reference", "CAD7741"),
        ("reference", "case 7741"),
        ("other", "The Blue Door in Mill-Lane 12"),
        ("other", "Mill"),
        ("other", "twelve"),
    ],
)
def test_known_values_are_found_in_any_spelling(kind: str, written: str) -> None:
    assert kind in kinds(f"It is reported: {written}, later")


def test_a_real_alert_has_no_leak() -> None:
    assert check(ALERT, KNOWN, ["I told him that my sister Anna waits", "the"]) == []


@pytest.mark.parametrize(
    "text",
    [
        "in 2012",
        "join us",
        "an email",
        "at 8 we",
        "07700 900124",
        "rosemary",
        "lane closed"[5:],
        "",
        "[…] […]",
    ],
)
def test_similar_text_is_no_leak(text: str) -> None:
    assert check(text, KNOWN, []) == []


def test_a_leak_has_its_span_and_a_reason() -> None:
    text = "He said “Marisol” twice."

    (leak,) = check(text, KNOWN, [])

    assert leak == Leak("working_name", 9, 16, leak.why, "Marisol")
    assert text[leak.start : leak.end] == "Marisol"
    assert "working name" in leak.why


class TestRemoved:
    def test_every_distinctive_word_of_a_hidden_phrase_is_found(self) -> None:
        leaks = check("Annas sister in Hull, number 7", {}, ["my sister Anna's flat 7 in Hull"])

        assert [leak.text for leak in leaks] == ["Annas", "sister", "Hull", "7"]

    def test_common_words_of_a_hidden_phrase_are_no_leak(self) -> None:
        assert kinds("He was in the house with me", {}, ["and the man was in my house"]) == []

    def test_a_hidden_phrase_of_common_words_is_found_as_a_whole(self) -> None:
        assert kinds("behind the green door", {}, ["the green door"]) == ["removed"]

    @pytest.mark.parametrize("written", ["23", "twenty-three", "twenty three", "two three"])
    def test_a_hidden_number_is_found_in_words(self, written: str) -> None:
        assert kinds(f"somebody of {written} years", {}, ["I'm 23"]) == ["removed"]

    def test_a_hidden_number_written_in_words_is_found_in_figures(self) -> None:
        assert kinds("aged 23", {}, ["twenty-three"]) == ["removed"]

    def test_a_hidden_phone_number_does_not_forbid_the_offenders(self) -> None:
        assert kinds("He rings from 07700 900456", {}, ["my other number, 07700 900789"]) == []

    def test_an_identifier_meant_for_the_alert_is_no_leak_because_it_was_hidden(self) -> None:
        text, hidden = "He rings from 07700 900456", ["07700 900456"]

        assert kinds(text, {}, hidden) == ["removed"]
        assert check(text, {}, hidden, released=["+447700900456"]) == []

    def test_an_identifier_meant_for_the_alert_is_a_leak_when_it_is_the_reporters(self) -> None:
        known = {"phone": ["07700 900456"]}

        leaks = check("He rings from 07700 900456", known, [], released=["07700 900456"])

        assert [leak.kind for leak in leaks] == ["phone"]

    def test_a_word_in_a_name_meant_for_the_alert_is_no_leak(self) -> None:
        text, hidden = "He writes as hull_client", ["near Hull"]

        assert check(text, {}, hidden, released=["hull_client"]) == []

    def test_a_bare_username_meant_for_the_alert_is_no_leak_because_it_was_hidden(self) -> None:
        assert check("He writes as nightowl.", {}, ["nightowl"], released=["nightowl"]) == []
        assert check("A nightowl himself", {}, ["nightowl"], released=["07700 900456"]) != []

    def test_chinese_words_are_found_and_single_characters_are_not(self) -> None:
        assert kinds("她叫小美丽。", {}, ["小美丽"]) == ["removed"]
        assert kinds("他很小。", {}, ["小美丽"]) == []


# Text around a value, without digits, which next to a number would make it another number.
AROUND = st.text(st.characters(exclude_categories=["Nd", "Nl", "No", "Cs"]), max_size=30).map(
    lambda text: text.replace("\\", "/")
)


def set_apart(value: str, before: str, after: str) -> str:
    return f"{before} {value} {after}"


@st.composite
def phone_layouts(draw: st.DrawFn) -> tuple[str, str]:
    """A reserved fictional phone number and one spelling of it, or of its last digits."""
    last = draw(st.integers(0, 999))
    digits = f"07700900{last:03}"
    start = draw(st.sampled_from([0, 1, 3, 5]))
    shown = digits[start:]
    if draw(st.booleans()):
        names = ["oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
        shown_parts = [names[int(d)] if draw(st.booleans()) else d for d in shown]
        return digits, " ".join(shown_parts)
    gaps = draw(
        st.lists(st.sampled_from(["", " ", "-", ".", "/", " - ", "\u00a0", ")("]), min_size=len(shown))
    )
    written = "".join(digit + gap for digit, gap in zip(shown, gaps, strict=False))
    if draw(st.booleans()):
        written = "".join(chr(ord("０") + int(c)) if c.isdecimal() else c for c in written)
    return digits, written


NAMES = st.sampled_from(["Marisol Vega", "Zoë", "Đặng", "Ştefania", "小美", "Bianca-Lou", "Luna 22"])
EMAILS = st.sampled_from(["mari.vega@example.org", "zoe_x@mail.example.com", "l33na@example.net"])
CASES = st.sampled_from([str.upper, str.lower, str.title, lambda text: text])


@settings(max_examples=150)
@given(phone_layouts(), AROUND, AROUND)
@example(("07700900123", "0 7 7 0 0 9 0 0 1 2 3"), "double", "o")
def test_a_known_phone_is_found_in_any_layout_anywhere(
    layout: tuple[str, str], before: str, after: str
) -> None:
    digits, written = layout

    # The "x" separates the number from words for digits in the surrounding text.
    text = set_apart(written, f"{before} x", f"x {after}")

    assert "phone" in kinds(text, {"phone": [digits]})


@settings(max_examples=150)
@given(NAMES, CASES, st.sampled_from(["", "'s", "’s", "s", "!", "…"]), AROUND, AROUND)
def test_a_working_name_is_found_anywhere(
    name: str, case: object, behind: str, before: str, after: str
) -> None:
    assert callable(case)

    text = set_apart(case(name) + behind, before, after)

    assert "working_name" in kinds(text, {"working_name": [name]})


@settings(max_examples=150)
@given(
    EMAILS,
    CASES,
    st.sampled_from(["@", " @ ", "(at)", " [at] ", " at ", " arroba "]),
    st.sampled_from([".", " . ", "(dot)", " dot ", " ponto "]),
    AROUND,
    AROUND,
)
def test_a_known_email_is_found_in_any_layout_anywhere(
    email: str, case: object, at: str, dot: str, before: str, after: str
) -> None:
    assert callable(case)
    written = case(email).replace("@", "\0").replace(".", dot).replace("\0", at)

    assert "email" in kinds(set_apart(written, before, after), {"email": [email]})


@settings(max_examples=100)
@given(
    st.sampled_from(["https://listings.example/ads/leonie-x", "www.leonie-x.example", "t.me/leonie_x"]),
    st.sampled_from(["", "http://", "https://", "https://www."]),
    st.sampled_from(["", "/", "?from=1"]),
    AROUND,
    AROUND,
)
def test_a_known_link_is_found_with_and_without_its_scheme(
    link: str, scheme: str, end: str, before: str, after: str
) -> None:
    bare = link.removeprefix("https://").removeprefix("www.")

    leak_kinds = kinds(set_apart(scheme + bare + end, before, after), {"profile_url": [link]})

    assert "profile_url" in leak_kinds


@settings(max_examples=150)
@given(st.text(max_size=200))
def test_leaks_never_overlap_and_always_are_slices_of_the_text(text: str) -> None:
    text += " marisol 900123 mill lane"

    leaks = check(text, KNOWN, ["my sister Anna, 12"])

    assert leaks
    assert all(text[leak.start : leak.end] == leak.text for leak in leaks)
    assert all(one.end <= other.start for one, other in pairwise(leaks))


@settings(max_examples=15)
@given(st.sampled_from("0123456789"), st.integers(4_000, 5_000), st.integers(0, 5_000))
@example("0", 5_000, 5_000)
@example("7", 5_000, 0)
def test_a_number_of_any_length_is_read(digit: str, length: int, zeros: int) -> None:
    """Python's `int` refuses more than 4,300 digits, and a form may contain more."""
    written = digit * length
    text = f"He says {'0' * zeros}{written} and one two {' '.join(written[:20])}."

    assert kinds(text, {"reference": [written], "other": [f"room {written}"]}, [written])
    assert kinds(text, {}, ["Elm Row 4321"]) == []


def test_leading_zeros_do_not_change_a_number() -> None:
    assert kinds("room 0012", {"other": ["room 12"]}) == ["other"]
    assert kinds("it is 1200", {"other": ["room 12"]}) == []
    assert kinds("it is 0123", {"phone": ["123"]}) == ["phone"]
    assert kinds("it is 000", {"reference": ["0000"]}) == ["reference"]


@settings(max_examples=100)
@given(st.lists(st.sampled_from(ALERT.replace("AB12 CDE", "").split()), max_size=60))
def test_words_unrelated_to_the_reporter_are_no_leak(words: list[str]) -> None:
    assert check(" ".join(words), KNOWN, ["Anna waits", "9 Elm Row"]) == []
