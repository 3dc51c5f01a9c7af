"""The place bound into a sealed value."""

from typing import cast
from uuid import UUID, uuid4

import pytest
from hypothesis import given, strategies as st

from ugly_mugs.vault import Where, WrongPlace

names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
places = st.builds(Where, names, names, st.uuids().filter(lambda row: row.int != 0))


@given(places, places)
def test_different_places_have_different_bytes(one: Where, other: Where) -> None:
    assert (one.bytes() == other.bytes()) == (one == other)


def test_moving_a_letter_from_table_to_column_changes_the_bytes() -> None:
    row = uuid4()

    assert Where("ab", "c", row).bytes() != Where("a", "bc", row).bytes()


@pytest.mark.parametrize("row", [None, "6f2c1f4e", UUID(int=0)])
def test_a_row_without_an_id_is_refused(row: object) -> None:
    with pytest.raises(WrongPlace, match="needs its id"):
        Where("reports", "text", cast(UUID, row))


@pytest.mark.parametrize(("table", "column"), [("", "text"), ("reports", "")])
def test_a_place_without_table_or_column_is_refused(table: str, column: str) -> None:
    with pytest.raises(WrongPlace):
        Where(table, column, uuid4())
