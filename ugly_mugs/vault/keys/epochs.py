"""Desk and vetting epochs: each is a hybrid key whose seed is sealed to every holder and to the next epoch."""

from ugly_mugs.vault.hybrid import PrivateKey, PublicKey
from ugly_mugs.vault.where import Where


def new_epoch() -> PrivateKey:
    """A new epoch's key; the caller seals it to its holders and keeps no other copy."""
    return PrivateKey.generate()


def seal_epoch_to(holder: PublicKey, epoch: PrivateKey, where: Where) -> bytes:
    """Seal the epoch's seed to one holder: a staff key, the recovery key or the next epoch."""
    return holder.seal(epoch.seed, where)


def open_epoch(holder: PrivateKey, sealed: bytes, where: Where) -> PrivateKey:
    """The epoch's key, or CannotOpen."""
    return PrivateKey.from_seed(holder.open(sealed, where))
