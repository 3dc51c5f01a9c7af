"""Every state of a report and of an output against every other: only the moves of the plan are made."""

from itertools import product
from uuid import uuid4

import pytest

from reporting.record.models import (
    LIVE_OUTPUTS,
    OUTPUT_MOVES,
    REPORT_MOVES,
    Output,
    OutputState,
    Report,
    ReportState,
)
from ugly_mugs.database.states import IllegalMove

R, Out = ReportState, OutputState

REPORTS = {
    (R.RECEIVED, R.IN_REVIEW), (R.IN_REVIEW, R.RECEIVED),
    (R.IN_REVIEW, R.SETTLED), (R.IN_REVIEW, R.DECLINED),
    (R.SETTLED, R.IN_REVIEW), (R.DECLINED, R.IN_REVIEW),
    (R.RECEIVED, R.WITHDRAWN), (R.IN_REVIEW, R.WITHDRAWN), (R.SETTLED, R.WITHDRAWN), (R.DECLINED, R.WITHDRAWN),
    (R.SETTLED, R.PURGED), (R.DECLINED, R.PURGED), (R.WITHDRAWN, R.PURGED),
}  # fmt: skip
OUTPUTS = {
    (Out.PROPOSED, Out.APPROVED), (Out.PROPOSED, Out.ENDED), (Out.PROPOSED, Out.WITHDRAWN),
    (Out.APPROVED, Out.PROPOSED), (Out.APPROVED, Out.RELEASED),
    (Out.APPROVED, Out.ENDED), (Out.APPROVED, Out.WITHDRAWN),
    (Out.RELEASED, Out.ENDED), (Out.RELEASED, Out.WITHDRAWN),
}  # fmt: skip


@pytest.mark.parametrize(("current", "wanted"), list(product(R, R)))
def test_a_report_moves_only_as_planned(current: ReportState, wanted: ReportState) -> None:
    report = Report(id=uuid4(), state=current)

    if (current, wanted) in REPORTS:
        REPORT_MOVES.move(report, wanted)
        assert report.state is wanted
    else:
        with pytest.raises(IllegalMove):
            REPORT_MOVES.move(report, wanted)
        assert report.state is current


@pytest.mark.parametrize(("current", "wanted"), list(product(Out, Out)))
def test_an_output_moves_only_as_planned(current: OutputState, wanted: OutputState) -> None:
    output = Output(id=uuid4(), state=current)

    if (current, wanted) in OUTPUTS:
        OUTPUT_MOVES.move(output, wanted)
        assert output.state is wanted
    else:
        with pytest.raises(IllegalMove):
            OUTPUT_MOVES.move(output, wanted)
        assert output.state is current


def test_every_live_output_can_be_ended_and_withdrawn() -> None:
    assert OUTPUT_MOVES.sources(Out.ENDED) == OUTPUT_MOVES.sources(Out.WITHDRAWN) == LIVE_OUTPUTS
