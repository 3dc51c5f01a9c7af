"""A staff key under its owner's passphrase: opening it is the password check, and there is no other."""

import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from ugly_mugs.vault.encoding import Format
from ugly_mugs.vault.errors import Busy, CannotOpen
from ugly_mugs.vault.keys.roots import derive
from ugly_mugs.vault.symmetric import open_under_header, seal_under_header
from ugly_mugs.vault.where import Where
from ugly_mugs.vault.words import squeezed

_SALT = 16
_SIZES = (128,)
# Values in the database are not to be trusted with the machine's memory or time.
_MOST_MIB, _MOST_ITERATIONS = 255, 16


@dataclass
class Cost:
    """What one guess costs. Kept beside each seal, so that raising it leaves older seals readable."""

    memory_mib: int = 64
    iterations: int = 3
    wait_seconds: float = 5.0


COST = Cost()
# Argon2id with several lanes deadlocks in cryptography 50 when two threads derive at once, and each needs
# 64 MiB: so one lane, and one derivation at a time in this process.
_LANES = 1
_one_at_a_time = threading.BoundedSemaphore(1)


class StaffKeySeal:
    """Seals and opens staff key seeds under a passphrase and the password pepper of the service root."""

    def __init__(self, pepper_by_ring: Mapping[int, bytes]) -> None:
        self._peppers = dict(pepper_by_ring)
        self._current = max(self._peppers)

    def seal_seed(self, passphrase: str, seed: bytes, where: Where) -> bytes:
        """Format, ring id, cost, salt, nonce, ciphertext; raises Busy when no turn comes within the wait."""
        cost = bytes([COST.memory_mib, COST.iterations])
        header = Format.PASSPHRASE.byte + bytes([self._current]) + cost + secrets.token_bytes(_SALT)
        return seal_under_header(header, self._key(passphrase, header), seed, where, sizes=_SIZES)

    def open_seed(self, passphrase: str, sealed: bytes, where: Where) -> bytes:
        """The seed; CannotOpen for a wrong passphrase as for anything else, Busy when no turn came."""
        header = sealed[: 4 + _SALT]
        if len(header) < 4 + _SALT or header[:1] != Format.PASSPHRASE.byte or header[1] not in self._peppers:
            raise CannotOpen
        if not (1 <= header[2] <= _MOST_MIB and 1 <= header[3] <= _MOST_ITERATIONS):
            raise CannotOpen
        return open_under_header(header, self._key(passphrase, header), sealed, where)

    def decoy(self) -> bytes:
        """What no passphrase opens, and what costs as much to try: for a login that nobody has."""
        cost = bytes([COST.memory_mib, COST.iterations])
        header = Format.PASSPHRASE.byte + bytes([self._current]) + cost
        return header + secrets.token_bytes(_SALT + max(_SIZES))

    def _key(self, passphrase: str, header: bytes) -> bytes:
        """HKDF(password-pepper, Argon2id(passphrase, salt)): a stolen database alone cannot be guessed at."""
        ring_id, memory_mib, iterations = header[1], header[2], header[3]
        argon2 = Argon2id(
            salt=header[4:], length=32, iterations=iterations, lanes=_LANES, memory_cost=memory_mib * 1024
        )
        with _turn():
            slow = argon2.derive(squeezed(passphrase).encode())
        return derive(self._peppers[ring_id], b"staff key", slow)


@contextmanager
def _turn() -> Iterator[None]:
    if not _one_at_a_time.acquire(timeout=COST.wait_seconds):
        raise Busy
    try:
        yield
    finally:
        _one_at_a_time.release()
