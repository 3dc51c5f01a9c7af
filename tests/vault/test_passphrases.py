"""Staff keys under a passphrase, at the cost used in production."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from ugly_mugs.vault import Busy, CannotOpen, PrivateKey, StaffKeySeal, Where
from ugly_mugs.vault.keys import passphrases as module
from ugly_mugs.vault.words import phrase

SEALS = StaffKeySeal({1: bytes(range(32))})
PASSPHRASE = "acrobat umbrella carwash"
PLACE = Where("staff", "sealed_key", uuid4())


@pytest.fixture(scope="module", autouse=True)
def real_cost() -> Iterator[None]:
    """The other tests use a lower cost; these use the one of production."""
    lowered, real = (module.COST.memory_mib, module.COST.iterations), module.Cost()
    module.COST.memory_mib, module.COST.iterations = real.memory_mib, real.iterations
    yield
    module.COST.memory_mib, module.COST.iterations = lowered


@pytest.fixture(scope="module")
def seed() -> bytes:
    return PrivateKey.generate().seed


@pytest.fixture(scope="module")
def sealed(seed: bytes) -> bytes:
    return SEALS.seal_seed(PASSPHRASE, seed, PLACE)


def test_the_cost_of_a_derivation_is_the_documented_one() -> None:
    assert module.Cost() == module.Cost(memory_mib=64, iterations=3, wait_seconds=5.0)
    assert SEALS.seal_seed(PASSPHRASE, bytes(96), PLACE)[2:4] == bytes([64, 3])


@pytest.mark.parametrize("typed", [PASSPHRASE, "Acrobat-Umbrella-Carwash", "  ACROBAT umbrella\ncarwash. "])
def test_case_spaces_and_hyphens_of_a_passphrase_do_not_matter(
    typed: str, sealed: bytes, seed: bytes
) -> None:
    assert SEALS.open_seed(typed, sealed, PLACE) == seed


@pytest.mark.parametrize("typed", ["", "acrobat umbrella", phrase(3)], ids=["nothing", "too few", "others"])
def test_another_passphrase_does_not_open_it(typed: str, sealed: bytes) -> None:
    with pytest.raises(CannotOpen):
        SEALS.open_seed(typed, sealed, PLACE)


def test_it_opens_in_its_own_row_only(sealed: bytes) -> None:
    with pytest.raises(CannotOpen):
        SEALS.open_seed(PASSPHRASE, sealed, Where("staff", "sealed_key", uuid4()))


def test_without_the_pepper_the_right_passphrase_does_not_open_it(sealed: bytes) -> None:
    with pytest.raises(CannotOpen):
        StaffKeySeal({1: bytes(32)}).open_seed(PASSPHRASE, sealed, PLACE)


@pytest.mark.parametrize("at", [0, 1, 4, 20, 60, -1])
def test_a_changed_byte_prevents_opening(at: int, sealed: bytes) -> None:
    changed = bytearray(sealed)
    changed[at] ^= 1

    with pytest.raises(CannotOpen):
        SEALS.open_seed(PASSPHRASE, bytes(changed), PLACE)


@pytest.mark.parametrize("cost", [b"\0\3", b"\x40\0", b"\x40\xff"])
def test_a_cost_outside_the_bounds_is_refused(cost: bytes, sealed: bytes) -> None:
    with pytest.raises(CannotOpen):
        SEALS.open_seed(PASSPHRASE, sealed[:2] + cost + sealed[4:], PLACE)


@pytest.mark.parametrize("sealed_value", [b"", b"\5", b"\5\1\x40\3" + bytes(16)])
def test_a_malformed_value_does_not_open(sealed_value: bytes) -> None:
    with pytest.raises(CannotOpen):
        SEALS.open_seed(PASSPHRASE, sealed_value, PLACE)


def test_a_seal_made_at_a_lower_cost_still_opens(monkeypatch: pytest.MonkeyPatch, seed: bytes) -> None:
    monkeypatch.setattr(module.COST, "memory_mib", 8)
    older = SEALS.seal_seed(PASSPHRASE, seed, PLACE)
    monkeypatch.undo()

    assert SEALS.open_seed(PASSPHRASE, older, PLACE) == seed


def test_each_of_sixteen_simultaneous_sign_ins_opens_the_key_or_raises_busy(
    sealed: bytes, seed: bytes
) -> None:
    def sign_in(_number: int) -> str:
        try:
            return "opened" if SEALS.open_seed(PASSPHRASE, sealed, PLACE) == seed else "wrong"
        except Busy:
            return "busy"

    with ThreadPoolExecutor(16) as threads:
        counted = Counter(threads.map(sign_in, range(16)))

    assert counted["opened"] + counted["busy"] == 16
    assert counted["opened"] >= 1


def test_busy_is_raised_while_the_slot_is_taken_and_the_next_call_succeeds(
    monkeypatch: pytest.MonkeyPatch, sealed: bytes, seed: bytes
) -> None:
    monkeypatch.setattr(module.COST, "wait_seconds", 0.05)

    with module._derivation_slot(), pytest.raises(Busy):
        SEALS.open_seed(PASSPHRASE, sealed, PLACE)

    assert SEALS.open_seed(PASSPHRASE, sealed, PLACE) == seed
