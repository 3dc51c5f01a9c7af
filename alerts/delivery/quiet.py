"""When a message may leave to somebody who does not want to be woken."""

from datetime import datetime, timedelta

from ugly_mugs.outbox.quiet import HOME, is_quiet
from ugly_mugs.settings import QuietHours


def when_not_quiet(moment: datetime, hours: QuietHours) -> datetime:
    """The moment itself, or the end of the quiet hours it falls into, by the clocks at the members' place.

    On the night the clocks change the end is still the hour people read on their clocks.
    """
    if not is_quiet(moment, hours):
        return moment
    local = moment.astimezone(HOME)
    day = local.date() if local.time() < hours.end else local.date() + timedelta(days=1)
    return datetime.combine(day, hours.end, tzinfo=HOME).astimezone(moment.tzinfo)
