"""Two moderators at the desk."""

import pytest

from tests.make.cast import Colleague, Team
from ugly_mugs.accounts.models import Role


@pytest.fixture
def bob(team: Team, alice: Colleague) -> Colleague:
    """Here he is the second moderator, not the approver of the cast."""
    return team.hire("bob", Role.MODERATOR)
