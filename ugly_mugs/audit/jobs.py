"""The worker's periodic job for the audit log."""

from datetime import timedelta

from ugly_mugs.audit import log as audit
from ugly_mugs.jobs import Job
from ugly_mugs.runtime import runtime


def chain() -> None:
    """Chain newly committed entries, and once a day append the head to a file outside the database."""
    audit.chain_entries(runtime().vault)
    file = runtime().settings.audit_head_file
    if file is not None:
        audit.write_head(file, day=runtime().clock.now().date())


def count_yesterday() -> None:
    """Once a day is over, its figures are written down, once."""
    audit.count_day(runtime().wiring.figures, today=runtime().clock.now().date())


JOBS = [
    Job("chain audit entries", chain, every=timedelta(seconds=30)),
    Job("count the figures of a day", count_yesterday, every=timedelta(minutes=30)),
]
