"""Sealing under a symmetric key: AES-256-GCM, padded, bound to its place."""

import secrets
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ugly_mugs.vault.encoding import Format
from ugly_mugs.vault.errors import CannotOpen
from ugly_mugs.vault.padding import pad, unpad
from ugly_mugs.vault.where import Where

KEY = 32
_NONCE = 12


def new_key() -> bytes:
    """32 random bytes: a content key, a draft key."""
    return secrets.token_bytes(KEY)


def seal(key: bytes, plain: bytes, where: Where, *, sizes: Sequence[int]) -> bytes:
    """Format byte, nonce, ciphertext; only `open_sealed` with this key at this place gives it back."""
    return seal_under_header(Format.SYMMETRIC.byte, key, plain, where, sizes=sizes)


def open_sealed(key: bytes, sealed: bytes, where: Where) -> bytes:
    """What `seal` was given, or CannotOpen."""
    return open_under_header(Format.SYMMETRIC.byte, key, sealed, where)


def seal_under_header(
    header: bytes, key: bytes, plain: bytes, where: Where, *, sizes: Sequence[int]
) -> bytes:
    """As `seal` behind another header (format byte, ring id, …), which is authenticated with the place.

    The nonce is 96 random bits: every key here seals far fewer than the 2^32 values at which NIST SP 800-38D
    asks for a new key, since each table and column has its own.
    """
    nonce = secrets.token_bytes(_NONCE)
    ciphertext = AESGCM(key).encrypt(nonce, pad(plain, sizes), header + where.bytes())
    return header + nonce + ciphertext


def open_under_header(header: bytes, key: bytes, sealed: bytes, where: Where) -> bytes:
    """The inverse of `seal_under_header`; CannotOpen covers every reason."""
    body = sealed[len(header) :]
    if not sealed.startswith(header) or len(body) <= _NONCE or len(key) != KEY:
        raise CannotOpen
    try:
        padded = AESGCM(key).decrypt(body[:_NONCE], body[_NONCE:], header + where.bytes())
    except InvalidTag:
        raise CannotOpen from None
    return unpad(padded)
