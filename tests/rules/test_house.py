"""The floor plan: no room imports one above it, and the picture shows what is there."""

import pytest

from tests.rules import house


def test_no_room_imports_one_above_it() -> None:
    assert house.is_downward(house.rooms())


def test_rooms_that_import_each_other_are_found() -> None:
    with pytest.raises(RecursionError):
        house.is_downward({"a.b": frozenset({"a.c"}), "a.c": frozenset({"a.b"})})


def test_the_picture_shows_the_imports_as_they_are() -> None:
    assert house.PICTURE.read_text("utf-8") == house.svg(), "draw it anew: make house"


def test_an_arrow_that_follows_from_others_is_not_drawn() -> None:
    graph = {"a.top": frozenset({"a.mid", "a.low"}), "a.mid": frozenset({"a.low"}), "a.low": frozenset()}

    assert house.needed_arrows(graph) == [("a.top", "a.mid"), ("a.mid", "a.low")]
