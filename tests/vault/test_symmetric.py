"""Sealing under a symmetric key, and under a ring key of a root."""

from dataclasses import replace
from uuid import uuid4

import pytest
from hypothesis import given, settings, strategies as st

from ugly_mugs.vault import CannotOpen, ServiceVault, Where, WorkerVault, symmetric
from ugly_mugs.vault.padding import TEXT

KEY = symmetric.new_key()
PLACE = Where("reports", "text", uuid4())
ELSEWHERE = [
    replace(PLACE, table="alerts"),
    replace(PLACE, column="notes"),
    replace(PLACE, row=uuid4()),
]


@given(st.text(max_size=2_000))
@settings(deadline=None)
def test_any_text_is_opened_unchanged(text: str) -> None:
    sealed = symmetric.seal(KEY, text.encode(), PLACE, sizes=TEXT)

    assert symmetric.open_sealed(KEY, sealed, PLACE).decode() == text


@given(st.data())
@settings(deadline=None)
def test_a_changed_byte_prevents_opening(data: st.DataObject) -> None:
    sealed = bytearray(symmetric.seal(KEY, b"a text", PLACE, sizes=(64,)))
    at = data.draw(st.integers(0, len(sealed) - 1))
    sealed[at] ^= data.draw(st.integers(1, 255))

    with pytest.raises(CannotOpen):
        symmetric.open_sealed(KEY, bytes(sealed), PLACE)


@given(st.integers(0, 92))
@settings(deadline=None)
def test_a_truncated_value_does_not_open(length: int) -> None:
    sealed = symmetric.seal(KEY, b"a text", PLACE, sizes=(64,))

    with pytest.raises(CannotOpen):
        symmetric.open_sealed(KEY, sealed[:length], PLACE)


@pytest.mark.parametrize("elsewhere", ELSEWHERE, ids=["table", "column", "row"])
def test_it_opens_in_its_own_place_only(elsewhere: Where) -> None:
    sealed = symmetric.seal(KEY, b"a text", PLACE, sizes=TEXT)

    with pytest.raises(CannotOpen):
        symmetric.open_sealed(KEY, sealed, elsewhere)


@pytest.mark.parametrize("key", [symmetric.new_key(), b"", b"short"], ids=["other", "empty", "short"])
def test_another_key_does_not_open_it(key: bytes) -> None:
    sealed = symmetric.seal(KEY, b"a text", PLACE, sizes=TEXT)

    with pytest.raises(CannotOpen):
        symmetric.open_sealed(key, sealed, PLACE)


@given(st.binary(max_size=1_020), st.binary(max_size=1_020))
@settings(deadline=None)
def test_two_texts_padded_to_one_size_have_one_length_and_different_ciphertexts(
    one: bytes, other: bytes
) -> None:
    sealed = [symmetric.seal(KEY, text, PLACE, sizes=TEXT) for text in (one, other)]

    assert len(sealed[0]) == len(sealed[1])
    assert sealed[0][1:] != sealed[1][1:]


@given(st.text(max_size=500))
@settings(deadline=None)
def test_any_text_sealed_under_a_root_is_opened_unchanged(service: ServiceVault, text: str) -> None:
    sealed = service.seal_rest(text.encode(), PLACE, sizes=TEXT)

    assert service.open_rest(sealed, PLACE).decode() == text


@given(st.data())
@settings(deadline=None)
def test_a_changed_byte_prevents_opening_under_a_root(service: ServiceVault, data: st.DataObject) -> None:
    sealed = bytearray(service.seal_rest(b"a text", PLACE, sizes=(64,)))
    at = data.draw(st.integers(0, len(sealed) - 1))
    sealed[at] ^= data.draw(st.integers(1, 255))

    with pytest.raises(CannotOpen):
        service.open_rest(bytes(sealed), PLACE)


@pytest.mark.parametrize("elsewhere", ELSEWHERE, ids=["table", "column", "row"])
def test_a_value_sealed_under_a_root_opens_in_its_own_place_only(
    service: ServiceVault, elsewhere: Where
) -> None:
    sealed = service.seal_rest(b"a text", PLACE, sizes=TEXT)

    with pytest.raises(CannotOpen):
        service.open_rest(sealed, elsewhere)


@pytest.mark.parametrize("sealed", [b"", b"\2", b"\2\1", b"\1" + bytes(80)])
def test_a_malformed_value_does_not_open_under_a_root(service: ServiceVault, sealed: bytes) -> None:
    with pytest.raises(CannotOpen):
        service.open_rest(sealed, PLACE)


def test_the_service_root_does_not_open_an_address(worker: WorkerVault) -> None:
    sealed = worker.seal_contact(b"07700 900123", PLACE)

    assert worker.open_contact(sealed, PLACE) == b"07700 900123"
    with pytest.raises(CannotOpen):
        worker.open_rest(sealed, PLACE)
