"""Unambiguous concatenation of byte strings, and base64url text for links and form fields."""

import base64
import binascii
from enum import IntEnum


class Format(IntEnum):
    """First byte of every sealed value: names the layout of the bytes after it, and is authenticated with them."""

    SYMMETRIC = 1
    RING = 2
    HYBRID = 3
    HYBRID_PADDED = 4
    PASSPHRASE = 5
    RECEIPT = 6
    PUBLIC_KEY = 16

    @property
    def byte(self) -> bytes:
        return bytes([self])


def joined(*parts: bytes) -> bytes:
    """Each part prefixed with its length (four bytes), so that two different lists never give the same bytes."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def to_text(raw: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def from_text(text: str, length: int) -> bytes | None:
    """Decode `length` bytes; None unless `to_text` would have written exactly this text."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    # Base64 can encode the same bytes in several ways; accepting one only means a token has one valid form.
    return raw if len(raw) == length and to_text(raw) == text else None
