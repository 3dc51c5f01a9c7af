"""How tests are given to the processes of a run: which of them share one, and which begin first.

`--dist loadgroup` of pytest-xdist 3.8 is no help: with pytest 9.2 it ignores its groups without a word
(pytest-dev/pytest-xdist issue 1386).
"""

import re

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

from tests.make.databases import KINDS

# Tests of one place on one kind of database share something that takes long to make.
SHARING = (
    "tests/thief/",
    "tests/operations/test_launcher.py",
    "tests/operations/test_many_at_once.py",
    "tests/web/test_look.py",
)
# The longest first: begun last, they would keep one core busy while the others idle.
LONG = (
    "tests/journeys/test_pages.py",
    "tests/thief/",
    "tests/journeys/test_main_journey.py",
    "tests/outbox/test_kills.py",
    "tests/operations/test_run.py",
    "tests/operations/test_launcher.py",
    "tests/web/test_look.py",
)


class Sharing(LoadScopeScheduling):
    """Gives single tests to processes, or all of a group to one, in the order of collection."""

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)

    def _assign_work_unit(self, node: WorkerController) -> None:
        """Of the processes, half are at a long test at most, as these wait for much; the others use the cores.

        A process always knows its next test: behind a long one that is a short one, while there are any.
        """
        at_long = [each for each in self.nodes if self._is_at_long(each)]
        if node in at_long or len(at_long) >= (len(self.nodes) + 1) // 2:
            short = next((group for group in self.workqueue if not is_long(group)), None)
            if short is not None:
                self.workqueue.move_to_end(short, last=False)
        super()._assign_work_unit(node)

    def _is_at_long(self, node: WorkerController) -> bool:
        groups = self.assigned_work.get(node, {}).items()
        return any(is_long(group) and not all(tests.values()) for group, tests in groups)


def group_of(nodeid: str) -> str:
    """Tests of the same group run in one process; most are a group of their own."""
    place = next((place for place in SHARING if nodeid.startswith(place)), None)
    if place is None:
        return nodeid
    parameters = re.split(r"[\[\]-]", nodeid)
    return " ".join([place, *(kind for kind in KINDS if kind in parameters)])


def is_long(name: str) -> bool:
    return name.startswith(LONG)


def rank(nodeid: str) -> int:
    """Where a test comes in a run that is not shuffled: its place among the long ones, or after them."""
    return next((number for number, place in enumerate(LONG) if nodeid.startswith(place)), len(LONG))
