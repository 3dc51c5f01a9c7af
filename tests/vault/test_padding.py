"""Padding to fixed sizes."""

import pytest
from hypothesis import given, strategies as st

from ugly_mugs.vault import CannotOpen, TooLong
from ugly_mugs.vault.padding import TEXT, pad, unpad


@given(st.text(max_size=6_000))
def test_any_text_is_padded_to_one_of_the_sizes_and_unpadded_unchanged(text: str) -> None:
    padded = pad(text.encode(), TEXT)

    assert unpad(padded).decode() == text
    assert len(padded) in TEXT


@given(st.binary(max_size=1_020), st.binary(max_size=1_020))
def test_two_texts_padded_to_one_size_have_one_length(one: bytes, other: bytes) -> None:
    assert len(pad(one, TEXT)) == len(pad(other, TEXT)) == 1_024


@pytest.mark.parametrize("size", TEXT)
def test_the_length_prefix_counts_towards_the_size(size: int) -> None:
    assert len(pad(b"x" * (size - 4), TEXT)) == size


@pytest.mark.parametrize("size", TEXT[:-1])
def test_one_byte_more_takes_the_next_size(size: int) -> None:
    assert len(pad(b"x" * (size - 3), TEXT)) == TEXT[TEXT.index(size) + 1]


def test_too_long_says_how_much_fits() -> None:
    with pytest.raises(TooLong) as caught:
        pad(b"x" * 65_533, TEXT)

    assert caught.value.limit == 65_532
    assert len(pad(b"x" * caught.value.limit, TEXT)) == 65_536


@pytest.mark.parametrize(
    "padded",
    [
        b"",
        b"\0\0\0",
        b"\0\0\0\5four",
        b"\xff\xff\xff\xff" + bytes(60),
        b"\0\0\0\1a\0\0x",
    ],
    ids=["empty", "half a length", "length past the end", "huge length", "something after the text"],
)
def test_padding_that_pad_could_not_have_made_is_refused(padded: bytes) -> None:
    with pytest.raises(CannotOpen):
        unpad(padded)
