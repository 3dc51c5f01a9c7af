"""Fixed sizes for everything sealed: pad, then seal, and never compress, so that a length tells nothing."""

from collections.abc import Sequence

from ugly_mugs.vault.errors import CannotOpen, TooLong

# Every size is in bytes and includes the length written before the text.
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
    """Length, text and zeros up to the smallest size that holds them; TooLong names the most that fits."""
    needed = _LENGTH + len(plain)
    for size in sorted(sizes):
        if needed <= size:
            return len(plain).to_bytes(_LENGTH, "big") + plain + bytes(size - needed)
    raise TooLong(limit=max(sizes) - _LENGTH)


def unpad(padded: bytes) -> bytes:
    """What `pad` was given; CannotOpen unless the length fits and every byte after it is zero."""
    end = _LENGTH + int.from_bytes(padded[:_LENGTH], "big")
    if len(padded) < _LENGTH or end > len(padded) or padded.count(0, end) != len(padded) - end:
        raise CannotOpen
    return padded[_LENGTH:end]
