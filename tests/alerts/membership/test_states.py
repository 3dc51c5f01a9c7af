"""Life cycles of members and addresses: every pair is either allowed by the architecture or refused."""

from dataclasses import dataclass
from itertools import product

import pytest

from alerts.membership.models import MEMBER_MOVES, MemberState as M
from ugly_mugs.database.states import IllegalMove
from ugly_mugs.outbox.models import ADDRESS_MOVES, AddressState as A

# Written out once more, by hand, from the rules: the table of the code must say the same.
MEMBER_PAIRS = {
    (M.APPLIED, M.VETTED), (M.APPLIED, M.REJECTED),
    (M.VETTED, M.ACTIVE), (M.ACTIVE, M.PAUSED), (M.PAUSED, M.ACTIVE),
    (M.ACTIVE, M.LAPSED), (M.LAPSED, M.ACTIVE),
} | {(state, M.REMOVED) for state in M if state is not M.REMOVED}  # fmt: skip

ADDRESS_PAIRS = {
    (A.UNPROVED, A.PROVED), (A.PROVED, A.INVALID), (A.PROVED, A.OPTED_OUT),
    (A.INVALID, A.UNPROVED), (A.OPTED_OUT, A.UNPROVED), (A.OPTED_OUT, A.PROVED),
    # A code may fail to arrive, and anybody may text STOP, before anything is proved.
    (A.UNPROVED, A.INVALID), (A.UNPROVED, A.OPTED_OUT), (A.INVALID, A.OPTED_OUT),
}  # fmt: skip


@dataclass
class MemberRow:
    state: M


@dataclass
class AddressRow:
    state: A


@pytest.mark.parametrize(("now", "wanted"), product(M, M))
def test_a_member_moves_only_as_the_table_says(now: M, wanted: M) -> None:
    row = MemberRow(now)
    if (now, wanted) in MEMBER_PAIRS:
        MEMBER_MOVES.move(row, wanted)
        assert row.state is wanted
    else:
        with pytest.raises(IllegalMove):
            MEMBER_MOVES.move(row, wanted)
        assert row.state is now


@pytest.mark.parametrize(("now", "wanted"), product(A, A))
def test_an_address_moves_only_as_the_table_says(now: A, wanted: A) -> None:
    row = AddressRow(now)
    if (now, wanted) in ADDRESS_PAIRS:
        ADDRESS_MOVES.move(row, wanted)
        assert row.state is wanted
    else:
        with pytest.raises(IllegalMove):
            ADDRESS_MOVES.move(row, wanted)
        assert row.state is now
