"""Public-key encryption with HPKE: ML-KEM-768 (against quantum computers) combined with X25519."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from ugly_mugs.vault.encoding import Format, joined
from ugly_mugs.vault.errors import CannotOpen
from ugly_mugs.vault.padding import pad, unpad
from ugly_mugs.vault.where import Where
from ugly_mugs.vault.words import BASE, spell

_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_MLKEM_SEED, _X25519_SEED = 64, 32
SEED = _MLKEM_SEED + _X25519_SEED
_MLKEM_PUBLIC, _X25519_PUBLIC = 1_184, 32
PUBLIC = 1 + _MLKEM_PUBLIC + _X25519_PUBLIC
FINGERPRINT_WORDS = 6


def _info(header: bytes, where: Where) -> bytes:
    """The library's HPKE has no associated-data argument, so `info` binds the format byte and the place."""
    return joined(b"ugly-mugs hybrid v1", header, where.bytes())


@dataclass(frozen=True, repr=False)
class PublicKey:
    """Format byte, 1,184 bytes of ML-KEM-768, 32 of X25519. Parsed once, because one key seals thousands of values.

    CannotOpen if `raw` is no such key.
    """

    raw: bytes
    _parsed: MLKEM768X25519PublicKey = field(init=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.raw) != PUBLIC or self.raw[:1] != Format.PUBLIC_KEY.byte:
            raise CannotOpen
        try:
            mlkem = MLKEM768PublicKey.from_public_bytes(self.raw[1 : 1 + _MLKEM_PUBLIC])
            x25519 = X25519PublicKey.from_public_bytes(self.raw[1 + _MLKEM_PUBLIC :])
        except ValueError:
            raise CannotOpen from None
        object.__setattr__(self, "_parsed", MLKEM768X25519PublicKey(mlkem, x25519))

    def seal(self, plain: bytes, where: Where, *, sizes: Sequence[int] | None = None) -> bytes:
        """Seal for the private key at this place, padded to one of `sizes`; TooLong if none is large enough.

        Without `sizes` nothing is padded: for keys only, which all have the same length.
        """
        header = (Format.HYBRID if sizes is None else Format.HYBRID_PADDED).byte
        padded = plain if sizes is None else pad(plain, sizes)
        return header + _SUITE.encrypt(padded, self._parsed, info=_info(header, where))

    def fingerprint(self) -> bytes:
        """SHA-256 of the raw key."""
        return hashlib.sha256(self.raw).digest()

    def words(self) -> str:
        """The fingerprint as six words (77 bits), for comparing it by telephone."""
        number = int.from_bytes(self.fingerprint(), "big") % BASE**FINGERPRINT_WORDS
        return spell(number, FINGERPRINT_WORDS)


@dataclass(frozen=True, repr=False)
class PrivateKey:
    """A 96-byte seed (64 for ML-KEM, 32 for X25519), stored because the library cannot serialise the pair.

    CannotOpen if the seed has another length.
    """

    seed: bytes
    _parsed: MLKEM768X25519PrivateKey = field(init=False, compare=False)
    _public: PublicKey = field(init=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.seed) != SEED:
            raise CannotOpen
        mlkem = MLKEM768PrivateKey.from_seed_bytes(self.seed[:_MLKEM_SEED])
        x25519 = X25519PrivateKey.from_private_bytes(self.seed[_MLKEM_SEED:])
        raw = (
            Format.PUBLIC_KEY.byte
            + mlkem.public_key().public_bytes_raw()
            + x25519.public_key().public_bytes_raw()
        )
        object.__setattr__(self, "_parsed", MLKEM768X25519PrivateKey(mlkem, x25519))
        object.__setattr__(self, "_public", PublicKey(raw))

    @classmethod
    def generate(cls) -> "PrivateKey":
        return cls(secrets.token_bytes(SEED))

    def public(self) -> PublicKey:
        return self._public

    def open(self, sealed: bytes, where: Where) -> bytes:
        """What was sealed to the public key at this place, without padding; CannotOpen for every kind of failure."""
        header = sealed[:1]
        if header not in (Format.HYBRID.byte, Format.HYBRID_PADDED.byte):
            raise CannotOpen
        try:
            plain = _SUITE.decrypt(sealed[1:], self._parsed, info=_info(header, where))
        except (InvalidTag, ValueError):
            raise CannotOpen from None
        return plain if header == Format.HYBRID.byte else unpad(plain)
