"""Drafting an alert: who may, from which reports, and the leak check."""

import uuid

import pytest

from alerts.publishing.models import AlertState
from reporting.record.consents import Consents
from tests.make.alerts import Newsroom
from tests.make.cast import Colleague


class TestDrafting:
    def test_it_needs_a_settled_redaction(self, newsroom: Newsroom, alice: Colleague) -> None:
        report = newsroom.file()

        answer = alice.post("/desk/alerts/new", {"report_id": str(report.id)})

        assert answer.status_code == 409
        assert "First the redacted text has to be settled" in answer.text

    def test_it_needs_the_reporters_yes(self, newsroom: Newsroom, alice: Colleague) -> None:
        report = newsroom.ready(Consents())

        answer = alice.post("/desk/alerts/new", {"report_id": str(report.id)})

        assert answer.status_code == 409
        assert "does not want others to be warned" in answer.text

    def test_it_needs_somebody_who_may_draft(
        self, newsroom: Newsroom, bob: Colleague, charlie: Colleague
    ) -> None:
        report = newsroom.ready()

        for colleague in (bob, charlie):
            assert colleague.post("/desk/alerts/new", {"report_id": str(report.id)}).status_code == 403

    def test_a_second_click_finds_the_same_draft(self, newsroom: Newsroom) -> None:
        report = newsroom.ready()

        assert newsroom.draft(report) == newsroom.draft(report)

    def test_two_people_who_edit_at_once_lose_nothing(self, newsroom: Newsroom, carol: Colleague) -> None:
        alert_id = newsroom.draft()
        earlier = newsroom.answers(alert_id, carol)
        newsroom.save(alert_id, place="Bradford")

        answer = carol.browser.post(
            f"/desk/alerts/{alert_id}", data={**earlier, "action": "save", "place": "Wakefield"}
        )

        assert answer.status_code == 409
        assert "Somebody else changed this draft" in answer.text and "Wakefield" in answer.text
        assert newsroom.answers(alert_id)["place"] == "Bradford"

    def test_an_invalid_form_keeps_what_was_typed(self, newsroom: Newsroom) -> None:
        alert_id = newsroom.draft()

        wrong = newsroom.save(alert_id, sms="", page="My own words", days="400")
        nowhere = newsroom.save(alert_id, regions=[], page="My own words")

        assert (wrong.status_code, nowhere.status_code) == (400, 400)
        assert "My own words" in wrong.text and "Please give a whole number" in wrong.text
        assert "My own words" in nowhere.text and "Please choose a region" in nowhere.text

    def test_only_people_who_draft_read_an_unsubmitted_draft(
        self, newsroom: Newsroom, charlie: Colleague
    ) -> None:
        alert_id = newsroom.draft()

        assert "blue van" not in newsroom.approval_page(alert_id).text
        assert newsroom.page(alert_id, charlie).status_code == 403


class TestLeaks:
    @pytest.mark.parametrize("text", ["sms", "page"])
    def test_a_name_of_the_reporter_in_any_text_stops_it(self, newsroom: Newsroom, text: str) -> None:
        alert_id = newsroom.draft()

        newsroom.submit(alert_id, **{text: "It was reported that he rang MARISOL."})

        assert newsroom.state(alert_id) is AlertState.DRAFT
        page = newsroom.page(alert_id).text
        assert "This cannot be put before anybody yet" in page and "<mark>MARISOL</mark>" in page

    def test_words_hidden_in_the_report_are_looked_for_too(self, newsroom: Newsroom) -> None:
        report = newsroom.file(
            happened={"account": "He found me at Mill Lane."}, about_you={"call_you": "Sam"}
        )
        newsroom.redact(report, hide="Mill Lane")
        alert_id = newsroom.draft(report)

        newsroom.submit(alert_id, page="It was reported that this was at mill lane.")

        assert newsroom.state(alert_id) is AlertState.DRAFT

    def test_once_mended_it_can_be_submitted(self, newsroom: Newsroom) -> None:
        alert_id = newsroom.draft()
        newsroom.submit(alert_id, sms="It was reported that he rang Marisol.")

        newsroom.submit(alert_id, sms="It was reported that he rang somebody.")

        assert newsroom.state(alert_id) is AlertState.SUBMITTED


def test_strange_addresses_answer_not_there(alice: Colleague) -> None:
    nobody = uuid.uuid4()

    assert alice.browser.get(f"/desk/alerts/{nobody}").status_code == 404
    assert alice.post(f"/desk/alerts/{nobody}/cancel").status_code == 404
    assert alice.post("/desk/alerts/new", {"report_id": str(nobody)}).status_code == 404
    assert alice.post("/desk/alerts/new").status_code == 404
