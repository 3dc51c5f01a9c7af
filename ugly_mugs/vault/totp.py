"""Second-factor codes (TOTP, RFC 6238: SHA-1, 30 seconds, six digits), each accepted once."""

import hmac
import secrets
from datetime import datetime

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from ugly_mugs.vault.words import plain_letters

STEP_SECONDS = 30
_DIGITS = 6
SECRET = 20


def new_secret() -> bytes:
    """20 random bytes, the length RFC 4226 recommends."""
    return secrets.token_bytes(SECRET)


def uri(secret: bytes, login: str, issuer: str) -> str:
    """The otpauth URI that an authenticator app reads from a QR code."""
    return _totp(secret).get_provisioning_uri(login, issuer)


def verify(secret: bytes, code: str, now: datetime, last_step: int | None) -> int | None:
    """The time step of this code (now, one before or one after); None when it is wrong or already used.

    To prevent replay the caller stores the returned step and passes it as `last_step` the next time.
    """
    typed = "".join(sign for sign in plain_letters(code) if not sign.isspace() and sign != "-")
    current = _step(now)
    for step in (current - 1, current, current + 1):
        if hmac.compare_digest(_code(secret, step).encode(), typed.encode("utf-8", "replace")):
            return step if last_step is None or step > last_step else None
    return None


def code_now(secret: bytes, now: datetime) -> str:
    """The current code, for the sandbox page that replaces an authenticator app in a try-out."""
    return _code(secret, _step(now))


def _totp(secret: bytes) -> TOTP:
    # Authenticator apps support SHA-1 only; the collision attacks on SHA-1 do not affect HMAC-SHA1.
    return TOTP(secret, _DIGITS, SHA1(), STEP_SECONDS)  # noqa: S303 # nosec B303


def _code(secret: bytes, step: int) -> str:
    return _totp(secret).generate(step * STEP_SECONDS).decode()


def _step(now: datetime) -> int:
    if now.tzinfo is None:
        raise ValueError("A time without a zone has no step.")
    return int(now.timestamp()) // STEP_SECONDS
