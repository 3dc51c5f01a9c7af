"""Fixed sizes for sealed values: plain text is padded and never compressed, so that its length stays hidden."""

from collections.abc import Sequence

from ugly_mugs.vault.errors import CannotOpen, TooLong

# Sizes in bytes, including the four-byte length prefix.
TEXT = (1_024, 4_096, 16_384, 65_536)
FACETS = (64,)
CONSENTS = (4_096,)
CONTACT = (512,)
SESSION = (1_024,)
CODE = (256,)
HEAD = (128,)
NAME = (256,)
SETTINGS = (1_024,)

_LENGTH = 4


def pad(plain: bytes, sizes: Sequence[int]) -> bytes:
    """Length prefix, text, and zeros up to the smallest size that fits; TooLong if none does."""
    needed = _LENGTH + len(plain)
    for size in sorted(sizes):
        if needed <= size:
            return len(plain).to_bytes(_LENGTH, "big") + plain + bytes(size - needed)
    raise TooLong(limit=max(sizes) - _LENGTH)


def unpad(padded: bytes) -> bytes:
    """The inverse of `pad`; CannotOpen unless the length is valid and every byte after the text is zero."""
    end = _LENGTH + int.from_bytes(padded[:_LENGTH], "big")
    if len(padded) < _LENGTH or end > len(padded) or padded.count(0, end) != len(padded) - end:
        raise CannotOpen
    return padded[_LENGTH:end]
