"""Content keys of reports and draft keys of alerts: who they are wrapped for."""

from ugly_mugs.vault.encoding import Format
from ugly_mugs.vault.errors import CannotOpen, VaultError
from ugly_mugs.vault.hybrid import PrivateKey, PublicKey
from ugly_mugs.vault.receipts import Receipt, Receipts
from ugly_mugs.vault.symmetric import KEY, open_under_header, seal_under_header
from ugly_mugs.vault.where import Where

_SIZES = (64,)


def wrap_to_epoch(epoch: PublicKey, key: bytes, where: Where) -> bytes:
    """A report's content key for whoever holds the desk epoch."""
    return epoch.seal(_whole(key), where)


def unwrap_with_epoch(epoch: PrivateKey, sealed: bytes, where: Where) -> bytes:
    """The content key, or CannotOpen."""
    return epoch.open(sealed, where)


def wrap_under_receipt(receipts: Receipts, receipt: Receipt, key: bytes, where: Where) -> bytes:
    """A report's content key for the reporter: format byte, ring id of the pepper, nonce, ciphertext."""
    header = Format.RECEIPT.byte + bytes([receipts.current])
    return seal_under_header(header, receipts.wrap_key(receipt), _whole(key), where, sizes=_SIZES)


def unwrap_with_receipt(receipts: Receipts, receipt: Receipt, sealed: bytes, where: Where) -> bytes:
    """The content key, or CannotOpen."""
    header = sealed[:2]
    if len(header) < 2 or header[:1] != Format.RECEIPT.byte or not receipts.knows(header[1]):
        raise CannotOpen
    return open_under_header(header, receipts.wrap_key(receipt, header[1]), sealed, where)


def wrap_draft_key(staff_public: PublicKey, key: bytes, where: Where) -> bytes:
    """An alert version's draft key for one author or one possible approver."""
    return staff_public.seal(_whole(key), where)


def unwrap_draft_key(staff: PrivateKey, sealed: bytes, where: Where) -> bytes:
    """The draft key, or CannotOpen."""
    return staff.open(sealed, where)


def _whole(key: bytes) -> bytes:
    # Hybrid seals of keys are not padded, because all keys have one length: anything else is not a key.
    if len(key) != KEY:
        raise VaultError("Only a whole key can be wrapped.")
    return key
