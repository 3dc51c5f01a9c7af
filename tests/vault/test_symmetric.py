"""Sealing under a symmetric key, and under a ring key of a root."""

from uuid import uuid4

import pytest

from ugly_mugs.vault import CannotOpen, ServiceVault, Where, WorkerVault, symmetric
from ugly_mugs.vault.padding import TEXT

KEY = symmetric.new_key()
PLACE = Where("reports", "text", uuid4())


@pytest.mark.parametrize("key", [symmetric.new_key(), b"", b"short"], ids=["other", "empty", "short"])
def test_another_key_does_not_open_it(key: bytes) -> None:
    sealed = symmetric.seal(KEY, b"a text", PLACE, sizes=TEXT)

    with pytest.raises(CannotOpen):
        symmetric.open_sealed(key, sealed, PLACE)


@pytest.mark.parametrize("sealed", [b"", b"\2", b"\2\1", b"\1" + bytes(80)])
def test_a_malformed_value_does_not_open_under_a_root(service: ServiceVault, sealed: bytes) -> None:
    with pytest.raises(CannotOpen):
        service.open_rest(sealed, PLACE)


def test_the_service_root_does_not_open_an_address(worker: WorkerVault) -> None:
    sealed = worker.seal_contact(b"07700 900123", PLACE)

    assert worker.open_contact(sealed, PLACE) == b"07700 900123"
    with pytest.raises(CannotOpen):
        worker.open_rest(sealed, PLACE)
