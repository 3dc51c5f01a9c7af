"""Desk and vetting epochs: one hybrid key each, sealed to every holder and to the next epoch."""

from ugly_mugs.vault.hybrid import PrivateKey, PublicKey
from ugly_mugs.vault.where import Where


def new_epoch() -> PrivateKey:
    """A key for a new epoch; it is sealed to its holders and then forgotten."""
    return PrivateKey.generate()


def seal_epoch_to(holder: PublicKey, epoch: PrivateKey, where: Where) -> bytes:
    """The epoch's seed for one holder: a staff key, the recovery key or the next epoch."""
    return holder.seal(epoch.seed, where)


def open_epoch(holder: PrivateKey, sealed: bytes, where: Where) -> PrivateKey:
    """The epoch's key, or CannotOpen."""
    return PrivateKey.from_seed(holder.open(sealed, where))
