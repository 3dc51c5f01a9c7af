"""The receipt: seven words with which a reporter, and nobody else, comes back to their report."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from ugly_mugs.vault.encoding import joined
from ugly_mugs.vault.form_tokens import FormToken
from ugly_mugs.vault.keys.roots import derive
from ugly_mugs.vault.words import BASE, DIGITS_PER_WORD, WORDS, digits_of, read

COUNT = 7


@dataclass(frozen=True, repr=False)
class Receipt:
    """Seven places in the word list: 90 bits, so that nothing made from it needs a slow hash."""

    indices: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.indices) != COUNT or not all(0 <= place < BASE for place in self.indices):
            raise ValueError("A receipt is seven places in the word list.")

    @classmethod
    def parse(cls, text: str) -> "Receipt":
        """Words or digits in any layout; raises UnknownWord (which names the place) or WrongLength."""
        return cls(read(text, COUNT, digits=True))

    @property
    def words(self) -> str:
        """Seven words with spaces between them."""
        return " ".join(WORDS[place] for place in self.indices)

    @property
    def digits(self) -> str:
        """28 digits in groups of four, one group a word, for those who read digits better than English."""
        return " ".join(f"{place:0{DIGITS_PER_WORD}d}" for place in self.indices)


class Receipts:
    """Makes receipts and what follows from them, all of it under the receipt pepper of the service root."""

    def __init__(self, pepper_by_ring: Mapping[int, bytes]) -> None:
        self._peppers = dict(pepper_by_ring)
        self.current = max(self._peppers)
        self._following = {
            (ring_id, purpose): derive(pepper, purpose)
            for ring_id, pepper in self._peppers.items()
            for purpose in (b"locator", b"wrap")
        }

    def from_form_token(self, token: FormToken) -> Receipt:
        """HKDF(receipt-pepper, token): the same form gives the same receipt, with no table of tokens.

        512 bits modulo 7,776^7 (90.5 bits): the remainder's bias is below 2^-400.
        """
        number = int.from_bytes(
            derive(self._peppers[self.current], b"receipt", token.value, length=64), "big"
        )
        return Receipt(digits_of(number % BASE**COUNT, COUNT))

    def locator(self, receipt: Receipt) -> bytes:
        """What finds the report's row (unique column, 32 bytes); it opens nothing."""
        return self._follow(b"locator", receipt, self.current)

    def wrap_key(self, receipt: Receipt, ring_id: int | None = None) -> bytes:
        """The key under which a content key is wrapped; of the current pepper unless another is named."""
        return self._follow(b"wrap", receipt, self.current if ring_id is None else ring_id)

    def knows(self, ring_id: int) -> bool:
        """Whether a pepper of this ring id is there."""
        return ring_id in self._peppers

    def _follow(self, purpose: bytes, receipt: Receipt, ring_id: int) -> bytes:
        """HMAC-SHA256 under a subkey of the pepper for this purpose, over the seven places."""
        places = b"".join(place.to_bytes(2, "big") for place in receipt.indices)
        return hmac.digest(self._following[ring_id, purpose], joined(places), hashlib.sha256)
