"""With two languages offered, members get an alert in their own language when it has texts in it."""

from dataclasses import replace

import pytest

from alerts.membership.models import Level
from alerts.publishing.models import AlertState
from reporting.record import outputs
from tests.make.alerts import Newsroom, member
from tests.make.languages import PORTUGUESE, add_languages
from tests.make.members import Members
from ugly_mugs.outbox.models import Channel
from ugly_mugs.runtime import runtime

ENGLISH = {"sms": "A man took money in Leeds.", "page": "A man took money by threats."}
PORTUGUESE_TEXTS = {"sms_pt": "Um homem tirou dinheiro em Leeds.", "page_pt": "Um homem tirou dinheiro."}
NO_PORTUGUESE = {"sms_pt": "", "page_pt": ""}


@pytest.fixture
def changed_settings(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    add_languages(monkeypatch, PORTUGUESE)
    return {"LANGUAGES": "en,pt"}


class TestMembers:
    def test_each_gets_it_in_the_language_they_chose(self, newsroom: Newsroom, members: Members) -> None:
        ana = members.join("Ana", language="pt", level="full")
        sam = members.join("Sam", phone="07700 900124", language="en", level="full")

        alert_id = newsroom.approved(**ENGLISH, **PORTUGUESE_TEXTS)

        reference = newsroom.alert(alert_id).family.reference
        assert newsroom.texts_sent() == sorted([ENGLISH["sms"], PORTUGUESE_TEXTS["sms_pt"]])
        page = f"/alerts/{reference}"
        assert f'<p class="kept" lang="pt">{PORTUGUESE_TEXTS["page_pt"]}</p>' in ana.browser.get(page).text
        assert f'<p class="kept">{ENGLISH["page"]}</p>' in sam.browser.get(page).text

    def test_where_there_is_no_text_in_their_language_they_get_the_default(
        self, newsroom: Newsroom, members: Members
    ) -> None:
        ana = members.join("Ana", language="pt", level="full")
        two_parts = ENGLISH["sms"] * 7

        alert_id = newsroom.approved(**ENGLISH | NO_PORTUGUESE | {"sms": two_parts})

        (delivery,) = newsroom.deliveries(alert_id)
        assert (delivery.language, delivery.segments) == ("en", 2)
        assert newsroom.texts_sent() == [two_parts]
        reference = newsroom.alert(alert_id).family.reference
        assert f'<p class="kept">{ENGLISH["page"]}</p>' in ana.browser.get(f"/alerts/{reference}").text

    def test_somebody_whose_language_is_not_offered_any_more_gets_the_default(
        self, newsroom: Newsroom
    ) -> None:
        member(language="ro", level=Level.FULL, channels=[Channel.EMAIL])

        newsroom.approved(**ENGLISH, **PORTUGUESE_TEXTS)

        (mail,) = newsroom.texts_sent(Channel.EMAIL)
        assert ENGLISH["page"] in mail

    def test_the_approved_texts_stay_when_the_settings_change(
        self, newsroom: Newsroom, members: Members, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ana = members.join("Ana", language="pt", level="full")
        alert_id = newsroom.approved(**ENGLISH, **NO_PORTUGUESE)
        reference = newsroom.alert(alert_id).family.reference

        monkeypatch.setattr(runtime(), "settings", replace(runtime().settings, languages=("pt", "en")))

        assert newsroom.texts_sent() == [ENGLISH["sms"]]
        assert ENGLISH["page"] in ana.browser.get(f"/alerts/{reference}").text


class TestTheDraft:
    def test_each_language_has_a_section_and_a_proposal(self, newsroom: Newsroom) -> None:
        alert_id = newsroom.draft()

        page, answers = newsroom.page(alert_id).text, newsroom.answers(alert_id)
        assert page.index("<legend>English</legend>") < page.index("<legend>Português</legend>")
        for name in ("sms", "page", "sms_pt", "page_pt"):
            assert "robbery or theft" in answers[name], name

    def test_a_language_has_both_texts_or_none(self, newsroom: Newsroom) -> None:
        alert_id = newsroom.draft()

        answer = newsroom.save(alert_id, page_pt="")

        assert answer.status_code == 400
        assert '<a href="#page_pt">' in answer.text
        assert newsroom.answers(alert_id)["page_pt"] != ""

    def test_the_default_language_needs_its_texts(self, newsroom: Newsroom) -> None:
        alert_id = newsroom.draft()

        answer = newsroom.save(alert_id, sms="", page="")

        assert answer.status_code == 400
        assert '<a href="#sms">' in answer.text and '<a href="#page">' in answer.text

    @pytest.mark.parametrize("name", ["sms_pt", "page_pt"])
    def test_a_leak_in_any_language_keeps_it_here(self, newsroom: Newsroom, name: str) -> None:
        alert_id = newsroom.draft()

        newsroom.submit(alert_id, **ENGLISH | PORTUGUESE_TEXTS | {name: "Marisol disse que sim."})

        assert newsroom.state(alert_id) is AlertState.DRAFT
        assert "<mark>Marisol</mark>" in newsroom.page(alert_id).text

    def test_the_reporter_is_shown_every_language(self, newsroom: Newsroom) -> None:
        report = newsroom.ready()

        newsroom.save(newsroom.draft(report), **ENGLISH, **PORTUGUESE_TEXTS)

        assert outputs.preview_of(report.output, content_key=report.content_key) == {
            "sms": f"English:\n{ENGLISH['sms']}\n\nPortuguês:\n{PORTUGUESE_TEXTS['sms_pt']}",
            "page": f"English:\n{ENGLISH['page']}\n\nPortuguês:\n{PORTUGUESE_TEXTS['page_pt']}",
        }


class TestTheDecision:
    def test_the_approver_sees_every_language(self, newsroom: Newsroom) -> None:
        alert_id = newsroom.submitted(**ENGLISH, **PORTUGUESE_TEXTS)

        page = newsroom.approval_page(alert_id).text

        for text in (*ENGLISH.values(), *PORTUGUESE_TEXTS.values()):
            assert text in page
        assert "as little as possible (Português)" in page and "E-mail, full (Português)" in page

    def test_an_approval_binds_every_language(self, newsroom: Newsroom) -> None:
        alert_id = newsroom.submitted(**ENGLISH, **PORTUGUESE_TEXTS)
        seen = newsroom.approval_page(alert_id)
        newsroom.press(alert_id, "take-back")
        newsroom.submit(alert_id, page_pt="Um homem tirou tudo.")

        answer = newsroom.approve(alert_id, seen)

        assert answer.status_code == 409
        assert newsroom.state(alert_id) is AlertState.SUBMITTED


class TestTheNextVersion:
    def test_it_begins_with_the_texts_of_each_language(self, newsroom: Newsroom) -> None:
        alert_id = newsroom.approved(**ENGLISH, **PORTUGUESE_TEXTS)

        answers = newsroom.answers(newsroom.next_version(alert_id))

        assert answers.items() >= (ENGLISH | PORTUGUESE_TEXTS).items()

    def test_a_language_left_out_stays_left_out(self, newsroom: Newsroom) -> None:
        alert_id = newsroom.approved(**ENGLISH, **NO_PORTUGUESE)

        answers = newsroom.answers(newsroom.next_version(alert_id))

        assert answers.items() >= (ENGLISH | NO_PORTUGUESE).items()

    def test_a_new_default_language_gets_a_proposal(
        self, newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        alert_id = newsroom.approved(**ENGLISH, **NO_PORTUGUESE)
        monkeypatch.setattr(runtime(), "settings", replace(runtime().settings, languages=("pt", "en")))

        answers = newsroom.answers(newsroom.next_version(alert_id))

        assert "robbery or theft" in answers["sms"]
        assert (answers["sms_en"], answers["page_en"]) == (ENGLISH["sms"], ENGLISH["page"])
