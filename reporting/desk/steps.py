"""The next step of work on a report, for the page of the report."""

from collections.abc import Sequence
from enum import StrEnum
from uuid import UUID

from reporting.record.models import Output, Report, ReportState
from reporting.record.output_kinds import OutputKindSpec
from reporting.redaction.models import Redaction


class Step(StrEnum):
    TAKE = "take"  # nobody is assigned
    COLLEAGUE = "colleague"  # a colleague is assigned
    HIDE = "hide"  # an output may be made, and the text is not settled
    DRAFT = "draft"  # the text is settled, and there is no output
    DECIDE = "decide"  # it can be settled or declined
    NOTHING = "nothing"  # it is finished


def next_step(
    *,
    report: Report,
    may_be_made: Sequence[OutputKindSpec],
    redaction: Redaction | None,
    outputs: Sequence[Output],
    staff_id: UUID,
) -> Step:
    """The next step for this person. `may_be_made` are the output kinds that the reporter allows."""
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
