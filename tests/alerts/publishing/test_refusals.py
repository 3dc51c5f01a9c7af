"""Everything that must not be possible on the way from a draft to the first message."""

import uuid

import pytest
import sqlalchemy as sa
from flask import Flask

from alerts.publishing import approval, keys
from alerts.publishing.drafting import Drafting
from alerts.publishing.models import AlertState, DraftKey
from alerts.publishing.texts.approval_hash import from_page
from reporting.record.consents import Consents, When
from tests.make.alerts import Newsroom, member
from tests.make.cast import Colleague, Team, signed_in
from tests.make.clock import MovableClock
from tests.make.pages import hidden as field_of
from ugly_mugs.accounts.models import Role, Staff
from ugly_mugs.accounts.people import enrolment
from ugly_mugs.database.engine import db
from ugly_mugs.errors import NotAllowed
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import CannotOpen, Where, content


def by(colleague: Colleague) -> Drafting:
    return Drafting(
        signed_in(colleague), runtime().vault, "http://127.0.0.1:8000", ["en"], runtime().clock.now()
    )


def holders(newsroom: Newsroom, alert_id: uuid.UUID) -> set[uuid.UUID]:
    """Whom its draft key is wrapped to."""
    return {each.staff_id for each in newsroom.alert(alert_id).draft_keys}


class TestDrafting:
    def test_it_needs_a_settled_redaction(self, newsroom: Newsroom, alice: Colleague) -> None:
        report = newsroom.file()

        answer = alice.post("/desk/alerts/new", {"report_id": str(report.id)})

        assert answer.status_code == 409
        assert "First the redacted text has to be settled" in answer.text

    def test_it_needs_the_reporters_yes(self, newsroom: Newsroom, alice: Colleague) -> None:
        report = newsroom.ready(alice, Consents())

        answer = alice.post("/desk/alerts/new", {"report_id": str(report.id)})

        assert answer.status_code == 409
        assert "does not want others to be warned" in answer.text

    def test_it_needs_somebody_who_may_draft(
        self, newsroom: Newsroom, alice: Colleague, bob: Colleague, charlie: Colleague
    ) -> None:
        report = newsroom.ready(alice)

        for colleague in (bob, charlie):
            assert colleague.post("/desk/alerts/new", {"report_id": str(report.id)}).status_code == 403

    def test_a_second_click_finds_the_same_draft(self, newsroom: Newsroom, alice: Colleague) -> None:
        report = newsroom.ready(alice)

        assert newsroom.draft(alice, report) == newsroom.draft(alice, report)

    def test_two_people_who_edit_at_once_lose_nothing(
        self, newsroom: Newsroom, alice: Colleague, carol: Colleague
    ) -> None:
        alert_id = newsroom.draft(alice)
        earlier = newsroom.answers(alert_id, carol)
        newsroom.save(alert_id, alice, place="Bradford")

        answer = carol.browser.post(
            f"/desk/alerts/{alert_id}", data={**earlier, "deed": "save", "place": "Wakefield"}
        )

        assert answer.status_code == 409
        assert "Somebody else changed this draft" in answer.text and "Wakefield" in answer.text
        assert newsroom.answers(alert_id, alice)["place"] == "Bradford"

    def test_a_form_that_is_not_well_loses_nothing(self, newsroom: Newsroom, alice: Colleague) -> None:
        alert_id = newsroom.draft(alice)

        wrong = newsroom.save(alert_id, alice, sms="", page="My own words", days="400")
        nowhere = newsroom.save(alert_id, alice, regions=[], page="My own words")

        assert (wrong.status_code, nowhere.status_code) == (400, 400)
        assert "My own words" in wrong.text and "Please give a whole number" in wrong.text
        assert "My own words" in nowhere.text and "Please choose a region" in nowhere.text

    def test_only_people_who_draft_read_an_unsubmitted_draft(
        self, newsroom: Newsroom, alice: Colleague, bob: Colleague, charlie: Colleague
    ) -> None:
        alert_id = newsroom.draft(alice)

        assert "blue van" not in newsroom.page(alert_id, bob).text
        assert newsroom.page(alert_id, charlie).status_code == 403


class TestLeaks:
    @pytest.mark.parametrize("text", ["sms", "page"])
    def test_a_name_of_the_reporter_in_any_text_stops_it(
        self, newsroom: Newsroom, alice: Colleague, bob: Colleague, text: str
    ) -> None:
        alert_id = newsroom.draft(alice)

        newsroom.submit(alert_id, alice, **{text: "It was reported that he rang MARISOL."})

        assert newsroom.state(alert_id) is AlertState.DRAFT
        page = newsroom.page(alert_id, alice).text
        assert "This cannot be put before anybody yet" in page and "<mark>MARISOL</mark>" in page

    def test_words_hidden_in_the_report_are_looked_for_too(
        self, newsroom: Newsroom, alice: Colleague, bob: Colleague
    ) -> None:
        report = newsroom.file(
            happened={"account": "He found me at Mill Lane."}, about_you={"call_you": "Sam"}
        )
        newsroom.redact(report, alice, hide="Mill Lane")
        alert_id = newsroom.draft(alice, report)

        newsroom.submit(alert_id, alice, page="It was reported that this was at mill lane.")

        assert newsroom.state(alert_id) is AlertState.DRAFT

    def test_once_mended_it_can_be_submitted(
        self, newsroom: Newsroom, alice: Colleague, bob: Colleague
    ) -> None:
        alert_id = newsroom.draft(alice)
        newsroom.submit(alert_id, alice, sms="It was reported that he rang Marisol.")

        newsroom.submit(alert_id, alice, sms="It was reported that he rang somebody.")

        assert newsroom.state(alert_id) is AlertState.SUBMITTED


class TestSubmitting:
    def test_it_needs_somebody_else_who_may_approve(self, newsroom: Newsroom, carol: Colleague) -> None:
        alert_id = newsroom.draft(carol)

        answer = newsroom.submit(alert_id, carol)

        assert answer.status_code == 409
        assert newsroom.state(alert_id) is AlertState.DRAFT

    def test_exactly_authors_and_possible_approvers_hold_its_key(
        self, newsroom: Newsroom, alice: Colleague, bob: Colleague, carol: Colleague, team: Team
    ) -> None:
        dora = team.hire("dora", Role.MODERATOR)
        alert_id = newsroom.draft(alice)
        writing = {each.staff_id for each in newsroom.alert(alert_id).draft_keys}

        newsroom.submit(alert_id, alice)

        assert writing == {alice.id, carol.id, dora.id}
        assert {each.staff_id for each in newsroom.alert(alert_id).draft_keys} == {
            alice.id,
            bob.id,
            carol.id,
        }
        assert "Only its authors" in newsroom.page(alert_id, dora).text

    def test_a_draft_is_never_sealed_to_a_swapped_key(
        self, newsroom: Newsroom, alice: Colleague, bob: Colleague, carol: Colleague
    ) -> None:
        alert_id = newsroom.draft(alice)
        db.session.execute(
            sa.update(Staff).where(Staff.id == bob.id).values(public_key=alice.key.public().raw)
        )
        db.session.commit()

        newsroom.submit(alert_id, alice)

        assert {each.staff_id for each in newsroom.alert(alert_id).draft_keys} == {alice.id, carol.id}

    def test_the_wrapped_key_belongs_to_its_row(
        self, newsroom: Newsroom, alice: Colleague, bob: Colleague
    ) -> None:
        alert_id = newsroom.submitted(alice)
        wraps = {each.staff_id: each for each in newsroom.alert(alert_id).draft_keys}

        with pytest.raises(CannotOpen):
            content.unwrap_draft_key(
                alice.key, wraps[alice.id].wrapped, Where("draft_keys", "wrapped", wraps[bob.id].id)
            )

    def test_whoever_leaves_takes_no_key_of_a_draft_along(
        self, app: Flask, newsroom: Newsroom, alice: Colleague, bob: Colleague, carol: Colleague
    ) -> None:
        written, submitted = newsroom.draft(alice), newsroom.submitted(alice)
        assert carol.id in holders(newsroom, written) & holders(newsroom, submitted)

        done = app.test_cli_runner().invoke(args=["staff", "remove", "carol"])

        assert done.exit_code == 0
        assert holders(newsroom, written) == {alice.id}
        assert holders(newsroom, submitted) == {alice.id, bob.id}

    def test_a_forgotten_passphrase_ends_the_old_keys_and_a_colleague_hands_on_the_new_ones(
        self,
        app: Flask,
        newsroom: Newsroom,
        alice: Colleague,
        bob: Colleague,
        carol: Colleague,
        team: Team,
    ) -> None:
        alert_id = newsroom.submitted(alice)

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
        newsroom.press(alert_id, "take-back", alice)
        assert holders(newsroom, alert_id) == {alice.id, carol.id}

    def test_an_author_takes_it_back_and_approvers_lose_the_key(
        self, newsroom: Newsroom, alice: Colleague, bob: Colleague
    ) -> None:
        alert_id = newsroom.submitted(alice)

        assert newsroom.press(alert_id, "take-back", alice).status_code == 303

        assert newsroom.state(alert_id) is AlertState.DRAFT
        assert {each.staff_id for each in newsroom.alert(alert_id).draft_keys} == {alice.id}

    def test_somebody_who_did_not_write_it_cannot_take_it_back(
        self, newsroom: Newsroom, alice: Colleague, carol: Colleague
    ) -> None:
        alert_id = newsroom.submitted(alice)

        assert newsroom.press(alert_id, "take-back", carol).status_code == 403
        assert newsroom.state(alert_id) is AlertState.SUBMITTED


class TestApproving:
    def test_an_author_cannot(self, newsroom: Newsroom, bob: Colleague, carol: Colleague) -> None:
        alert_id = newsroom.submitted(carol)
        assert "somebody else has to decide" in newsroom.page(alert_id, carol).text
        page = newsroom.page(alert_id, bob)

        with pytest.raises(NotAllowed):
            approval.approve(
                alert_id,
                by(carol),
                seen=from_page(field_of(page, "seen")),
                seen_consent=1,
                hours=runtime().settings.quiet_hours,
            )
        answer = newsroom.press(
            alert_id, "approve", carol, seen=field_of(page, "seen"), consent=field_of(page, "consent")
        )

        assert answer.status_code == 403
        assert newsroom.state(alert_id) is AlertState.SUBMITTED

    def test_an_editor_cannot(
        self, newsroom: Newsroom, alice: Colleague, bob: Colleague, carol: Colleague
    ) -> None:
        alert_id = newsroom.draft(alice)
        newsroom.save(alert_id, carol, place="Bradford")
        newsroom.submit(alert_id, alice)
        page = newsroom.page(alert_id, bob)

        answer = newsroom.press(
            alert_id, "approve", carol, seen=field_of(page, "seen"), consent=field_of(page, "consent")
        )

        assert answer.status_code == 403
        assert newsroom.state(alert_id) is AlertState.SUBMITTED

    def test_a_moderator_without_the_task_cannot(
        self, newsroom: Newsroom, alice: Colleague, bob: Colleague
    ) -> None:
        alert_id = newsroom.submitted(alice)
        page = newsroom.page(alert_id, bob)

        answer = newsroom.press(alert_id, "approve", alice, seen=field_of(page, "seen"), consent="1")

        assert answer.status_code == 403

    def test_the_second_of_two_approvals_finds_it_decided(
        self, newsroom: Newsroom, alice: Colleague, bob: Colleague, carol: Colleague
    ) -> None:
        member()
        alert_id = newsroom.submitted(alice)
        bobs, carols = newsroom.page(alert_id, bob), newsroom.page(alert_id, carol)

        assert newsroom.approve(alert_id, bob, bobs).status_code == 303
        assert newsroom.approve(alert_id, carol, carols).status_code == 409

        assert newsroom.alert(alert_id).approved_by == bob.id
        assert len(newsroom.deliveries(alert_id)) == 1

    def test_an_edit_meanwhile_voids_what_the_approver_saw(
        self, newsroom: Newsroom, alice: Colleague, bob: Colleague
    ) -> None:
        alert_id = newsroom.submitted(alice)
        page = newsroom.page(alert_id, bob)
        newsroom.press(alert_id, "take-back", alice)
        newsroom.submit(alert_id, alice, days="31")

        answer = newsroom.approve(alert_id, bob, page)

        assert answer.status_code == 409
        assert "changed since you looked" in answer.text
        assert newsroom.state(alert_id) is AlertState.SUBMITTED

    @pytest.mark.parametrize(
        "change",
        [
            {"sms": "It was reported that something else happened."},
            {"page": "It was reported that something else happened."},
            {"severity": "risk"},
            {"regions": ["wales"]},
            {"sectors": ["street"]},
            {"kinds": ["individual"]},
            {"channels": ["sms"]},
            {"online": "yes"},
            {"days": "3"},
        ],
    )
    def test_the_approval_binds_each_thing_that_decides_who_reads_what(
        self, newsroom: Newsroom, alice: Colleague, bob: Colleague, change: dict[str, object]
    ) -> None:
        alert_id = newsroom.submitted(alice)
        before = field_of(newsroom.page(alert_id, bob), "seen")
        newsroom.press(alert_id, "take-back", alice)

        newsroom.submit(alert_id, alice, **change)

        assert field_of(newsroom.page(alert_id, bob), "seen") != before

    def test_a_consent_changed_meanwhile_stops_it(
        self, newsroom: Newsroom, alice: Colleague, bob: Colleague, clock: MovableClock
    ) -> None:
        report = newsroom.ready(alice)
        alert_id = newsroom.submitted(alice, report)
        page = newsroom.page(alert_id, bob)
        report.change(Consents(warn_others=True, when=When.AFTER_SEEN))

        answer = newsroom.approve(alert_id, bob, page)

        assert answer.status_code == 409
        # Their choices are part of what the leak check rested on.
        assert "The report has changed since this text was checked" in answer.text
        assert newsroom.state(alert_id) is AlertState.SUBMITTED

    def test_one_that_would_be_over_already_cannot_be_approved(
        self, newsroom: Newsroom, alice: Colleague, bob: Colleague, clock: MovableClock
    ) -> None:
        alert_id = newsroom.submitted(alice, days="1")
        clock.forward(days=3)
        bob.sign_in()

        assert newsroom.approve(alert_id, bob).status_code == 409

    def test_sent_back_it_says_why_to_its_author(
        self, newsroom: Newsroom, alice: Colleague, bob: Colleague
    ) -> None:
        alert_id = newsroom.submitted(alice)

        assert newsroom.press(alert_id, "return", bob).status_code == 400
        assert newsroom.press(alert_id, "return", bob, reason="Too much about the car.").status_code == 303

        assert newsroom.state(alert_id) is AlertState.DRAFT
        assert "Too much about the car." in newsroom.page(alert_id, alice).text

    def test_taking_back_after_the_approval_is_too_late(
        self, newsroom: Newsroom, alice: Colleague, bob: Colleague
    ) -> None:
        alert_id = newsroom.approved(alice, bob)

        assert newsroom.press(alert_id, "take-back", alice).status_code == 409
        assert newsroom.press(alert_id, "return", bob, reason="No.").status_code == 409


def test_the_former_owner_of_a_draft_key_is_refused(
    newsroom: Newsroom, alice: Colleague, bob: Colleague
) -> None:
    alert_id = newsroom.submitted(alice)
    db.session.execute(sa.delete(DraftKey).where(DraftKey.staff_id == bob.id))
    db.session.commit()

    with pytest.raises(NotAllowed):
        keys.key_of(newsroom.alert(alert_id), signed_in(bob))


def test_nothing_of_a_draft_opens_under_the_services_own_key(
    newsroom: Newsroom, alice: Colleague, bob: Colleague
) -> None:
    alert = newsroom.alert(newsroom.submitted(alice))

    with pytest.raises(CannotOpen):
        runtime().vault.open_rest(alert.contents, Where("alerts", "contents", alert.id))
    for text in alert.texts:
        with pytest.raises(CannotOpen):
            runtime().vault.open_rest(text.text, Where("alert_texts", "text", text.id))


def test_what_members_do_not_read_is_gone_after_the_approval(
    newsroom: Newsroom, alice: Colleague, bob: Colleague
) -> None:
    alert = newsroom.alert(newsroom.approved(alice, bob))

    contents = runtime().vault.open_rest(alert.contents, Where("alerts", "contents", alert.id))

    assert b"booked" not in contents and b"07700 900456" not in contents


def test_strange_addresses_answer_not_there(alice: Colleague) -> None:
    nobody = uuid.uuid4()

    assert alice.browser.get(f"/desk/alerts/{nobody}").status_code == 404
    assert alice.post(f"/desk/alerts/{nobody}/cancel").status_code == 404
    assert alice.post("/desk/alerts/new", {"report_id": str(nobody)}).status_code == 404
    assert alice.post("/desk/alerts/new").status_code == 404
