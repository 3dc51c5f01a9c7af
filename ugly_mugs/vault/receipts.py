"""The receipt: seven words with which the reporter opens their report again."""

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
    """Seven indices into the word list: 90 bits, enough that values derived from it need no slow hash."""

    indices: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.indices) != COUNT or not all(0 <= place < BASE for place in self.indices):
            raise ValueError("A receipt is seven places in the word list.")

    @classmethod
    def parse(cls, text: str) -> "Receipt":
        """Read words or digits with any separators; UnknownWord (with its position) or WrongLength."""
        return cls(read(text, COUNT, digits=True))

    @property
    def words(self) -> str:
        return " ".join(WORDS[place] for place in self.indices)

    @property
    def digits(self) -> str:
        """28 digits, a group of four for each word, for people who read digits more easily than English words."""
        return " ".join(f"{place:0{DIGITS_PER_WORD}d}" for place in self.indices)


class Receipts:
    """Makes receipts and the values derived from them, all under the receipt pepper of the service root."""

    def __init__(self, pepper_by_ring: Mapping[int, bytes]) -> None:
        self._peppers = dict(pepper_by_ring)
        self.current = max(self._peppers)
        self._subkeys = {
            (ring_id, purpose): derive(pepper, purpose)
            for ring_id, pepper in self._peppers.items()
            for purpose in (b"locator", b"wrap")
        }

    def from_form_token(self, token: FormToken) -> Receipt:
        """HKDF(receipt-pepper, token): the same form gives the same receipt without storing tokens.

        512 bits modulo 7,776^7 (90.5 bits): the remainder's bias is below 2^-400.
        """
        number = int.from_bytes(
            derive(self._peppers[self.current], b"receipt", token.value, length=64), "big"
        )
        return Receipt(digits_of(number % BASE**COUNT, COUNT))

    def locator(self, receipt: Receipt) -> bytes:
        """32 bytes that identify the report's row (a unique column); they decrypt nothing."""
        return self._derive(b"locator", receipt, self.current)

    def wrap_key(self, receipt: Receipt, ring_id: int | None = None) -> bytes:
        """The key that wraps the content key; from the current pepper unless `ring_id` is given."""
        return self._derive(b"wrap", receipt, self.current if ring_id is None else ring_id)

    def knows(self, ring_id: int) -> bool:
        return ring_id in self._peppers

    def _derive(self, purpose: bytes, receipt: Receipt, ring_id: int) -> bytes:
        """HMAC-SHA256 of the seven indices under the pepper's subkey for this purpose."""
        places = b"".join(place.to_bytes(2, "big") for place in receipt.indices)
        return hmac.digest(self._subkeys[ring_id, purpose], joined(places), hashlib.sha256)
