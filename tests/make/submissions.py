"""Submissions as the doors make them, for tests that need no page."""

from typing import Any

from reporting.filing.submission import Submission, new_receipt
from reporting.record.consents import Consents
from reporting.record.models import Source
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import Receipt


def make_submission(
    *, receipt: Receipt | None = None, consents: Consents | None = None, **sections: Any
) -> Submission:
    """From a reporter, at this moment, with a new receipt unless one is given; other keywords are sections."""
    now = runtime().clock.now()
    return Submission(
        receipt=receipt or new_receipt(runtime().vault, now),
        source=Source.REPORTER,
        sections=sections,
        consents=consents or Consents(warn_others=True),
        moment=now,
    )
