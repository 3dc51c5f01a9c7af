"""Symmetric encryption: AES-256-GCM with padding; the place is the associated data."""

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
    """32 random bytes, for a content key or a draft key."""
    return secrets.token_bytes(KEY)


def seal(key: bytes, plain: bytes, where: Where, *, sizes: Sequence[int]) -> bytes:
    """Format byte, nonce, ciphertext; TooLong if `plain` fits none of `sizes`."""
    return seal_under_header(Format.SYMMETRIC.byte, key, plain, where, sizes=sizes)


def open_sealed(key: bytes, sealed: bytes, where: Where) -> bytes:
    """The inverse of `seal`; CannotOpen for every kind of failure."""
    return open_under_header(Format.SYMMETRIC.byte, key, sealed, where)


def seal_under_header(
    header: bytes, key: bytes, plain: bytes, where: Where, *, sizes: Sequence[int]
) -> bytes:
    """As `seal`, with another header (format byte, ring id, …), which is authenticated together with the place.

    The nonce is 96 random bits. NIST SP 800-38D asks for a new key after 2^32 values; a key here seals far
    fewer, because each table and column has its own.
    """
    nonce = secrets.token_bytes(_NONCE)
    ciphertext = AESGCM(key).encrypt(nonce, pad(plain, sizes), header + where.bytes())
    return header + nonce + ciphertext


def open_under_header(header: bytes, key: bytes, sealed: bytes, where: Where) -> bytes:
    """The inverse of `seal_under_header`; CannotOpen for every kind of failure."""
    body = sealed[len(header) :]
    if not sealed.startswith(header) or len(body) <= _NONCE or len(key) != KEY:
        raise CannotOpen
    try:
        padded = AESGCM(key).decrypt(body[:_NONCE], body[_NONCE:], header + where.bytes())
    except InvalidTag:
        raise CannotOpen from None
    return unpad(padded)
