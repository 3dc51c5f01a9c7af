"""A root: a ring of random keys; all other keys are derived from it under a fixed set of labels."""

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ugly_mugs.vault.encoding import Format, joined
from ugly_mugs.vault.errors import CannotOpen, VaultError
from ugly_mugs.vault.symmetric import open_under_header, seal_under_header
from ugly_mugs.vault.where import Where

ServiceLabel = Literal[
    "rest",
    "receipt-pepper",
    "password-pepper",
    "form-token",
    "session",
    "csrf",
    "code",
    "key-mac",
    "link",
    "opt-out",
    "webhook",
    "metrics",
    "audit",
    "voprf",
    "series-tag",
]
WorkerLabel = Literal["contacts", "contact-tag", "verp"]
_LABELS: dict[str, frozenset[str]] = {
    "service": frozenset(get_args(ServiceLabel)),
    "worker": frozenset(get_args(WorkerLabel)),
}


def derive(key: bytes, *context: bytes, length: int = 32) -> bytes:
    """HKDF-SHA256 (RFC 5869) without salt; the length-prefixed context parts are its `info`."""
    return HKDF(SHA256(), length, salt=None, info=joined(b"ugly-mugs v1", *context)).derive(key)


class Root:
    """The service root or the worker root: ring keys by id, of which the highest id is current."""

    def __init__(self, name: Literal["service", "worker"], ring: Mapping[int, bytes]) -> None:
        if not ring:
            raise VaultError(f"The {name} root has no key.")
        self.name = name
        self.current = max(ring)
        self._ring = dict(ring)
        self._subkeys: dict[tuple[int, tuple[str, ...]], bytes] = {}

    def subkey(self, label: str, *context: str, ring_id: int | None = None) -> bytes:
        """The key of a label and context, from the current ring key unless `ring_id` is given.

        VaultError for a label of another root, CannotOpen for an unknown ring id.
        """
        if label not in _LABELS[self.name]:
            raise VaultError(f"{label!r} is no label of the {self.name} root.")
        chosen = self.current if ring_id is None else ring_id
        if chosen not in self._ring:
            raise CannotOpen
        cached = self._subkeys.get((chosen, (label, *context)))
        if cached is None:
            parts = [part.encode() for part in (self.name, label, *context)]
            cached = self._subkeys[chosen, (label, *context)] = derive(self._ring[chosen], *parts)
        return cached

    def subkeys(self, label: str, *context: str) -> dict[int, bytes]:
        """The label's key from every ring key, by ring id, the current one first."""
        return {
            ring_id: self.subkey(label, *context, ring_id=ring_id)
            for ring_id in sorted(self._ring, reverse=True)
        }

    def seal(self, label: str, plain: bytes, where: Where, *, sizes: Sequence[int]) -> bytes:
        """Format byte, ring id, nonce, ciphertext; the key is the subkey of this label, table and column."""
        header = Format.RING.byte + bytes([self.current])
        key = self.subkey(label, "seal", where.table, where.column)
        return seal_under_header(header, key, plain, where, sizes=sizes)

    def open(self, label: str, sealed: bytes, where: Where) -> bytes:
        """The inverse of `seal`, for any key of the ring; CannotOpen for every kind of failure."""
        header = sealed[:2]
        if len(header) < 2 or header[:1] != Format.RING.byte:
            raise CannotOpen
        key = self.subkey(label, "seal", where.table, where.column, ring_id=header[1])
        return open_under_header(header, key, sealed, where)
