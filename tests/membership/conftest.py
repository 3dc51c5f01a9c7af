"""What the tests of membership share: a crowd that joins, and a desk that vets."""

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.conftest import MovableClock
from tests.installing import Installation
from tests.make.members import Crowd, crowd_of
from tests.make.staff import Team


@pytest.fixture
def crowd(app: Flask, clock: MovableClock) -> Iterator[Crowd]:
    with crowd_of(app, clock) as crowd:
        yield crowd


@pytest.fixture
def team(app: Flask, clock: MovableClock, installation: Installation) -> Team:
    return Team(app, clock, installation)
