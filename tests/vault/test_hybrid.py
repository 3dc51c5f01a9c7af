"""Sealing to a public key."""

import pytest
from hypothesis import given, strategies as st

from ugly_mugs.vault import CannotOpen, PrivateKey, PublicKey, Where
from ugly_mugs.vault.words import WORDS


@given(st.binary(max_size=200))
def test_a_value_sealed_without_padding_is_opened_unchanged(
    private: PrivateKey, place: Where, plain: bytes
) -> None:
    assert private.open(private.public().seal(plain, place), place) == plain


@pytest.mark.parametrize("sizes", [None, (64,)])
def test_the_format_byte_is_authenticated(
    private: PrivateKey, place: Where, sizes: tuple[int, ...] | None
) -> None:
    sealed = private.public().seal(b"a text", place, sizes=sizes)
    other = private.public().seal(b"a text", place, sizes=(64,) if sizes is None else None)

    with pytest.raises(CannotOpen):
        private.open(other[:1] + sealed[1:], place)


def test_another_key_does_not_open_it(private: PrivateKey, place: Where) -> None:
    with pytest.raises(CannotOpen):
        PrivateKey.generate().open(private.public().seal(b"a text", place), place)


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
