"""When a message may be sent to somebody who does not want to be woken."""

from datetime import UTC, datetime, time

import pytest
from hypothesis import given, strategies as st

from ugly_mugs.quiet_hours import is_quiet, when_not_quiet
from ugly_mugs.settings import QuietHours

NIGHT = QuietHours(time(22, 0), time(8, 0))
SIESTA = QuietHours(time(13, 0), time(15, 30))


def at(year: int, month: int, day: int, hour: int, minute: int) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "leaves"),
    [
        ((2026, 11, 21, 21, 59), (2026, 11, 21, 21, 59)),
        ((2026, 11, 21, 22, 0), (2026, 11, 22, 8, 0)),
        ((2026, 11, 22, 7, 59), (2026, 11, 22, 8, 0)),
        ((2026, 11, 22, 8, 0), (2026, 11, 22, 8, 0)),
        # In summer the members' time is UTC+1.
        ((2026, 7, 1, 21, 30), (2026, 7, 2, 7, 0)),
        ((2026, 7, 1, 20, 59), (2026, 7, 1, 20, 59)),
        # Nights when the clocks change: quiet ends at eight local time, after nine or eleven hours.
        ((2026, 3, 28, 22, 0), (2026, 3, 29, 7, 0)),
        ((2026, 10, 24, 21, 0), (2026, 10, 25, 8, 0)),
        ((2026, 12, 31, 23, 0), (2027, 1, 1, 8, 0)),
    ],
)
def test_the_end_of_the_night_is_read_from_the_members_clocks(
    moment: tuple[int, int, int, int, int], leaves: tuple[int, int, int, int, int]
) -> None:
    assert when_not_quiet(at(*moment), NIGHT) == at(*leaves)


def test_quiet_hours_within_one_day() -> None:
    assert when_not_quiet(datetime(2026, 11, 21, 14, tzinfo=UTC), SIESTA) == datetime(
        2026, 11, 21, 15, 30, tzinfo=UTC
    )


@given(
    st.integers(1_700_000_000, 1_900_000_000).map(lambda second: datetime.fromtimestamp(second, UTC)),
    st.builds(QuietHours, st.times(), st.times()),
)
def test_it_is_never_quiet_then_and_never_more_than_a_day_later(moment: datetime, hours: QuietHours) -> None:
    leaves = when_not_quiet(moment, hours)

    assert moment <= leaves
    assert (leaves - moment).total_seconds() <= 25 * 3600
    if leaves != moment:
        assert is_quiet(moment, hours)
