"""Changing one's passphrase."""

import re
import uuid
from http import HTTPStatus

import pytest
import sqlalchemy as sa

from tests.make.cast import Colleague, Team
from ugly_mugs.accounts.models import Role
from ugly_mugs.audit.models import AuditEntry, AuditKind
from ugly_mugs.database.engine import db


@pytest.fixture
def alice(team: Team) -> Colleague:
    return team.hire("alice", Role.AUDITOR)


def draw(alice: Colleague) -> str:
    """Draw a new passphrase; gives it as the page shows it."""
    answer = alice.post("/desk/account", {"passphrase": alice.passphrase})
    assert answer.status_code == HTTPStatus.SEE_OTHER
    match = re.search(
        r'<p class="receipt">([a-z ]+)</p>', alice.browser.get("/desk/account").get_data(as_text=True)
    )
    assert match is not None
    return match[1]


class TestANewPassphrase:
    def test_replaces_the_old_one_once_it_was_typed_back(self, alice: Colleague) -> None:
        drawn = draw(alice)

        answer = alice.post("/desk/account/passphrase", {"passphrase": drawn})
        alice.clock.forward(seconds=30)

        assert answer.status_code == HTTPStatus.SEE_OTHER
        assert alice.sign_in().status_code == HTTPStatus.BAD_REQUEST
        assert alice.sign_in(passphrase=drawn).status_code == HTTPStatus.SEE_OTHER

    def test_is_drawn_never_chosen(self, alice: Colleague) -> None:
        draw(alice)

        answer = alice.post("/desk/account/passphrase", {"passphrase": "words of my own choice"})
        alice.clock.forward(seconds=30)

        assert answer.status_code == HTTPStatus.BAD_REQUEST
        assert alice.sign_in().status_code == HTTPStatus.SEE_OTHER

    def test_needs_the_old_one(self, alice: Colleague) -> None:
        answer = alice.post("/desk/account", {"passphrase": "somebody at an unlocked screen"})

        assert answer.status_code == HTTPStatus.BAD_REQUEST
        assert 'class="receipt"' not in alice.browser.get("/desk/account").get_data(as_text=True)

    def test_counts_only_after_it_was_drawn(self, alice: Colleague) -> None:
        answer = alice.post("/desk/account/passphrase", {"passphrase": "anything"})

        assert answer.location == "/desk/account"

    def test_ends_every_other_session_and_renews_this_one(self, alice: Colleague, team: Team) -> None:
        elsewhere = team.app.test_client()
        alice.clock.forward(seconds=30)
        alice.sign_in(elsewhere)
        before = alice.browser.get_cookie("staff")

        alice.post("/desk/account/passphrase", {"passphrase": draw(alice)})

        after = alice.browser.get_cookie("staff")
        assert before is not None
        assert after is not None
        assert before.value != after.value
        assert alice.browser.get("/desk/account").status_code == HTTPStatus.OK
        assert elsewhere.get("/desk/account").status_code == HTTPStatus.SEE_OTHER

    def test_is_recorded_once_it_counts(self, alice: Colleague) -> None:
        def recorded() -> list[tuple[uuid.UUID | None, uuid.UUID | None]]:
            entries = db.session.scalars(
                sa.select(AuditEntry).where(AuditEntry.kind == AuditKind.STAFF_PASSPHRASE_CHANGED)
            )
            pairs = [(entry.actor_id, entry.subject_id) for entry in entries]
            db.session.rollback()
            return pairs

        drawn = draw(alice)
        before = recorded()
        alice.post("/desk/account/passphrase", {"passphrase": drawn})

        assert before == []
        assert recorded() == [(alice.id, alice.id)]

    def test_keeps_the_key(self, team: Team) -> None:
        bob = team.hire("bob", Role.MODERATOR)
        before = team.words(bob)

        bob.post("/desk/account/passphrase", {"passphrase": draw(bob)})

        assert team.words(bob) == before

    def test_can_be_asked_for_only_so_often(self, alice: Colleague) -> None:
        statuses = [alice.post("/desk/account", {"passphrase": "a guess"}).status_code for _ in range(11)]

        assert statuses[-1] == HTTPStatus.TOO_MANY_REQUESTS
