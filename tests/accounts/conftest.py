"""The cast of these tests: Alice moderates, Bob is her colleague, Charlie is a stranger."""

import pytest
from flask import Flask

from tests.conftest import MovableClock
from tests.installing import Installation
from tests.make.staff import Team


@pytest.fixture
def team(app: Flask, clock: MovableClock, installation: Installation) -> Team:
    return Team(app, clock, installation)
