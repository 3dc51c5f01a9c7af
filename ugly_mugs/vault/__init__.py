"""All keys and all encryption; no other package of the project imports a cryptography library."""

from ugly_mugs.vault import content, padding, symmetric, totp, words
from ugly_mugs.vault.errors import (
    Busy,
    CannotOpen,
    KeyFileProblem,
    SwappedKey,
    TooLong,
    UnknownWord,
    VaultError,
    WrongLength,
    WrongPlace,
)
from ugly_mugs.vault.form_tokens import FormToken, FormTokens
from ugly_mugs.vault.hybrid import PrivateKey, PublicKey
from ugly_mugs.vault.keys import epochs, keyfiles
from ugly_mugs.vault.keys.keyfiles import EpochMark, ServiceFile, WorkerFile
from ugly_mugs.vault.keys.passphrases import StaffKeySeal
from ugly_mugs.vault.keys.recovery import RecoveryWords
from ugly_mugs.vault.receipts import Receipt, Receipts
from ugly_mugs.vault.tags import IdentifierTags
from ugly_mugs.vault.vault import ServiceVault, WorkerVault
from ugly_mugs.vault.where import Where

__all__ = [
    "Busy",
    "CannotOpen",
    "EpochMark",
    "FormToken",
    "FormTokens",
    "IdentifierTags",
    "KeyFileProblem",
    "PrivateKey",
    "PublicKey",
    "Receipt",
    "Receipts",
    "RecoveryWords",
    "ServiceFile",
    "ServiceVault",
    "StaffKeySeal",
    "SwappedKey",
    "TooLong",
    "UnknownWord",
    "VaultError",
    "Where",
    "WorkerFile",
    "WorkerVault",
    "WrongLength",
    "WrongPlace",
    "content",
    "epochs",
    "keyfiles",
    "padding",
    "symmetric",
    "totp",
    "words",
]
