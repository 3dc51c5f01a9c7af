"""Submitting a draft and taking it back, and to whom its draft key is wrapped."""

import uuid

import pytest
import sqlalchemy as sa
from flask import Flask

from alerts.publishing import draft_keys
from alerts.publishing.models import AlertState, DraftKey
from tests.make.alerts import Newsroom
from tests.make.cast import Colleague, Team, signed_in
from tests.make.databases import execute, set_row
from ugly_mugs.accounts.models import Role, Staff
from ugly_mugs.accounts.people import enrolment
from ugly_mugs.database.engine import db
from ugly_mugs.errors import NotAllowed
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import CannotOpen, Where


def holders(newsroom: Newsroom, alert_id: uuid.UUID) -> set[uuid.UUID]:
    """To whom its draft key is wrapped."""
    return {row.staff_id for row in newsroom.alert(alert_id).draft_keys}


class TestSubmitting:
    def test_it_needs_somebody_else_who_may_approve(
        self, newsroom: Newsroom, team: Team, carol: Colleague
    ) -> None:
        team.remove(newsroom.approver)
        alert_id = newsroom.draft(by=carol)

        answer = newsroom.submit(alert_id, by=carol)

        assert answer.status_code == 409
        assert newsroom.state(alert_id) is AlertState.DRAFT

    def test_exactly_authors_and_possible_approvers_hold_its_key(
        self, newsroom: Newsroom, alice: Colleague, bob: Colleague, carol: Colleague, team: Team
    ) -> None:
        dora = team.hire("dora", Role.MODERATOR)
        alert_id = newsroom.draft()
        writing = holders(newsroom, alert_id)

        newsroom.submit(alert_id)

        assert writing == {alice.id, carol.id, dora.id}
        assert holders(newsroom, alert_id) == {alice.id, bob.id, carol.id}
        assert "Only its authors" in newsroom.page(alert_id, dora).text

    def test_a_draft_is_never_sealed_to_a_swapped_key(
        self, newsroom: Newsroom, alice: Colleague, bob: Colleague, carol: Colleague
    ) -> None:
        alert_id = newsroom.draft()
        set_row(Staff, bob.id, public_key=alice.key.public().raw)

        newsroom.submit(alert_id)

        assert holders(newsroom, alert_id) == {alice.id, carol.id}

    def test_the_wrapped_key_belongs_to_its_row(
        self, newsroom: Newsroom, alice: Colleague, bob: Colleague
    ) -> None:
        alert_id = newsroom.submitted()
        wraps = {row.staff_id: row for row in newsroom.alert(alert_id).draft_keys}

        with pytest.raises(CannotOpen):
            alice.key.open(wraps[alice.id].wrapped, Where("draft_keys", "wrapped", wraps[bob.id].id))

    def test_somebody_who_leaves_loses_every_draft_key(
        self, app: Flask, newsroom: Newsroom, alice: Colleague, bob: Colleague, carol: Colleague
    ) -> None:
        written, submitted = newsroom.draft(), newsroom.submitted()
        assert carol.id in holders(newsroom, written) & holders(newsroom, submitted)

        done = app.test_cli_runner().invoke(args=["staff", "remove", "carol"])

        assert done.exit_code == 0
        assert holders(newsroom, written) == {alice.id}
        assert holders(newsroom, submitted) == {alice.id, bob.id}

    def test_a_forgotten_passphrase_ends_the_old_keys_and_a_colleague_hands_on_the_new_ones(
        self, app: Flask, newsroom: Newsroom, alice: Colleague, bob: Colleague, carol: Colleague, team: Team
    ) -> None:
        alert_id = newsroom.submitted()

        done = app.test_cli_runner().invoke(args=["keys", "recover", "carol"])
        assert done.exit_code == 0
        assert holders(newsroom, alert_id) == {alice.id, bob.id}

        prepared, vault = enrolment.prepare(), runtime().vault
        own = enrolment.own_key(vault=vault, person_id=carol.id, passphrase=prepared.passphrase)
        enrolment.enrol(
            vault=vault,
            person=team.person(carol),
            prepared=prepared,
            own=own,
            step=1,
            now=newsroom.clock.now(),
        )
        db.session.commit()
        team.admit(carol)
        newsroom.press(alert_id, "take-back")
        assert holders(newsroom, alert_id) == {alice.id, carol.id}

    def test_an_author_takes_it_back_and_approvers_lose_the_key(
        self, newsroom: Newsroom, alice: Colleague
    ) -> None:
        alert_id = newsroom.submitted()

        assert newsroom.press(alert_id, "take-back").status_code == 303

        assert newsroom.state(alert_id) is AlertState.DRAFT
        assert holders(newsroom, alert_id) == {alice.id}

    def test_somebody_who_did_not_write_it_cannot_take_it_back(
        self, newsroom: Newsroom, carol: Colleague
    ) -> None:
        alert_id = newsroom.submitted()

        assert newsroom.press(alert_id, "take-back", carol).status_code == 403
        assert newsroom.state(alert_id) is AlertState.SUBMITTED


def test_the_former_owner_of_a_draft_key_is_refused(newsroom: Newsroom, bob: Colleague) -> None:
    alert_id = newsroom.submitted()
    execute(sa.delete(DraftKey).where(DraftKey.staff_id == bob.id))

    with pytest.raises(NotAllowed):
        draft_keys.open_draft_key(newsroom.alert(alert_id), signed_in(bob))


def test_nothing_of_a_draft_opens_under_the_services_own_key(newsroom: Newsroom) -> None:
    alert = newsroom.alert(newsroom.submitted())

    with pytest.raises(CannotOpen):
        runtime().vault.open_rest(alert.contents, Where("alerts", "contents", alert.id))
    for text in alert.texts:
        with pytest.raises(CannotOpen):
            runtime().vault.open_rest(text.text, Where("alert_texts", "text", text.id))
