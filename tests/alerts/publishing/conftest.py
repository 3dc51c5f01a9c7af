"""Alice drafts and Bob approves; Carol may do both, Charlie neither."""

import pytest
from flask import Flask

from tests.make.alerts import Newsroom
from tests.make.clock import MovableClock
from tests.make.staff import Colleague, Team
from ugly_mugs.accounts.models import Role


@pytest.fixture
def alice(team: Team) -> Colleague:
    return team.hire("alice", Role.MODERATOR)


@pytest.fixture
def bob(team: Team, alice: Colleague) -> Colleague:
    """An approver who holds no key of the desk."""
    return team.hire("bob", Role.APPROVER)


@pytest.fixture
def carol(team: Team, alice: Colleague) -> Colleague:
    return team.hire("carol", Role.MODERATOR, Role.APPROVER)


@pytest.fixture
def charlie(team: Team, alice: Colleague) -> Colleague:
    return team.hire("charlie", Role.MEMBER_ADMIN)


@pytest.fixture
def newsroom(app: Flask, clock: MovableClock) -> Newsroom:
    return Newsroom(app, clock)
