"""How bytes are put side by side without ambiguity, and how they become text for a link or a form field."""

import base64
import binascii
from enum import IntEnum


class Format(IntEnum):
    """The first byte of everything sealed: it names the layout that follows and is authenticated with it."""

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
    """Each part behind its length (four bytes), so that no two lists of parts give the same bytes."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def to_text(raw: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def from_text(text: str, length: int) -> bytes | None:
    """The inverse of `to_text` for `length` bytes; None for what `to_text` could not have written."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    # Base64 has several spellings for the same bytes; only ours counts, so a token cannot be varied.
    return raw if len(raw) == length and to_text(raw) == text else None
