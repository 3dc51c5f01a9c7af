"""What comes next for a report, so that nobody has to remember the order of the work."""

from collections.abc import Sequence
from enum import StrEnum
from uuid import UUID

from reporting.record.consents import Consents
from reporting.record.models import Output, Report, ReportState
from reporting.redaction.models import Redaction


class Step(StrEnum):
    TAKE = "take"  # nobody looks after it
    COLLEAGUE = "colleague"  # somebody else does
    HIDE = "hide"  # a warning is allowed, and nobody has settled the text for it
    DRAFT = "draft"  # the text is settled, and nothing is made from it
    DECIDE = "decide"  # all that is left is to settle or decline it
    NOTHING = "nothing"  # it is finished


def next_step(
    *,
    report: Report,
    consents: Consents,
    redaction: Redaction | None,
    outputs: Sequence[Output],
    staff_id: UUID,
) -> Step:
    """The one thing to do now, seen by this person."""
    if report.state is ReportState.RECEIVED:
        return Step.TAKE
    if report.state is not ReportState.IN_REVIEW:
        return Step.NOTHING
    if report.taken_by is None:
        return Step.TAKE
    if report.taken_by != staff_id:
        return Step.COLLEAGUE
    if not consents.warn_others or outputs:
        return Step.DECIDE
    if redaction is None or not redaction.settled:
        return Step.HIDE
    return Step.DRAFT
