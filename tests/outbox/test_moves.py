"""Every pair of delivery states, held against the life cycle written down once more by hand."""

import itertools

import pytest

from ugly_mugs.accounts.models import STAFF_MOVES, StaffState
from ugly_mugs.outbox.models import (
    ADDRESS_MOVES,
    DELIVERY_MOVES,
    FINAL,
    AddressState,
    DeliveryState,
)

LIFE = """
queued      attempting held suppressed expired cancelled
held        queued suppressed expired cancelled
attempting  accepted sent delivered undelivered failed suppressed unknown queued
unknown     accepted sent delivered undelivered failed queued unconfirmed
accepted    sent delivered undelivered failed queued
sent        delivered undelivered failed queued
unconfirmed accepted sent delivered undelivered failed
"""
ADDRESSES = """
unproved  proved invalid opted_out
proved    invalid opted_out
invalid   unproved opted_out
opted_out unproved proved
"""
STAFF = """
invited waiting active left
waiting active left invited
active  left invited
"""


def allowed(table: str) -> set[tuple[str, str]]:
    lines = (line.split() for line in table.strip().splitlines())
    return {(state, onward) for state, *rest in lines for onward in rest}


@pytest.mark.parametrize(("former", "wanted"), itertools.product(DeliveryState, DeliveryState))
def test_a_delivery_moves_as_written(former: DeliveryState, wanted: DeliveryState) -> None:
    assert DELIVERY_MOVES.allows(former, wanted) is ((former.value, wanted.value) in allowed(LIFE))


def test_what_is_final_stays() -> None:
    written = {"delivered", "undelivered", "failed", "suppressed", "expired", "cancelled"}

    assert {state.value for state in FINAL} == written


@pytest.mark.parametrize(("former", "wanted"), itertools.product(AddressState, AddressState))
def test_an_address_moves_as_written(former: AddressState, wanted: AddressState) -> None:
    assert ADDRESS_MOVES.allows(former, wanted) is ((former.value, wanted.value) in allowed(ADDRESSES))


@pytest.mark.parametrize(("former", "wanted"), itertools.product(StaffState, StaffState))
def test_a_colleague_moves_as_written(former: StaffState, wanted: StaffState) -> None:
    assert STAFF_MOVES.allows(former, wanted) is ((former.value, wanted.value) in allowed(STAFF))
