"""Which tests share a process, because they share something that takes long to make.

`--dist loadgroup` of pytest-xdist 3.8 is no help: with pytest 9.2 it ignores its groups without a word
(pytest-dev/pytest-xdist issue 1386).
"""

import re

from xdist.scheduler import LoadScopeScheduling

from tests.make.databases import KINDS

# Of each place, all tests on the same kind of database.
SHARING = (
    "tests/thief/",
    "tests/operations/test_launcher.py",
    "tests/operations/test_many_at_once.py",
    "tests/web/test_look.py",
)
# Single tests that take a minute and more: begun last, they would keep one core busy while the others idle.
LONG = ("tests/journeys/", "tests/operations/test_run.py")


class Sharing(LoadScopeScheduling):
    """Gives tests to processes one by one, or group by group; xdist begins with the largest groups."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def group_of(nodeid: str) -> str:
    """Tests of the same group run in one process; most are a group of their own."""
    place = next((place for place in SHARING if nodeid.startswith(place)), None)
    if place is None:
        return nodeid
    parameters = re.split(r"[\[\]-]", nodeid)
    return " ".join([place, *(kind for kind in KINDS if kind in parameters)])
