"""The recovery key: a hybrid key derived from ten words, which are written on paper and stored on no machine."""

from ugly_mugs.vault.hybrid import SEED, PrivateKey
from ugly_mugs.vault.keys.roots import derive
from ugly_mugs.vault.words import phrase, read

COUNT = 10


class RecoveryWords:
    """Ten words of the list: 129 bits."""

    @staticmethod
    def generate() -> tuple[str, PrivateKey]:
        words = phrase(COUNT)
        return words, RecoveryWords.from_words(words)

    @staticmethod
    def from_words(text: str) -> PrivateKey:
        """The key of words with any separators; UnknownWord (with its position) or WrongLength.

        HKDF without a slow hash, because 129 random bits cannot be guessed. No root key is used, because the
        words must work after the key files are lost.
        """
        places = b"".join(place.to_bytes(2, "big") for place in read(text, COUNT))
        return PrivateKey(derive(places, b"recovery", length=SEED))
