"""Tells the features above when a report, or one output of it, ends; `ugly_mugs.app` wires who listens.

Everything a listener does happens in the same transaction as the ending itself.
"""

from collections.abc import Callable, Iterable
from typing import cast

from flask import current_app

from reporting.record.models import Output, Report

ReportEnding = Callable[[Report], None]
OutputEnding = Callable[[Output], None]


def report_ends(report: Report) -> None:
    """The report was withdrawn: what others made of it goes too."""
    for listener in cast(Iterable[ReportEnding], current_app.extensions["report_endings"]):
        listener(report)


def output_ends(output: Output) -> None:
    """The consent under this output is gone: it must not leave, or not any further."""
    for listener in cast(Iterable[OutputEnding], current_app.extensions["output_endings"]):
        listener(output)
