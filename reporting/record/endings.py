"""Tells the features above when a report, or one output of it, ends; `ugly_mugs.app` wires who listens.

Everything a listener does happens in the same transaction as the ending itself.
"""

from collections.abc import Callable, Sequence

from reporting.record.models import Output, Report
from ugly_mugs.runtime import runtime

ReportEnding = Callable[[Report], None]
OutputEnding = Callable[[Output], None]


def report_ends(report: Report) -> None:
    """The report was withdrawn: what others made of it goes too."""
    listeners: Sequence[ReportEnding] = runtime().wiring.report_endings
    for listener in listeners:
        listener(report)


def output_ends(output: Output) -> None:
    """The consent under this output is gone: it must not leave, or not any further."""
    listeners: Sequence[OutputEnding] = runtime().wiring.output_endings
    for listener in listeners:
        listener(output)
