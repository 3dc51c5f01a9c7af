"""Wraps content keys of reports (for the desk epoch, for the receipt) and draft keys of alerts (for staff keys)."""

from ugly_mugs.vault.encoding import Format
from ugly_mugs.vault.errors import CannotOpen, VaultError
from ugly_mugs.vault.hybrid import PublicKey
from ugly_mugs.vault.receipts import Receipt, Receipts
from ugly_mugs.vault.symmetric import KEY, open_under_header, seal_under_header
from ugly_mugs.vault.where import Where

_SIZES = (64,)


def wrap(public: PublicKey, key: bytes, where: Where) -> bytes:
    """Wrap a content key or draft key for the desk epoch or for a person; VaultError unless it is 32 bytes."""
    return public.seal(_checked(key), where)


def wrap_under_receipt(receipts: Receipts, receipt: Receipt, key: bytes, where: Where) -> bytes:
    """Wrap a report's content key for the reporter: format byte, ring id of the pepper, nonce, ciphertext.

    VaultError unless the key is 32 bytes.
    """
    header = Format.RECEIPT.byte + bytes([receipts.current])
    return seal_under_header(header, receipts.wrap_key(receipt), _checked(key), where, sizes=_SIZES)


def unwrap_with_receipt(receipts: Receipts, receipt: Receipt, sealed: bytes, where: Where) -> bytes:
    """The content key, or CannotOpen."""
    header = sealed[:2]
    if len(header) < 2 or header[:1] != Format.RECEIPT.byte or not receipts.knows(header[1]):
        raise CannotOpen
    return open_under_header(header, receipts.wrap_key(receipt, header[1]), sealed, where)


def _checked(key: bytes) -> bytes:
    # Wrapped keys are not padded by the hybrid seal; equal lengths are what keeps the size from telling anything.
    if len(key) != KEY:
        raise VaultError("Only a whole key can be wrapped.")
    return key
