"""Quiet hours, in which only members who asked for it may be woken."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from ugly_mugs.settings import QuietHours

# Members live in one time zone: the Crown Dependencies and Ireland keep the same hours.
HOME = ZoneInfo("Europe/London")


def is_quiet(now: datetime, hours: QuietHours) -> bool:
    return now.astimezone(HOME).time() in hours


def when_not_quiet(moment: datetime, hours: QuietHours) -> datetime:
    """The moment itself, or the end of the quiet hours it falls into, in the moment's own time zone.

    The end is a wall-clock time: when the clocks change during the night, it is still the hour that clocks show.
    """
    if not is_quiet(moment, hours):
        return moment
    local = moment.astimezone(HOME)
    day = local.date() if local.time() < hours.end else local.date() + timedelta(days=1)
    return datetime.combine(day, hours.end, tzinfo=HOME).astimezone(moment.tzinfo)
