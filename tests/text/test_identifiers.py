"""Identifiers: many layouts, one normal form; nothing found that was not there."""

import re
import sys
from itertools import pairwise
from types import FrameType

import pytest
from hypothesis import given, strategies as st

from ugly_mugs.text.identifiers import (
    IdentifierKind,
    NotAnIdentifier,
    email,
    find,
    is_mobile,
    mask,
    mobile,
    normalise,
)

PHONE, EMAIL, HANDLE, PLATE = IdentifierKind

DRAMA = st.integers(0, 999).map(lambda n: f"7700900{n:03d}")
PREFIX = st.sampled_from(
    ["0", "+44", "+44 ", "0044", "00 44 ", "+44 (0)", "+44(0) ", "0044 (0)", "+440", "44 "]
)
GAP = st.sampled_from(["", " ", "-", ".", "/", "  ", " - ", "\u2013", "\n", "\u00a0", "\u200b"])


@st.composite
def written_phones(draw: st.DrawFn) -> tuple[str, str]:
    """A drama number as E.164, and as somebody may write it: prefix, groups, gaps, full-width figures."""
    national = draw(DRAMA)
    cuts = sorted(draw(st.sets(st.integers(1, 9), max_size=3)))
    groups = [national[a:b] for a, b in zip([0, *cuts], [*cuts, 10], strict=True)]
    gaps = [draw(GAP) for _ in cuts]
    body = groups[0] + "".join(gap + group for gap, group in zip(gaps, groups[1:], strict=True))
    text = draw(PREFIX) + body
    if draw(st.booleans()):
        text = text.translate({ord(c): ord(c) + 0xFEE0 for c in "0123456789"})
    return f"+44{national}", text


@given(
    written_phones(),
    st.sampled_from(["", "ring ", "电话", "tel:", "(", "a number, "]),
    st.sampled_from(["", ".", " ok", "。", ")"]),
)
def test_a_phone_is_found_in_any_layout_with_its_exact_place(
    phone: tuple[str, str], before: str, after: str
) -> None:
    e164, written = phone

    found = find(before + written + after)

    assert [(f.kind, f.normalised) for f in found] == [(PHONE, e164)]
    assert (before + written + after)[found[0].start : found[0].end] == found[0].text == written


@given(written_phones())
def test_a_field_and_a_free_text_give_a_phone_the_same_form(phone: tuple[str, str]) -> None:
    e164, written = phone

    assert normalise(PHONE, written) == e164 == mobile(written)


@given(st.lists(DRAMA, min_size=2, max_size=4), st.sampled_from([" ", ", ", "\n", "/", " / ", " or "]))
def test_numbers_in_a_row_stay_apart(numbers: list[str], between: str) -> None:
    text = between.join(f"0{n[:4]} {n[4:]}" for n in numbers)

    assert [f.normalised for f in find(text)] == [f"+44{n}" for n in numbers]


@pytest.mark.parametrize(
    "written",
    [
        "zero seven seven zero zero nine zero zero three five nine",
        "Oh seven seven, double-oh nine double-oh three five nine",
        "zero sete sete zero zero nove zero zero três cinco nove",
        "zero șapte șapte zero zero nouă zero zero trei cinci nouă",
        "零七七零零九零零三五九",
        "0️⃣7️⃣7️⃣0️⃣0️⃣9️⃣0️⃣0️⃣3️⃣5️⃣9",
    ],
)
def test_a_number_written_as_words_is_found(written: str) -> None:
    text = f"my number is {written}, thanks"

    assert [(f.text, f.normalised) for f in find(text)] == [(written, "+447700900359")]


@pytest.mark.parametrize(
    "text",
    [
        "on 01.02.2025 11:30",
        "01/02/2025 07",
        "2025-02-01 10:30",
        "Ref CAD 8841/10FEB25",
        "35/44821/25",
        "2500118842",
        "CRI/06GG/0031178/25",
        "£150 at 10pm, 2 of them, 5ft 10",
        "one two three, four of them",
        "meet me at home or in M1 and LE11 and then B12",
        "at12 and in24 the end",
    ],
)
def test_dates_references_and_prices_are_no_identifiers(text: str) -> None:
    assert find(text) == []


@given(st.text())
def test_what_is_found_in_any_text_lies_in_order_and_apart(text: str) -> None:
    found = find(text)

    assert all(a.end <= b.start for a, b in pairwise(found))
    assert all(text[f.start : f.end] == f.text and f.normalised for f in found)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("ring +40 721 234 567 tonight", "+40721234567"),
        ("ring 0040721234567", "+40721234567"),
        ("(+33) 1 70 18 99 00", "+33170189900"),
        ("+33.1.70.18.99.00 ext. 12", "+33170189900"),
        ("+40 721 234 567/+33 1 70 18 99 00", "+40721234567"),
        (f"{'00 ' * 5000}and +40 721 234 567", "+40721234567"),
    ],
)
def test_a_number_of_another_country_is_found(text: str, number: str) -> None:
    assert number in [each.normalised for each in find(text)]


def steps(text: str) -> int:
    """How many functions are entered while a text is searched: the work, whatever else the machine does."""
    entered = 0

    def count(_frame: FrameType, event: str, _what: object) -> None:
        nonlocal entered
        entered += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        find(text)
    finally:
        sys.setprofile(before)
    return entered


@pytest.mark.parametrize("unit", ["00 ", "(00) ", "+ ", "+00 ", "0 "])
def test_figures_that_begin_like_a_number_and_are_none_cost_next_to_nothing(unit: str) -> None:
    text = unit * 3000

    assert steps(text) < 3000


@pytest.mark.parametrize(
    "unit", ["00 1 ", "+12345678 ", "2012-01-02 08 +1234567", "+40 721 234 567 ", "1/+1-1 "]
)
def test_twice_as_much_text_is_at_most_twice_the_work(unit: str) -> None:
    steps(unit * 10)  # The library compiles what it needs once.

    assert steps(unit * 800) < 2.2 * steps(unit * 400)


@given(st.sampled_from(IdentifierKind), st.text(alphabet="+0123456789 ()abCZ@._-/é０", max_size=30))
def test_a_normal_form_is_stable_and_everything_else_is_refused_with_a_reason(
    kind: IdentifierKind, text: str
) -> None:
    try:
        once = normalise(kind, text)
    except NotAnIdentifier as refused:
        assert len(str(refused)) > 20
    else:
        assert normalise(kind, once) == once


@pytest.mark.parametrize(
    "typed",
    ["", "call me", "12", "07700 9001", "07700 900123 ask for Joe", "0800 FLOWERS", "+44", "07700 9001234"],
)
def test_what_is_no_phone_number_is_refused(typed: str) -> None:
    with pytest.raises(NotAnIdentifier):
        normalise(PHONE, typed)


def test_a_number_copied_from_a_contact_list_keeps_no_direction_marks() -> None:
    assert mobile("\u202a+44 7700 900123\u202c") == "+447700900123"


@pytest.mark.parametrize(
    "typed", ["087 123 4567", "+353 87 123 4567", "00353871234567", "+353 (0)87 1234567"]
)
def test_an_irish_mobile_is_known_without_its_country_code(typed: str) -> None:
    assert mobile(typed) == "+353871234567"


@pytest.mark.parametrize(
    ("e164", "answer"),
    [
        ("+447700900999", True),  # drama
        ("+447797712345", True),  # Jersey
        ("+447781123456", True),  # Guernsey
        ("+447624123456", True),  # Isle of Man, within the pagers' range
        ("+447123456789", True),
        ("+353831234567", True),
        ("+447012345678", False),  # personal numbers
        ("+447612345678", False),  # pagers
        ("+442079460331", False),
        ("+441534123456", False),  # Jersey landline
        ("+35312345678", False),
        ("+40721234567", False),
        ("+4477009001", False),
    ],
)
def test_a_mobile_is_told_by_its_range(e164: str, answer: bool) -> None:
    assert is_mobile(e164) is answer


def test_a_landline_is_refused_because_a_text_to_it_is_read_out_loud() -> None:
    with pytest.raises(NotAnIdentifier, match="read out loud"):
        mobile("020 7946 0331")


def test_a_mobile_from_elsewhere_is_refused_with_the_countries_we_can_text() -> None:
    with pytest.raises(NotAnIdentifier, match="Ireland"):
        mobile("+40 721 234 567")


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        (" Ana.Work@Example.ORG ", "ana.work@example.org"),
        ("mailto:ana@example.org", "ana@example.org"),
        ("ana+night@mail.example.org", "ana+night@mail.example.org"),
        ("ana@exämple.org", "ana@xn--exmple-cua.org"),
        ("ａna＠example.org", "ana@example.org"),
    ],
)
def test_an_address_is_written_one_way(typed: str, address: str) -> None:
    assert email(typed) == address


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "ana",
        "ana@",
        "@example.org",
        "ana@example",
        "a na@example.org",
        "ana@example..org",
        ".ana@example.org",
    ]
    + ["ana.@example.org", "a..b@example.org", "ana@-x.example", "ana@example.org\nBcc: all@example.org"]
    + [
        "ana@example.org, eve@example.org",
        "é@example.org",
        f"{'a' * 65}@example.org",
        f"a@{'b' * 63}.{'c.' * 99}org",
    ],
)
def test_an_address_nobody_could_write_to_is_refused(typed: str) -> None:
    with pytest.raises(NotAnIdentifier):
        email(typed)


@pytest.mark.parametrize(
    "written",
    [
        "ana@example.org",
        "ana [at] example [dot] org",
        "ana(at)example.org",
        "ana at example dot org",
        "Ana@Example.org",
    ]
    + ["ana a rond example punct org", "ana arroba example ponto org", "ana 艾特 example 点 org"],
)
def test_an_address_is_found_however_it_is_hidden_from_machines(written: str) -> None:
    assert [(f.kind, f.text, f.normalised) for f in find(f"邮箱{written}, ta")] == [
        (EMAIL, written, "ana@example.org")
    ]


@pytest.mark.parametrize(
    "typed",
    ["@Some_Name", "some_name", "https://www.instagram.com/Some_Name/", "t.me/some_name", "＠some_name"],
)
def test_a_username_has_one_form_with_or_without_its_sign_or_link(typed: str) -> None:
    assert normalise(HANDLE, typed) == "some_name"


def test_usernames_are_found_by_their_sign_or_an_underscore() -> None:
    text = "insta @a.name.x. or wes_potteries, not a@example.org"

    assert [(f.kind, f.text) for f in find(text)] == [
        (HANDLE, "@a.name.x"),
        (HANDLE, "wes_potteries"),
        (EMAIL, "a@example.org"),
    ]


@pytest.mark.parametrize("typed", ["kz12 abc", "KZ12ABC", "kz 12 abc", "KZ12-ABC", " k z12abc "])
def test_spaces_and_case_do_not_count_in_a_plate(typed: str) -> None:
    assert normalise(PLATE, typed) == "KZ12ABC"


@pytest.mark.parametrize("plate", ["KZ12 ABC", "P417 WQZ", "HQI 284N", "AIZ 1234", "241-D-12345", "kz12abc"])
def test_plates_of_both_countries_are_found(plate: str) -> None:
    assert [(f.kind, f.text) for f in find(f"in a red car, {plate}.")] == [(PLATE, plate)]


@pytest.mark.parametrize("typed", ["", "red car", "KZ12 ABCD", "12345678", "ABCDEFG"])
def test_what_is_no_plate_is_refused(typed: str) -> None:
    with pytest.raises(NotAnIdentifier):
        normalise(PLATE, typed)


@given(
    st.sampled_from(["+447700900123", "+353871234567"]),
    st.from_regex(r"[a-z]{4,9}@[a-z]{4,9}\.org", fullmatch=True),
)
def test_a_mask_leaves_too_little_to_call_or_write_to(phone: str, address: str) -> None:
    masked_phone, masked_address = mask(PHONE, phone), mask(EMAIL, address)

    assert phone.endswith(re.sub(r"\D", "", masked_phone)) and len(re.sub(r"\D", "", masked_phone)) == 3
    assert len(re.sub(r"[^a-z]", "", masked_address)) == 2
    assert mask(HANDLE, "some_name") == "s•••"
    assert mask(PLATE, "KZ12ABC") == "KZ•••"
