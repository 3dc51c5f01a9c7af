"""What each way to seal promises: under a symmetric key, under the service root, and to a public key."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from uuid import UUID

import pytest
from hypothesis import example, given, settings, strategies as st

from ugly_mugs.vault import CannotOpen, PrivateKey, ServiceVault, Where, symmetric
from ugly_mugs.vault.padding import TEXT


@dataclass(frozen=True)
class Way:
    seal: Callable[..., bytes]
    open: Callable[[bytes, Where], bytes]


@pytest.fixture(scope="session", params=["symmetric", "root", "public"])
def way(request: pytest.FixtureRequest, service: ServiceVault, private: PrivateKey) -> Way:
    if request.param == "symmetric":
        key = symmetric.new_key()
        return Way(partial(symmetric.seal, key), partial(symmetric.open_sealed, key))
    if request.param == "root":
        return Way(service.seal_rest, service.open_rest)
    return Way(private.public().seal, private.open)


@given(st.text(max_size=2_000))
def test_any_text_is_opened_unchanged(way: Way, place: Where, text: str) -> None:
    assert way.open(way.seal(text.encode(), place, sizes=TEXT), place).decode() == text


@settings(max_examples=300)
@given(st.data())
def test_a_changed_byte_prevents_opening(way: Way, place: Where, data: st.DataObject) -> None:
    sealed = bytearray(way.seal(b"a text", place, sizes=(64,)))
    at = data.draw(st.integers(0, len(sealed) - 1))
    sealed[at] ^= data.draw(st.integers(1, 255))

    with pytest.raises(CannotOpen):
        way.open(bytes(sealed), place)


@given(st.integers(0, 1_136))
@example(0)
@example(1)
@example(32)
@example(92)
@example(1_100)
@example(1_136)
def test_a_truncated_value_does_not_open(way: Way, place: Where, length: int) -> None:
    sealed = way.seal(b"a text", place, sizes=(64,))

    with pytest.raises(CannotOpen):
        way.open(sealed[: length % len(sealed)], place)


@pytest.mark.parametrize("changed", [{"table": "alerts"}, {"column": "notes"}, {"row": UUID(int=7)}], ids=str)
def test_it_opens_in_its_own_place_only(way: Way, place: Where, changed: dict[str, object]) -> None:
    sealed = way.seal(b"a text", place, sizes=TEXT)

    with pytest.raises(CannotOpen):
        way.open(sealed, replace(place, **changed))


@given(st.binary(max_size=1_020), st.binary(max_size=1_020))
def test_two_texts_padded_to_one_size_have_one_length_and_different_ciphertexts(
    way: Way, place: Where, one: bytes, other: bytes
) -> None:
    sealed = [way.seal(text, place, sizes=TEXT) for text in (one, other)]

    assert len(sealed[0]) == len(sealed[1])
    assert sealed[0][1:] != sealed[1][1:]
