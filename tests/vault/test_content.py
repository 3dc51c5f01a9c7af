"""Content keys and draft keys, and who they are wrapped for."""

import pytest

from ugly_mugs.vault import (
    CannotOpen,
    PrivateKey,
    Receipt,
    ServiceVault,
    VaultError,
    Where,
    content,
    symmetric,
)
from ugly_mugs.vault.receipts import Receipts

RECEIPT = Receipt((1, 2, 3, 4, 5, 6, 7))


def test_the_desk_epoch_opens_a_reports_key(private: PrivateKey, place: Where) -> None:
    key = symmetric.new_key()

    sealed = content.wrap(private.public(), key, place)

    assert private.open(sealed, place) == key
    with pytest.raises(CannotOpen):
        PrivateKey.generate().open(sealed, place)


def test_the_receipt_opens_a_reports_key_and_another_receipt_does_not(
    service: ServiceVault, place: Where
) -> None:
    key = symmetric.new_key()

    sealed = content.wrap_under_receipt(service.receipts, RECEIPT, key, place)

    assert content.unwrap_with_receipt(service.receipts, RECEIPT, sealed, place) == key
    with pytest.raises(CannotOpen):
        content.unwrap_with_receipt(service.receipts, Receipt((1, 2, 3, 4, 5, 6, 8)), sealed, place)


def test_the_receipt_without_the_service_root_opens_nothing(service: ServiceVault, place: Where) -> None:
    sealed = content.wrap_under_receipt(service.receipts, RECEIPT, symmetric.new_key(), place)

    with pytest.raises(CannotOpen):
        content.unwrap_with_receipt(Receipts({1: bytes(32)}), RECEIPT, sealed, place)


def test_a_wrapped_key_opens_after_a_ring_key_was_added(place: Where) -> None:
    before, after = Receipts({1: b"a" * 32}), Receipts({1: b"a" * 32, 2: b"b" * 32})
    key = symmetric.new_key()

    sealed = content.wrap_under_receipt(before, RECEIPT, key, place)

    assert content.unwrap_with_receipt(after, RECEIPT, sealed, place) == key


@pytest.mark.parametrize("sealed", [b"", b"\6", b"\6\x63" + bytes(90), b"\1\1" + bytes(90)])
def test_a_malformed_wrap_does_not_open(service: ServiceVault, place: Where, sealed: bytes) -> None:
    with pytest.raises(CannotOpen):
        content.unwrap_with_receipt(service.receipts, RECEIPT, sealed, place)


def test_a_draft_key_opens_with_its_staff_key_only(private: PrivateKey, place: Where) -> None:
    key = symmetric.new_key()

    sealed = content.wrap(private.public(), key, place)

    assert private.open(sealed, place) == key
    with pytest.raises(CannotOpen):
        PrivateKey.generate().open(sealed, place)


@pytest.mark.parametrize("key", [b"", bytes(31), bytes(33)])
def test_only_a_whole_key_is_wrapped(
    service: ServiceVault, private: PrivateKey, place: Where, key: bytes
) -> None:
    with pytest.raises(VaultError):
        content.wrap(private.public(), key, place)
    with pytest.raises(VaultError):
        content.wrap_under_receipt(service.receipts, RECEIPT, key, place)
    with pytest.raises(VaultError):
        content.wrap(private.public(), key, place)
