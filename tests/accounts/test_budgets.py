"""Budgets and concurrency limits."""

from datetime import UTC, datetime, timedelta

import pytest

from ugly_mugs.accounts import budgets
from ugly_mugs.accounts.budgets import Budget, ConcurrencyLimit
from ugly_mugs.errors import PleaseWait

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
A_MINUTE = timedelta(minutes=1)


class TestABudget:
    def test_ends(self) -> None:
        budget = Budget(3, A_MINUTE)

        assert [budget.spend(b"key", NOON) for _ in range(5)] == [True, True, True, False, False]

    def test_grows_back_evenly_and_never_above_its_limit(self) -> None:
        budget = Budget(2, A_MINUTE)
        budget.spend(b"key", NOON)
        budget.spend(b"key", NOON)

        assert not budget.spend(b"key", NOON + timedelta(seconds=29))
        assert budget.spend(b"key", NOON + timedelta(seconds=30))
        assert [budget.spend(b"key", NOON + timedelta(days=1)) for _ in range(3)] == [True, True, False]

    def test_is_one_for_each_key(self) -> None:
        budget = Budget(1, A_MINUTE)

        assert budget.spend(b"one", NOON)
        assert budget.spend(b"two", NOON)

    def test_stands_still_when_the_clock_goes_back(self) -> None:
        budget = Budget(1, A_MINUTE)
        budget.spend(b"key", NOON)

        assert not budget.spend(b"key", NOON - timedelta(hours=1))

    def test_keeps_no_key_that_could_be_read_back(self) -> None:
        budget = Budget(1, A_MINUTE)
        budget.spend(b"07700 900123", NOON)

        assert b"07700 900123" not in repr(vars(budget)).encode()
        assert set(Budget(1, A_MINUTE)._left) != set(budget._left)

    def test_is_forgotten_when_it_has_grown_back(self) -> None:
        budget = Budget(2, A_MINUTE)
        for number in range(100):
            budget.spend(bytes([number]), NOON)

        budget.spend(b"later", NOON + A_MINUTE)

        assert len(budget._left) == 1

    def test_makes_room_by_forgetting_what_was_unused_longest(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(budgets, "MOST_KEYS", 3)
        budget = Budget(1, A_MINUTE)
        for key in (b"one", b"two", b"three", b"one", b"four"):
            budget.spend(key, NOON)

        assert not budget.spend(b"one", NOON)
        assert budget.spend(b"two", NOON)

    def test_takes_no_more_memory_than_it_may(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(budgets, "MOST_KEYS", 100)
        budget = Budget(2, A_MINUTE)

        kept = []
        for number in range(300):
            budget.spend(number.to_bytes(2, "big"), NOON)
            kept.append(len(budget._left))

        assert kept[:100] == list(range(1, 101))
        assert all(90 <= keys <= 100 for keys in kept[100:])

    def test_a_flood_of_other_keys_gives_no_tries_back(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(budgets, "MOST_KEYS", 100)
        budget = Budget(10, timedelta(minutes=10))
        for _ in range(10):
            budget.spend(b"guessed", NOON)

        # Each of these has its one try back after a minute; the guessed key gets one back each minute.
        for number in range(300):
            budget.spend(number.to_bytes(2, "big"), NOON + timedelta(seconds=number))
        after = NOON + timedelta(minutes=5)

        assert [budget.spend(b"guessed", after) for _ in range(6)] == [True] * 5 + [False]


class TestAConcurrencyLimit:
    def test_sends_away_whoever_finds_no_slot(self) -> None:
        limit = ConcurrencyLimit(2)

        with limit.slot(), limit.slot(), pytest.raises(PleaseWait), limit.slot():
            pass

    def test_gives_the_slot_back_whatever_happened(self) -> None:
        limit = ConcurrencyLimit(1)

        with pytest.raises(ValueError, match="trouble"), limit.slot():
            raise ValueError("trouble")

        with limit.slot():
            pass
