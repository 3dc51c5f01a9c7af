"""Keyed fingerprints of identifiers: they link reports without decrypting them."""

import hashlib
import hmac

from voprf.ristretto import Evaluator

from ugly_mugs.vault.errors import VaultError

# RFC 9497 DeriveKeyPair takes a seed and this public info.
INFO = b"ugly-mugs identifier tags v1"
_CHECKER_TAG = 8


class IdentifierTags:
    """Secret points and the two tags derived from each; without the point the two cannot be matched."""

    def __init__(self, voprf_seed: bytes, series_key: bytes) -> None:
        self._evaluator = Evaluator.from_seed(voprf_seed, INFO)
        self._series_key = series_key

    def secret_point(self, kind: str, identifier: str) -> bytes:
        """P: the 64-byte VOPRF output (RFC 9497, ristretto255-SHA512) of kind ‖ 0 ‖ normalised identifier.

        Both tags can be computed from P, so it is stored only inside a sealed report. VaultError for an empty
        kind or identifier, or a zero byte in the kind.
        """
        # The library accepts an empty input; all empty fields would then have the same tag.
        if not kind or not identifier:
            raise VaultError("An identifier without its kind or without its text has no tag.")
        if "\0" in kind:
            raise VaultError("A kind of identifier holds no zero byte.")
        return self._evaluator.evaluate_known_input(kind.encode() + b"\0" + identifier.encode())

    def series_tag(self, point: bytes) -> bytes:
        """HMAC(series-tag, P), 32 bytes: stored with reports, equal for equal identifiers."""
        return hmac.digest(self._series_key, point, hashlib.sha256)

    def checker_tag(self, point: bytes) -> bytes:
        """First eight bytes of SHA-256("checker" ‖ P), stored only for identifiers released to the checker."""
        return hashlib.sha256(b"checker" + point).digest()[:_CHECKER_TAG]
