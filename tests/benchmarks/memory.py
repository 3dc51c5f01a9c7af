"""How much memory the web holds at rest: the largest of its processes, after it has answered."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil

from tests.benchmarks.figures import Figure
from tests.benchmarks.filing import installation, served

BAR_MB = 150


def figures() -> Iterator[Figure]:
    with (
        tempfile.TemporaryDirectory() as folder,
        installation(Path(folder)) as environment,
        served("wsgi:app", environment),
    ):
        ours = psutil.Process().children(recursive=True)
        largest = max(each.memory_info().rss for each in ours) / 1_000_000
    yield Figure("web at rest, its largest process", round(largest), "MB", f"≤ {BAR_MB}", largest <= BAR_MB)
