"""Receipts: made from a form token, typed in any layout."""

import random
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings, strategies as st

from ugly_mugs.vault import FormToken, Receipt, Receipts, ServiceVault, UnknownWord, WrongLength
from ugly_mugs.vault.words import WORDS

NOW = datetime(2026, 11, 21, 20, 40, tzinfo=UTC)
any_receipt = st.builds(Receipt, st.tuples(*[st.integers(0, 7_775)] * 7))
six_separators = st.lists(
    st.sampled_from([" ", "-", ", ", "\n", ". ", "  ", "\t", " - ", "—", "/", "_"]), min_size=6, max_size=6
)


def token(service: ServiceVault, purpose: str = "report") -> FormToken:
    issued = service.form_tokens.read(purpose, service.form_tokens.issue(purpose, NOW))
    assert issued is not None
    return issued


@given(any_receipt, six_separators, st.randoms(use_true_random=False))
def test_words_are_read_in_any_case_with_anything_between_them(
    receipt: Receipt, separators: list[str], dice: random.Random
) -> None:
    words = [dice.choice([word, word.upper(), word.title()]) for word in receipt.words.split()]
    typed = words[0] + "".join(gap + word for gap, word in zip(separators, words[1:], strict=True))

    assert Receipt.parse(f"  {typed}. ") == receipt


@given(any_receipt, six_separators)
def test_digits_are_read_with_anything_between_them(receipt: Receipt, separators: list[str]) -> None:
    groups = receipt.digits.split()
    typed = groups[0] + "".join(gap + group for gap, group in zip(separators, groups[1:], strict=True))

    assert Receipt.parse(typed) == receipt


@given(any_receipt)
def test_words_and_digits_are_read_when_run_together(receipt: Receipt) -> None:
    assert Receipt.parse(receipt.words.replace(" ", "")) == receipt
    assert Receipt.parse(receipt.digits.replace(" ", "")) == receipt


@given(any_receipt)
def test_a_numbered_list_is_read(receipt: Receipt) -> None:
    typed = "\n".join(f"{place}. {word}" for place, word in enumerate(receipt.words.split(), start=1))

    assert Receipt.parse(typed) == receipt


@given(any_receipt)
def test_digits_are_28_in_groups_of_four(receipt: Receipt) -> None:
    assert [len(group) for group in receipt.digits.split()] == [4] * 7
    assert receipt.digits.replace(" ", "").isdecimal()


@given(any_receipt, st.integers(0, 6))
@settings(max_examples=20)
def test_a_word_that_is_not_in_the_list_is_pointed_out(receipt: Receipt, at: int) -> None:
    words = receipt.words.split()
    words[at] = "acrobt"

    with pytest.raises(UnknownWord) as caught:
        Receipt.parse(" ".join(words))

    assert (caught.value.word, caught.value.position) == ("acrobt", at + 1)
    assert "acrobat" in caught.value.suggestions


def test_a_group_of_digits_beyond_the_list_is_pointed_out() -> None:
    with pytest.raises(UnknownWord) as caught:
        Receipt.parse("0000 0001 9999 0003 0004 0005 0006")

    assert (caught.value.word, caught.value.position) == ("9999", 3)


@pytest.mark.parametrize(
    ("typed", "expected", "found"),
    [("", 7, 0), ("acrobat abacus", 7, 2), ("acrobat " * 8, 7, 8), ("0000 0001", 28, 8), ("0" * 29, 28, 29)],
)
def test_too_few_or_too_many_are_counted(typed: str, expected: int, found: int) -> None:
    with pytest.raises(WrongLength) as caught:
        Receipt.parse(typed)

    assert (caught.value.expected, caught.value.found) == (expected, found)


def test_the_same_form_gives_the_same_receipt_and_another_form_another(service: ServiceVault) -> None:
    first = token(service)

    assert service.receipts.from_form_token(first) == service.receipts.from_form_token(first)
    assert service.receipts.from_form_token(first) != service.receipts.from_form_token(token(service))


def test_the_words_of_many_receipts_come_from_the_whole_list(service: ServiceVault) -> None:
    tokens = [FormToken(number.to_bytes(16, "big"), 0, "") for number in range(3_000)]

    drawn = {index for token in tokens for index in service.receipts.from_form_token(token).indices}

    # 21,000 uniform draws leave out about 7,776·e^-2.7 = 522 of the 7,776 words; a skewed draw leaves out far more.
    assert 7_776 - 620 < len(drawn) < 7_776 - 420


def test_locator_and_wrap_key_are_different_and_depend_on_the_pepper(service: ServiceVault) -> None:
    receipt = service.receipts.from_form_token(token(service))
    other_pepper = Receipts({1: bytes(32)})

    assert len(service.receipts.locator(receipt)) == len(service.receipts.wrap_key(receipt)) == 32
    assert service.receipts.locator(receipt) != service.receipts.wrap_key(receipt)
    assert other_pepper.locator(receipt) != service.receipts.locator(receipt)
    assert other_pepper.wrap_key(receipt) != service.receipts.wrap_key(receipt)


def test_the_words_and_locator_of_a_receipt_never_change() -> None:
    receipt = Receipt((0, 1, 2, 3, 4, 5, 7_775))

    assert receipt.words == " ".join((*WORDS[:6], WORDS[-1]))
    assert Receipts({1: bytes(range(32))}).locator(receipt).hex() == (
        "3fcca0093dbf39f4ccaadeff62a9e965391712361896576fb795e7e040a6b8dd"
    )


@pytest.mark.parametrize("places", [(), (0,) * 6, (0,) * 8, (0,) * 6 + (7_776,), (-1,) + (0,) * 6])
def test_other_places_are_no_receipt(places: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="seven places"):
        Receipt(places)


def test_a_receipt_does_not_print_itself() -> None:
    receipt = Receipt((10, 20, 30, 40, 50, 60, 70))

    assert "20" not in repr(receipt).split(" at ")[0]
    assert WORDS[20] not in repr(receipt)
