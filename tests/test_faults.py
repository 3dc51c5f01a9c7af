"""The place where an error was raised."""

import traceback

import pytest

from ugly_mugs.faults import raised_at


def _fail() -> None:
    raise ValueError("07700 900123")


def test_the_place_is_where_the_error_was_raised_and_not_where_it_was_caught() -> None:
    with pytest.raises(ValueError) as caught:
        _fail()

    assert raised_at(caught.value) == f"test_faults.py:{_fail.__code__.co_firstlineno + 1}"
    assert len(traceback.extract_tb(caught.value.__traceback__)) > 1


def test_an_error_that_was_never_raised_has_no_place() -> None:
    assert raised_at(ValueError("07700 900123")) == ""
