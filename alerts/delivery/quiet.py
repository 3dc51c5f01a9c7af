"""When a message may be sent to somebody who does not want to be woken."""

from datetime import datetime, timedelta

from ugly_mugs.outbox.quiet import HOME, is_quiet
from ugly_mugs.settings import QuietHours


def when_not_quiet(moment: datetime, hours: QuietHours) -> datetime:
    """The moment itself, or the end of the quiet hours that it falls into, in the members' time zone.

    The end is local wall-clock time, also on nights when the clocks change.
    """
    if not is_quiet(moment, hours):
        return moment
    local = moment.astimezone(HOME)
    day = local.date() if local.time() < hours.end else local.date() + timedelta(days=1)
    return datetime.combine(day, hours.end, tzinfo=HOME).astimezone(moment.tzinfo)
