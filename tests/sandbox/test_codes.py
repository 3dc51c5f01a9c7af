"""One-time codes, signatures and the parts of a text, each compared with another implementation or a standard."""

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from hypothesis import example, given, strategies as st
from twilio.request_validator import RequestValidator

from ugly_mugs.sandbox.demo import Login
from ugly_mugs.sandbox.settings import NotLoopback, SandboxSettings, is_loopback
from ugly_mugs.sandbox.signature import sign
from ugly_mugs.sandbox.twilio.segments import BASIC, EXTENDED, count_segments


class TestCodes:
    @pytest.mark.parametrize(
        ("now", "code"),
        [
            (59, "287082"),
            (1111111109, "081804"),
            (1111111111, "050471"),
            (1234567890, "005924"),
            (20000000000, "353130"),
        ],
    )
    def test_they_are_those_of_rfc_6238(self, now: int, code: str) -> None:
        assert Login("alice", "", "", b"12345678901234567890").code(now) == code

    @given(st.binary(min_size=16, max_size=40), st.integers(0, 2**40))
    def test_they_are_those_of_another_implementation(self, secret: bytes, now: int) -> None:
        other = TOTP(secret, 6, SHA1(), 30, enforce_key_length=False)

        assert Login("alice", "", "", secret).code(now) == other.generate(now).decode()


class TestSignatures:
    @given(st.text(), st.dictionaries(st.text(min_size=1), st.text()))
    def test_they_are_those_the_providers_library_computes(self, token: str, fields: dict[str, str]) -> None:
        url = "http://127.0.0.1:8000/webhooks/twilio/token/status?d=1"

        assert sign(token, url, fields) == RequestValidator(token).compute_signature(url, fields)


class TestParts:
    @pytest.mark.parametrize(
        ("text", "parts"),
        [
            ("", 1),
            ("a" * 160, 1),
            ("a" * 161, 2),
            ("a" * 306, 2),
            ("a" * 307, 3),
            ("€" * 80, 1),
            ("€" * 81, 2),
            ("a" * 152 + "€" + "a" * 10, 2),
            ("a" * 152 + "€" * 77, 3),
            ("ș" * 70, 1),
            ("ș" * 71, 2),
            ("ș" * 134, 2),
            ("🌧" * 35, 1),
            ("🌧" * 66, 2),
            ("🌧" * 67, 3),
        ],
    )
    def test_known_counts(self, text: str, parts: int) -> None:
        assert count_segments(text) == parts

    def test_the_basic_alphabet_has_its_127_letters(self) -> None:
        assert len(BASIC) == 127
        assert not BASIC & EXTENDED

    @given(st.text(st.sampled_from(sorted(BASIC | EXTENDED)) | st.characters(codec="utf-8"), max_size=700))
    @example("a" * 153 * 4)
    def test_parts_are_as_few_as_the_units_allow(self, text: str) -> None:
        plain = set(text) <= BASIC | EXTENDED
        units = (
            sum(1 + (letter in EXTENDED) for letter in text) if plain else len(text.encode("utf-16-le")) // 2
        )
        alone, joined = (160, 153) if plain else (70, 67)
        least = 1 if units <= alone else -(-units // joined)

        # Keeping a pair together wastes at most one unit of each part.
        assert least <= count_segments(text) <= max(1, -(-units // (joined - 1)))


class TestThisMachine:
    @pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost"])
    def test_loopback_is_this_machine(self, host: str) -> None:
        assert is_loopback(host)

    @pytest.mark.parametrize(
        "host", ["0.0.0.0", "::", "192.0.2.1", "example.org", "localhost.example.org", ""]
    )
    def test_nothing_else_is(self, host: str) -> None:
        assert not is_loopback(host)
        with pytest.raises(NotLoopback):
            SandboxSettings(host=host)
