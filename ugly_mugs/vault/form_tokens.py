"""Tokens for forms without a cookie. One token files at most one report and always gives the same receipt."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ugly_mugs.vault.encoding import from_text, joined, to_text

SLOT_SECONDS = 30 * 60
_FILEABLE_SLOTS = 24 * 60 * 60 // SLOT_SECONDS
_VALUE, _SLOT, _MAC = 16, 4, 16


@dataclass(frozen=True, repr=False)
class FormToken:
    """A token with a valid MAC: 128 random bits, the half-hour it was issued in, its text in the form."""

    value: bytes
    slot: int
    text: str


class FormTokens:
    """Issues and reads form tokens. The MAC covers the purpose, so a token is valid for one kind of form only."""

    def __init__(self, subkey_by_ring: Mapping[int, bytes]) -> None:
        self._keys = dict(subkey_by_ring)
        self._current = self._keys[max(self._keys)]

    def new(self, purpose: str, now: datetime) -> FormToken:
        value, slot = secrets.token_bytes(_VALUE), _slot(now)
        body = value + slot.to_bytes(_SLOT, "big")
        return FormToken(value, slot, to_text(body + _mac(self._current, purpose, body)))

    def issue(self, purpose: str, now: datetime) -> str:
        """The text of a new token for a form of this purpose."""
        return self.new(purpose, now).text

    def read(self, purpose: str, text: str) -> FormToken | None:
        """The token, of any age; None unless its MAC is valid for this purpose under one of the ring keys."""
        raw = from_text(text, _VALUE + _SLOT + _MAC)
        if raw is None:
            return None
        body, mac = raw[:-_MAC], raw[-_MAC:]
        if not any(hmac.compare_digest(mac, _mac(key, purpose, body)) for key in self._keys.values()):
            return None
        return FormToken(value=body[:_VALUE], slot=int.from_bytes(body[_VALUE:], "big"), text=text)

    @staticmethod
    def is_current(token: FormToken, now: datetime) -> bool:
        """Whether it was issued in this half-hour or the one before."""
        return 0 <= _slot(now) - token.slot <= 1

    @staticmethod
    def is_fileable(token: FormToken, now: datetime) -> bool:
        """Whether it is at most 24 hours old and not from the future: a new report may be filed with it."""
        return 0 <= _slot(now) - token.slot <= _FILEABLE_SLOTS


def _slot(now: datetime) -> int:
    if now.tzinfo is None:
        raise ValueError("A time without a zone cannot be placed in a slot.")
    return int(now.timestamp()) // SLOT_SECONDS


def _mac(key: bytes, purpose: str, body: bytes) -> bytes:
    """HMAC-SHA256 truncated to 128 bits, which is enough because only this service can check guesses."""
    return hmac.digest(key, joined(purpose.encode(), body), hashlib.sha256)[:_MAC]
