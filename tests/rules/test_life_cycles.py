"""Every table of moves against the life cycle as it is planned, which stands here once more, written by hand."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pytest

from alerts.membership.models import MEMBER_MOVES, Member, MemberState
from alerts.publishing.models import ALERT_MOVES, IN_EFFECT, REPLACEABLE, Alert, AlertState
from reporting.record.models import (
    LIVE_OUTPUTS,
    OUTPUT_MOVES,
    REPORT_MOVES,
    Output,
    OutputState,
    Report,
    ReportState,
)
from tests.rules.project import life_cycles, models_with_a_state
from ugly_mugs.accounts.models import (
    ORGANISATION_MOVES,
    STAFF_MOVES,
    Organisation,
    OrganisationState,
    Staff,
    StaffState,
)
from ugly_mugs.database.columns import Model
from ugly_mugs.database.states import IllegalMove, Moves
from ugly_mugs.outbox.models import (
    ADDRESS_MOVES,
    DELIVERY_MOVES,
    FINAL,
    HANDOVER_MOVES,
    Address,
    AddressState,
    Delivery,
    DeliveryState,
    Handover,
    HandoverState,
)


@dataclass(frozen=True)
class LifeCycle:
    """A model, its table, and the plan: one line for each state, the first one the state of a new row."""

    model: type[Model]
    states: type[StrEnum]
    moves: Moves[Any]
    plan: str

    @property
    def planned(self) -> dict[str, set[str]]:
        lines = (line.split() for line in self.plan.strip().splitlines())
        return {state: set(onward) for state, *onward in lines}


LIFE_CYCLES = [
    LifeCycle(
        Report,
        ReportState,
        REPORT_MOVES,
        """
        received   in_review withdrawn
        in_review  received settled declined withdrawn
        settled    in_review withdrawn purged
        declined   in_review withdrawn purged
        withdrawn  purged
        purged
        """,
    ),
    LifeCycle(
        Output,
        OutputState,
        OUTPUT_MOVES,
        """
        proposed   approved ended withdrawn
        approved   proposed released ended withdrawn
        released   ended withdrawn
        ended
        withdrawn
        """,
    ),
    LifeCycle(
        Alert,
        AlertState,
        ALERT_MOVES,
        # Editing an approved alert ends it and begins another version, so nothing approved becomes a draft again.
        """
        draft       submitted cancelled
        submitted   draft approved
        approved    scheduled publishing cancelled
        scheduled   publishing cancelled expired
        publishing  paused live expired cancelled superseded
        paused      publishing expired cancelled superseded
        live        restricted expired cancelled superseded
        restricted  live expired cancelled superseded
        expired
        cancelled
        superseded
        """,
    ),
    LifeCycle(
        Member,
        MemberState,
        MEMBER_MOVES,
        """
        applied   vetted rejected removed
        vetted    active removed
        active    paused lapsed removed
        paused    active removed
        lapsed    active removed
        rejected  removed
        removed
        """,
    ),
    LifeCycle(
        Address,
        AddressState,
        ADDRESS_MOVES,
        # A code may fail to arrive, and anybody may text STOP, before anything is proved.
        """
        unproved   proved invalid opted_out
        proved     invalid opted_out
        invalid    unproved opted_out
        opted_out  unproved proved
        """,
    ),
    LifeCycle(
        Delivery,
        DeliveryState,
        DELIVERY_MOVES,
        """
        queued       attempting held suppressed expired cancelled
        held         queued suppressed expired cancelled
        attempting   accepted sent delivered undelivered failed suppressed unknown queued
        unknown      accepted sent delivered undelivered failed queued unconfirmed
        accepted     sent delivered undelivered failed queued
        sent         delivered undelivered failed queued
        unconfirmed  accepted sent delivered undelivered failed
        delivered
        undelivered
        failed
        suppressed
        expired
        cancelled
        """,
    ),
    LifeCycle(
        Handover,
        HandoverState,
        HANDOVER_MOVES,
        """
        waiting  done refused
        done
        refused
        """,
    ),
    LifeCycle(
        Organisation,
        OrganisationState,
        ORGANISATION_MOVES,
        """
        active  ended
        ended
        """,
    ),
    LifeCycle(
        Staff,
        StaffState,
        STAFF_MOVES,
        """
        invited  waiting active left
        waiting  active left invited
        active   left invited
        left
        """,
    ),
]

every_life_cycle = pytest.mark.parametrize("cycle", LIFE_CYCLES, ids=lambda cycle: cycle.model.__name__)


@dataclass
class Row:
    state: StrEnum


def test_every_table_of_moves_is_tested_here() -> None:
    assert {id(cycle.moves) for cycle in LIFE_CYCLES} == {id(moves) for moves in life_cycles()}


def test_every_model_with_a_state_has_a_table_of_moves() -> None:
    assert {cycle.model for cycle in LIFE_CYCLES} == set(models_with_a_state())


@every_life_cycle
def test_a_new_row_is_in_the_first_state(cycle: LifeCycle) -> None:
    assert models_with_a_state()[cycle.model] == next(iter(cycle.planned))


@every_life_cycle
def test_a_row_moves_only_as_planned(cycle: LifeCycle) -> None:
    states, moves = cycle.states, cycle.moves

    moved = {former: {wanted for wanted in states if is_moved(moves, former, wanted)} for former in states}
    allowed = {former: {wanted for wanted in states if moves.allows(former, wanted)} for former in states}
    from_sources = {
        former: {wanted for wanted in states if former in moves.sources(wanted)} for former in states
    }

    assert moved == allowed == from_sources == cycle.planned
    assert moves.final() == {state for state, onward in cycle.planned.items() if not onward}


def is_moved(moves: Moves[Any], former: StrEnum, wanted: StrEnum) -> bool:
    row = Row(former)
    try:
        moves.move(row, wanted)
    except IllegalMove:
        assert row.state is former
        return False
    assert row.state is wanted
    return True


def test_sources_can_be_narrowed_to_what_is_legal_only() -> None:
    queued, held, sent = DeliveryState.QUEUED, DeliveryState.HELD, DeliveryState.SENT

    assert DELIVERY_MOVES.sources(queued, among={held}) == {held}
    with pytest.raises(ValueError, match="may become"):
        DELIVERY_MOVES.sources(held, among={queued, sent})


def test_the_named_groups_of_states_fit_their_tables() -> None:
    assert OUTPUT_MOVES.sources(OutputState.ENDED) == LIVE_OUTPUTS
    assert OUTPUT_MOVES.sources(OutputState.WITHDRAWN) == LIVE_OUTPUTS
    assert ALERT_MOVES.sources(AlertState.SUPERSEDED) == REPLACEABLE
    assert IN_EFFECT <= REPLACEABLE
    assert DELIVERY_MOVES.final() == FINAL
