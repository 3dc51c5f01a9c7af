"""The life of an alert: every pair of states, and nothing else assigns one."""

import itertools
import re
from pathlib import Path

import pytest

from alerts.publishing.models import ALERT_MOVES, REPLACEABLE, SENDING, VISIBLE, Alert, AlertState
from ugly_mugs.database.states import IllegalMove

# As written down in the architecture, apart from the table that the code uses.
FACTS = """
draft → submitted cancelled
submitted → draft approved
approved → draft scheduled publishing cancelled
scheduled → draft publishing cancelled expired
publishing → paused live expired cancelled superseded
paused → publishing expired cancelled superseded
live → restricted expired cancelled superseded
restricted → live expired cancelled superseded
expired →
cancelled →
superseded →
"""
ALLOWED = {
    (AlertState(before.strip()), AlertState(after))
    for before, _arrow, behind in (line.partition("→") for line in FACTS.strip().splitlines())
    for after in behind.split()
}


@pytest.mark.parametrize(("before", "after"), list(itertools.product(AlertState, AlertState)))
def test_each_pair_of_states(before: AlertState, after: AlertState) -> None:
    alert = Alert(state=before)

    if (before, after) in ALLOWED:
        ALERT_MOVES.move(alert, after)
        assert alert.state is after
    else:
        with pytest.raises(IllegalMove):
            ALERT_MOVES.move(alert, after)
        assert alert.state is before


def test_what_sends_can_be_read_and_replaced() -> None:
    assert SENDING == VISIBLE
    assert SENDING <= REPLACEABLE
    assert all(ALERT_MOVES.allows(state, AlertState.SUPERSEDED) for state in REPLACEABLE)


def test_nothing_but_the_table_moves_an_alert() -> None:
    for file in Path("alerts/publishing").glob("*.py"):
        assigned = re.findall(r"\balert\.state = |\bformer\.state = ", file.read_text("utf-8"))
        assert assigned == [], file
