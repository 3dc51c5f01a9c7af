"""Calls the listeners that `ugly_mugs.app` wires for the end of a report, or of one of its outputs.

Listeners run in the transaction that ends the report or output.
"""

from collections.abc import Callable, Sequence

from reporting.record.models import Output, Report
from ugly_mugs.runtime import runtime

ReportEnding = Callable[[Report], None]
OutputEnding = Callable[[Output], None]


def notify_report_ended(report: Report) -> None:
    """Call after a withdrawal: listeners delete what other features derived from the report."""
    listeners: Sequence[ReportEnding] = runtime().wiring.report_endings
    for listener in listeners:
        listener(report)


def notify_output_ended(output: Output) -> None:
    """Call when the consent for this output is withdrawn: listeners stop sending it."""
    listeners: Sequence[OutputEnding] = runtime().wiring.output_endings
    for listener in listeners:
        listener(output)
