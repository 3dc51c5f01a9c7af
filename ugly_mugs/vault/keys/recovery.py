"""The recovery key: ten words on paper from which a hybrid key is made again; no machine keeps it."""

from ugly_mugs.vault.hybrid import SEED, PrivateKey
from ugly_mugs.vault.keys.roots import derive
from ugly_mugs.vault.words import phrase, read

COUNT = 10


class RecoveryWords:
    """Ten words of the list (129 bits), shown once."""

    @staticmethod
    def generate() -> tuple[str, PrivateKey]:
        """New words and their key."""
        words = phrase(COUNT)
        return words, RecoveryWords.from_words(words)

    @staticmethod
    def from_words(text: str) -> PrivateKey:
        """The key of words typed in any layout; raises UnknownWord (which names the place) or WrongLength.

        HKDF alone, without a slow hash: 129 random bits cannot be tried. It depends on no root, because it is
        what remains when the key files are lost.
        """
        places = b"".join(place.to_bytes(2, "big") for place in read(text, COUNT))
        return PrivateKey.from_seed(derive(places, b"recovery", length=SEED))
