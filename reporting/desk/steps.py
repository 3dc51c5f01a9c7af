"""What comes next for a report, so that nobody has to remember the order of the work."""

from collections.abc import Sequence
from enum import StrEnum
from uuid import UUID

from reporting.record.models import Output, Report, ReportState
from reporting.record.output_kinds import OutputKindSpec
from reporting.redaction.models import Redaction


class Step(StrEnum):
    TAKE = "take"  # nobody looks after it
    COLLEAGUE = "colleague"  # somebody else does
    HIDE = "hide"  # something may be made from it, and nobody has settled the text for it
    DRAFT = "draft"  # the text is settled, and nothing is made from it
    DECIDE = "decide"  # all that is left is to settle or decline it
    NOTHING = "nothing"  # it is finished


def next_step(
    *,
    report: Report,
    may_be_made: Sequence[OutputKindSpec],
    redaction: Redaction | None,
    outputs: Sequence[Output],
    staff_id: UUID,
) -> Step:
    """The one thing to do now, seen by this person. `may_be_made` are the kinds that the reporter allows."""
    if report.state is ReportState.RECEIVED:
        return Step.TAKE
    if report.state is not ReportState.IN_REVIEW:
        return Step.NOTHING
    if report.taken_by is None:
        return Step.TAKE
    if report.taken_by != staff_id:
        return Step.COLLEAGUE
    if not may_be_made or outputs:
        return Step.DECIDE
    if redaction is None or not redaction.settled:
        return Step.HIDE
    return Step.DRAFT
