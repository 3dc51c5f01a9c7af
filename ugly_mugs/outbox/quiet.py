"""Quiet hours, in which only those who asked for it may be woken."""

from datetime import datetime
from zoneinfo import ZoneInfo

from ugly_mugs.settings import QuietHours

# Members live in one time zone: the Crown Dependencies and Ireland keep the same hours.
HOME = ZoneInfo("Europe/London")


def is_quiet(now: datetime, hours: QuietHours) -> bool:
    """Whether this moment is within quiet hours in the members' time zone."""
    return now.astimezone(HOME).time() in hours
