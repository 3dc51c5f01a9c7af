"""One way in which a value becomes sealed JSON in a column, and comes back.

What is sealed is one version byte, then JSON in UTF-8, padded to one of the codec's sizes and bound to table, column
and row. With which key is the caller's: content key, draft key, cookie secret, `rest` or dispatch key. What is hashed
(approvals, audit entries) has a canonical form of its own and is no sealed JSON.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from ugly_mugs.vault import CannotOpen, VaultError, Where

T = TypeVar("T")

Plain = Any
"""What JSON can hold: dictionaries with text as keys, lists, text, numbers, booleans and None."""

Opener = Callable[[bytes, Where], bytes]

# Built once: `json.dumps` with options builds an encoder on every call, and `json.loads` looks which UTF it reads.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_decode = json.JSONDecoder().decode
# Before version 1 there was no version byte, and every value began with one of these.
_BARE = b"{["


class Sealer(Protocol):
    """Pads, and seals under one key at this place."""

    def __call__(self, plain: bytes, where: Where, /, *, sizes: Sequence[int]) -> bytes: ...


class UnknownVersion(CannotOpen):
    """It opened, but in a version that this release does not read: most likely a newer release wrote it."""

    def __init__(self, version: int, known: Iterable[int]) -> None:
        readable = ", ".join(map(str, sorted(known)))
        VaultError.__init__(
            self, f"This was written in version {version} of its format. This release reads: {readable}."
        )


@dataclass(frozen=True)
class SealedJson(Generic[T]):
    """The sealed JSON of one column.

    `dump` gives the plain form of a value in the newest version. `load` has a reader for every version that may still
    stand in a database, and raises ValueError for what it does not take.
    """

    table: str
    column: str
    sizes: Sequence[int]
    dump: Callable[[T], Plain]
    load: Mapping[int, Callable[[Plain], T]]

    def seal(self, value: T, *, row: UUID, sealer: Sealer) -> bytes:
        """TooLong when the value does not fit into the largest size."""
        plain = bytes((max(self.load),)) + _encode(self.dump(value)).encode()
        return sealer(plain, self.where(row), sizes=self.sizes)

    def open(self, sealed: bytes, *, row: UUID, opener: Opener) -> T:
        """The inverse of `seal`.

        CannotOpen for another key or place and for what `load` does not take; UnknownVersion is one of these.
        """
        plain = opener(sealed, self.where(row))
        if not plain:
            raise CannotOpen
        version, text = (1, plain) if plain[0] in _BARE else (plain[0], plain[1:])
        reader = self.load.get(version)
        if reader is None:
            raise UnknownVersion(version, self.load)
        try:
            return reader(_decode(text.decode()))
        except ValueError:
            # The message of a ValueError may hold a piece of the text.
            raise CannotOpen from None

    def where(self, row: UUID) -> Where:
        return Where(self.table, self.column, row)
