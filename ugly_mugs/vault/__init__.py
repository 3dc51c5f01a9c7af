"""All keys and all encryption; no other package of the project imports a cryptography library."""

from ugly_mugs.vault import (
    content as content,
    padding as padding,
    symmetric as symmetric,
    totp as totp,
    words as words,
)
from ugly_mugs.vault.errors import (
    Busy as Busy,
    CannotOpen as CannotOpen,
    KeyFileProblem as KeyFileProblem,
    SwappedKey as SwappedKey,
    TooLong as TooLong,
    UnknownWord as UnknownWord,
    VaultError as VaultError,
    WrongLength as WrongLength,
    WrongPlace as WrongPlace,
)
from ugly_mugs.vault.form_tokens import FormToken as FormToken, FormTokens as FormTokens
from ugly_mugs.vault.hybrid import PrivateKey as PrivateKey, PublicKey as PublicKey
from ugly_mugs.vault.keys.keyfiles import (
    EpochMark as EpochMark,
    ServiceFile as ServiceFile,
    WorkerFile as WorkerFile,
)
from ugly_mugs.vault.keys.passphrases import StaffKeySeal as StaffKeySeal
from ugly_mugs.vault.keys.recovery import RecoveryWords as RecoveryWords
from ugly_mugs.vault.receipts import Receipt as Receipt, Receipts as Receipts
from ugly_mugs.vault.tags import IdentifierTags as IdentifierTags
from ugly_mugs.vault.vault import ServiceVault as ServiceVault, WorkerVault as WorkerVault
from ugly_mugs.vault.where import Where as Where
