"""Quiet hours: whether only those who asked for it may be woken just now."""

from datetime import datetime
from zoneinfo import ZoneInfo

from ugly_mugs.settings import QuietHours

# Members live in one time zone: the Crown Dependencies and Ireland keep the same hours.
HOME = ZoneInfo("Europe/London")


def is_quiet(now: datetime, hours: QuietHours) -> bool:
    """Whether the clocks at the members' place stand within quiet hours at this moment."""
    return now.astimezone(HOME).time() in hours
