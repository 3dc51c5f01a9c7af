"""Tokens for forms without a cookie."""

import string
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings, strategies as st

from ugly_mugs.vault import FormToken, FormTokens

TOKENS = FormTokens({1: bytes(range(32))})
NOW = datetime(2026, 11, 21, 20, 40, tzinfo=UTC)
HOUR = timedelta(hours=1)
LETTERS = string.ascii_letters + string.digits + "-_"


def issued(now: datetime = NOW, purpose: str = "report") -> FormToken:
    token = TOKENS.read(purpose, TOKENS.issue(purpose, now))
    assert token is not None
    return token


def test_a_token_is_read_by_the_form_it_was_drawn_for() -> None:
    text = TOKENS.issue("report", NOW)

    token = TOKENS.read("report", text)

    assert token is not None
    assert token.text == text
    assert len(token.value) == 16


def test_a_token_for_one_form_is_not_valid_for_another() -> None:
    assert TOKENS.read("sign-in", TOKENS.issue("report", NOW)) is None


def test_each_token_is_different() -> None:
    assert issued().value != issued().value


@given(st.integers(0, 47), st.integers(1, 63))
@settings(max_examples=300)
def test_a_changed_letter_makes_it_invalid(at: int, by: int) -> None:
    text = TOKENS.issue("report", NOW)
    letter = LETTERS[(LETTERS.index(text[at]) + by) % 64]

    assert TOKENS.read("report", text[:at] + letter + text[at + 1 :]) is None


@given(st.text())
def test_any_other_text_is_invalid(text: str) -> None:
    assert TOKENS.read("report", text) is None


def test_a_token_needs_no_escaping_in_a_url() -> None:
    assert set(issued().text) <= set(LETTERS)


def test_a_token_of_a_former_ring_key_is_valid_and_of_an_unknown_one_not() -> None:
    text = TOKENS.issue("report", NOW)

    assert FormTokens({1: bytes(range(32)), 2: bytes(32)}).read("report", text) is not None
    assert FormTokens({2: bytes(32)}).read("report", text) is None


@pytest.mark.parametrize(
    ("age", "current", "fileable"),
    [
        (timedelta(0), True, True),
        (timedelta(minutes=30), True, True),
        (timedelta(minutes=61), False, True),
        (24 * HOUR, False, True),
        (25 * HOUR, False, False),
        (timedelta(minutes=-31), False, False),
    ],
)
def test_the_age_of_a_token_decides_whether_it_is_current_or_fileable(
    age: timedelta, current: bool, fileable: bool
) -> None:
    token = issued()

    assert TOKENS.is_current(token, NOW + age) is current
    assert TOKENS.is_fileable(token, NOW + age) is fileable


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        TOKENS.issue("report", NOW.replace(tzinfo=None))
