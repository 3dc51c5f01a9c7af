"""Staff keys encrypted under their owner's passphrase. Decrypting one is the password check; no hash is stored."""

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
# The cost is read from the database, so it is bounded: a changed row must not exhaust memory or time.
_MAX_MIB, _MAX_ITERATIONS = 255, 16


@dataclass
class Cost:
    """Cost of one derivation. Each seal stores its own cost, so seals made at a lower cost stay readable."""

    memory_mib: int = 64
    iterations: int = 3
    wait_seconds: float = 5.0


COST = Cost()
# One lane and one derivation at a time per process: each takes 64 MiB, and with several lanes cryptography 50
# deadlocks when two threads derive at once.
_LANES = 1
_derivations = threading.BoundedSemaphore(1)


class StaffKeySeal:
    """Seals and opens staff key seeds under a passphrase and the password pepper of the service root."""

    def __init__(self, pepper_by_ring: Mapping[int, bytes]) -> None:
        self._peppers = dict(pepper_by_ring)
        self._current = max(self._peppers)

    def seal_seed(self, passphrase: str, seed: bytes, where: Where) -> bytes:
        """Format, ring id, cost, salt, nonce, ciphertext; Busy if no derivation slot is free within `wait_seconds`."""
        cost = bytes([COST.memory_mib, COST.iterations])
        header = Format.PASSPHRASE.byte + bytes([self._current]) + cost + secrets.token_bytes(_SALT)
        return seal_under_header(header, self._key(passphrase, header), seed, where, sizes=_SIZES)

    def open_seed(self, passphrase: str, sealed: bytes, where: Where) -> bytes:
        """The seed; CannotOpen for a wrong passphrase or any other failure, Busy as for `seal_seed`."""
        header = sealed[: 4 + _SALT]
        if len(header) < 4 + _SALT or header[:1] != Format.PASSPHRASE.byte or header[1] not in self._peppers:
            raise CannotOpen
        if not (1 <= header[2] <= _MAX_MIB and 1 <= header[3] <= _MAX_ITERATIONS):
            raise CannotOpen
        return open_under_header(header, self._key(passphrase, header), sealed, where)

    def decoy(self) -> bytes:
        """A value that no passphrase opens. Trying it for an unknown login takes as long as for a known one."""
        cost = bytes([COST.memory_mib, COST.iterations])
        header = Format.PASSPHRASE.byte + bytes([self._current]) + cost
        return header + secrets.token_bytes(_SALT + max(_SIZES))

    def _key(self, passphrase: str, header: bytes) -> bytes:
        """HKDF(password-pepper, Argon2id(passphrase, salt)); without the pepper, guesses cannot be tested."""
        ring_id, memory_mib, iterations = header[1], header[2], header[3]
        argon2 = Argon2id(
            salt=header[4:], length=32, iterations=iterations, lanes=_LANES, memory_cost=memory_mib * 1024
        )
        with _derivation_slot():
            stretched = argon2.derive(squeezed(passphrase).encode())
        return derive(self._peppers[ring_id], b"staff key", stretched)


@contextmanager
def _derivation_slot() -> Iterator[None]:
    if not _derivations.acquire(timeout=COST.wait_seconds):
        raise Busy
    try:
        yield
    finally:
        _derivations.release()
