"""Changing one's passphrase."""

import re
from http import HTTPStatus

from tests.make.audit import entries
from tests.make.cast import Colleague, Team
from ugly_mugs.audit.models import AuditKind
from ugly_mugs.database.engine import db


def draw(erin: Colleague) -> str:
    """Draw a new passphrase; gives it as the page shows it."""
    answer = erin.post("/desk/account", {"passphrase": erin.passphrase})
    assert answer.status_code == HTTPStatus.SEE_OTHER
    match = re.search(r'<p class="receipt">([a-z ]+)</p>', erin.browser.get("/desk/account").text)
    assert match is not None
    return match[1]


class TestANewPassphrase:
    def test_replaces_the_old_one_once_it_was_typed_back(self, erin: Colleague) -> None:
        drawn = draw(erin)

        answer = erin.post("/desk/account/passphrase", {"passphrase": drawn})
        erin.clock.forward(seconds=30)

        assert answer.status_code == HTTPStatus.SEE_OTHER
        assert erin.sign_in().status_code == HTTPStatus.BAD_REQUEST
        assert erin.sign_in(passphrase=drawn).status_code == HTTPStatus.SEE_OTHER

    def test_is_drawn_never_chosen(self, erin: Colleague) -> None:
        draw(erin)

        answer = erin.post("/desk/account/passphrase", {"passphrase": "words of my own choice"})
        erin.clock.forward(seconds=30)

        assert answer.status_code == HTTPStatus.BAD_REQUEST
        assert erin.sign_in().status_code == HTTPStatus.SEE_OTHER

    def test_needs_the_old_one(self, erin: Colleague) -> None:
        answer = erin.post("/desk/account", {"passphrase": "somebody at an unlocked screen"})

        assert answer.status_code == HTTPStatus.BAD_REQUEST
        assert 'class="receipt"' not in erin.browser.get("/desk/account").text

    def test_counts_only_after_it_was_drawn(self, erin: Colleague) -> None:
        answer = erin.post("/desk/account/passphrase", {"passphrase": "anything"})

        assert answer.location == "/desk/account"

    def test_ends_every_other_session_and_renews_this_one(self, erin: Colleague, team: Team) -> None:
        elsewhere = team.app.test_client()
        erin.clock.forward(seconds=30)
        erin.sign_in(elsewhere)
        before = erin.browser.get_cookie("staff")

        erin.post("/desk/account/passphrase", {"passphrase": draw(erin)})

        after = erin.browser.get_cookie("staff")
        assert before is not None
        assert after is not None
        assert before.value != after.value
        assert erin.browser.get("/desk/account").status_code == HTTPStatus.OK
        assert elsewhere.get("/desk/account").status_code == HTTPStatus.SEE_OTHER

    def test_is_recorded_once_it_counts(self, erin: Colleague) -> None:
        drawn = draw(erin)
        assert entries(AuditKind.STAFF_PASSPHRASE_CHANGED) == []
        db.session.rollback()

        erin.post("/desk/account/passphrase", {"passphrase": drawn})

        (entry,) = entries(AuditKind.STAFF_PASSPHRASE_CHANGED)
        assert (entry.actor_id, entry.subject_id) == (erin.id, erin.id)

    def test_keeps_the_key(self, team: Team, alice: Colleague) -> None:
        before = team.words(alice)

        alice.post("/desk/account/passphrase", {"passphrase": draw(alice)})

        assert team.words(alice) == before

    def test_can_be_asked_for_only_so_often(self, erin: Colleague) -> None:
        statuses = [erin.post("/desk/account", {"passphrase": "a guess"}).status_code for _ in range(11)]

        assert statuses[-1] == HTTPStatus.TOO_MANY_REQUESTS
