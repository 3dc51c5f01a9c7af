"""Fixtures of the membership tests: a crowd of people who join."""

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.make.clock import MovableClock
from tests.make.members import Crowd, crowd_of


@pytest.fixture
def crowd(app: Flask, clock: MovableClock) -> Iterator[Crowd]:
    with crowd_of(app, clock) as crowd:
        yield crowd
