"""Tests that share something expensive run in one process; a place that was renamed must not lose that silently."""

import pytest

from tests.make.sharing import LONG, SHARING, group_of
from tests.rules.project import ROOT


@pytest.mark.parametrize("place", [*SHARING, *LONG])
def test_the_place_exists(place: str) -> None:
    assert (ROOT / place).exists()


def test_tests_of_one_place_on_one_kind_of_database_share_a_process() -> None:
    assert group_of("tests/thief/test_a.py::test_one[sqlite]") == group_of(
        "tests/thief/test_b.py::Test::test_two[sqlite-x]"
    )
    assert group_of("tests/thief/test_a.py::test_one[sqlite]") != group_of(
        "tests/thief/test_a.py::test_one[postgresql]"
    )


def test_all_others_may_run_in_any_process() -> None:
    assert group_of("tests/test_app.py::test_one[sqlite]") != group_of("tests/test_app.py::test_two[sqlite]")
