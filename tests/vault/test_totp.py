"""Second-factor codes."""

from datetime import UTC, datetime, timedelta

import pytest

from ugly_mugs.vault import totp

# RFC 6238 appendix B gives eight digits for SHA-1; six-digit codes are their last six.
RFC_SECRET = b"12345678901234567890"
RFC_VECTORS = [
    (59, "94287082"),
    (1111111109, "07081804"),
    (1111111111, "14050471"),
    (1234567890, "89005924"),
    (2000000000, "69279037"),
    (20000000000, "65353130"),
]
NOW = datetime(2026, 11, 21, 20, 40, tzinfo=UTC)
STEP = timedelta(seconds=30)


@pytest.mark.parametrize(("seconds", "code"), RFC_VECTORS)
def test_the_codes_are_those_of_rfc_6238(seconds: int, code: str) -> None:
    at = datetime.fromtimestamp(seconds, UTC)

    assert totp.code_now(RFC_SECRET, at) == code[-6:]
    assert totp.verify(RFC_SECRET, code[-6:], at, None) == seconds // 30


def test_a_code_is_accepted_once() -> None:
    secret = totp.new_secret()
    code = totp.code_now(secret, NOW)

    step = totp.verify(secret, code, NOW, None)

    assert step is not None
    assert totp.verify(secret, code, NOW, step) is None


def test_an_older_code_is_refused_after_a_newer_one() -> None:
    older, newer = totp.code_now(RFC_SECRET, NOW - STEP), totp.code_now(RFC_SECRET, NOW)
    step = totp.verify(RFC_SECRET, newer, NOW, None)

    assert totp.verify(RFC_SECRET, older, NOW, step) is None


@pytest.mark.parametrize(("steps", "accepted"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_one_step_off(steps: int, accepted: bool) -> None:
    code = totp.code_now(RFC_SECRET, NOW + steps * STEP)

    assert (totp.verify(RFC_SECRET, code, NOW, None) is not None) is accepted


def test_spaces_and_hyphens_in_a_code_do_not_matter() -> None:
    code = totp.code_now(RFC_SECRET, NOW)

    assert totp.verify(RFC_SECRET, f" {code[:3]} {code[3:]} ", NOW, None) is not None
    assert totp.verify(RFC_SECRET, f"{code[:3]}-{code[3:]}", NOW, None) is not None


@pytest.mark.parametrize("typed", ["", "abcdef", "12345", "1234567", "\ud800", "\uff16"])
def test_a_malformed_code_is_refused(typed: str) -> None:
    assert totp.verify(RFC_SECRET, typed, NOW, None) is None


def test_the_uri_for_an_authenticator_holds_login_issuer_and_secret() -> None:
    uri = totp.uri(RFC_SECRET, "robin", "Safety desk")

    assert uri.startswith("otpauth://totp/Safety%20desk:robin?")
    assert "secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" in uri


def test_secrets_are_twenty_random_bytes() -> None:
    assert len(totp.new_secret()) == 20
    assert totp.new_secret() != totp.new_secret()
