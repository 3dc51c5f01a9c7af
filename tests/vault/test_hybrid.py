"""Sealing to a public key."""

from dataclasses import replace
from uuid import uuid4

import pytest
from hypothesis import given, settings, strategies as st

from ugly_mugs.vault import CannotOpen, PrivateKey, PublicKey, Where
from ugly_mugs.vault.padding import TEXT
from ugly_mugs.vault.words import WORDS


@given(st.text(max_size=2_000))
@settings(deadline=None)
def test_any_text_is_opened_unchanged(private: PrivateKey, place: Where, text: str) -> None:
    sealed = private.public().seal(text.encode(), place, sizes=TEXT)

    assert private.open(sealed, place).decode() == text


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_a_value_sealed_without_padding_is_opened_unchanged(
    private: PrivateKey, place: Where, plain: bytes
) -> None:
    assert private.open(private.public().seal(plain, place), place) == plain


@given(st.data())
@settings(deadline=None, max_examples=300)
def test_a_changed_byte_prevents_opening(private: PrivateKey, place: Where, data: st.DataObject) -> None:
    sealed = bytearray(private.public().seal(b"a text", place, sizes=(64,)))
    at = data.draw(st.integers(0, len(sealed) - 1))
    sealed[at] ^= data.draw(st.integers(1, 255))

    with pytest.raises(CannotOpen):
        private.open(bytes(sealed), place)


@pytest.mark.parametrize("sizes", [None, (64,)])
def test_the_format_byte_is_authenticated(
    private: PrivateKey, place: Where, sizes: tuple[int, ...] | None
) -> None:
    sealed = private.public().seal(b"a text", place, sizes=sizes)
    other = private.public().seal(b"a text", place, sizes=(64,) if sizes is None else None)

    with pytest.raises(CannotOpen):
        private.open(other[:1] + sealed[1:], place)


@pytest.mark.parametrize("length", [0, 1, 32, 1_100, 1_136])
def test_a_truncated_value_does_not_open(private: PrivateKey, place: Where, length: int) -> None:
    sealed = private.public().seal(b"a text", place)

    with pytest.raises(CannotOpen):
        private.open(sealed[:length], place)


def test_it_opens_in_its_own_place_only(private: PrivateKey, place: Where) -> None:
    sealed = private.public().seal(b"a text", place, sizes=TEXT)

    for elsewhere in (
        replace(place, table="alerts"),
        replace(place, column="notes"),
        replace(place, row=uuid4()),
    ):
        with pytest.raises(CannotOpen):
            private.open(sealed, elsewhere)


def test_another_key_does_not_open_it(private: PrivateKey, place: Where) -> None:
    with pytest.raises(CannotOpen):
        PrivateKey.generate().open(private.public().seal(b"a text", place), place)


@given(st.binary(max_size=1_020), st.binary(max_size=1_020))
@settings(deadline=None)
def test_two_texts_padded_to_one_size_have_one_length(
    private: PrivateKey, place: Where, one: bytes, other: bytes
) -> None:
    public = private.public()

    assert len(public.seal(one, place, sizes=TEXT)) == len(public.seal(other, place, sizes=TEXT))


def test_both_halves_of_the_hybrid_are_needed(private: PrivateKey, place: Where) -> None:
    sealed = private.public().seal(b"a text", place)
    stranger = PrivateKey.generate().seed

    for seed in (private.seed[:64] + stranger[64:], stranger[:64] + private.seed[64:]):
        with pytest.raises(CannotOpen):
            PrivateKey(seed).open(sealed, place)


def test_a_key_is_the_same_again_from_its_seed(private: PrivateKey, place: Where) -> None:
    again = PrivateKey(private.seed)

    assert again.public() == private.public()
    assert again.open(PublicKey(private.public().raw).seal(b"a text", place), place) == b"a text"


@pytest.mark.parametrize("seed", [b"", bytes(95), bytes(97)])
def test_a_seed_of_another_length_is_no_key(seed: bytes) -> None:
    with pytest.raises(CannotOpen):
        PrivateKey(seed)


def test_a_malformed_public_key_is_refused(private: PrivateKey) -> None:
    raw = private.public().raw

    for broken in (b"", raw[:-1], raw + b"\0", b"\1" + raw[1:], raw[:1] + b"\xff" * 1_184 + raw[-32:]):
        with pytest.raises(CannotOpen):
            PublicKey(broken)


def test_a_fingerprint_is_read_as_six_words_of_the_list(private: PrivateKey) -> None:
    words = private.public().words().split()

    assert len(words) == 6
    assert set(words) <= set(WORDS)
    assert private.public().words() != PrivateKey.generate().public().words()
    assert len(private.public().fingerprint()) == 32


def test_a_private_key_does_not_print_itself(private: PrivateKey) -> None:
    assert repr(private.seed)[2:12] not in repr(private)
    assert private.seed.hex()[:12] not in repr(private)
    assert "seed" not in repr(private)
