"""The two pages of a redaction: suggestions, typed words, the settled text, and edits by two people."""

import re
from html import unescape

from reporting.redaction import queries
from reporting.redaction.spans import HIDDEN
from tests.make.audit import entries
from tests.make.cast import Colleague
from tests.make.pages import Drawn
from tests.make.reports import ACCOUNT, File, FiledReport
from ugly_mugs.audit.models import AuditKind

ABOUT = {"working_names": ["Marisol"], "phones": ["07700 900123"]}


def ticks(page: str) -> dict[str, tuple[str, bool]]:
    """By the words of each mark: the value of its tick box, and whether it is ticked."""
    boxes = re.findall(
        r'name="span" value="([^"]+)"[^>]*?( checked)?><label[^>]*>.*?<span class="kept">(.*?)</span>',
        page,
        re.S,
    )
    return {unescape(words): (value, bool(checked)) for value, checked, words in boxes}


def version(page: str) -> str:
    return Drawn(page).of("input", name="version")[0].get("value", "0")


def hide(who: Colleague, report: FiledReport, *words: str, **more: str) -> None:
    """Send the marks page as it is drawn, with these words typed, and go on to the text page."""
    page = who.browser.get(f"{report.path}/redact").text
    ticked = [value for value, checked in ticks(page).values() if checked]
    answer = who.post(
        f"{report.path}/redact",
        {"version": version(page), "span": ticked, "words": "\n".join(words), "do": "look", **more},
    )
    assert answer.location == f"{report.path}/redact/text", answer.text


def left(who: Colleague, report: FiledReport) -> str:
    return Drawn(who.browser.get(f"{report.path}/redact/text").text).texts["text"]


class TestChoosing:
    def test_suggestions_are_marked_in_the_account_with_a_box_and_a_reason(
        self, alice: Colleague, file: File
    ) -> None:
        report = file(about_you=ABOUT)

        page = alice.browser.get(f"{report.path}/redact").text

        boxes = ticks(page)
        assert boxes["Marisol"][1] is True
        assert boxes["Anna"][1] is True
        assert boxes["07700 900456"][1] is False
        why = "This is a working name of the reporter, or a part of one."
        assert f'<mark title="Working name. {why}">Marisol</mark>' in page
        assert re.search(r'<mark title="Phone number. [^"]+" class="spared">07700 900456</mark>', page)

    def test_only_ticked_words_are_hidden(self, alice: Colleague, file: File) -> None:
        report = file(about_you=ABOUT)
        page = alice.browser.get(f"{report.path}/redact").text

        alice.post(
            f"{report.path}/redact",
            {"version": version(page), "span": [ticks(page)["Marisol"][0]], "do": "look"},
        )

        assert left(alice, report) == ACCOUNT.replace("Marisol", HIDDEN)
        again = ticks(alice.browser.get(f"{report.path}/redact").text)
        assert (again["Marisol"][1], again["Anna"][1]) == (True, False)

    def test_typed_words_are_hidden_everywhere_or_only_once(self, alice: Colleague, file: File) -> None:
        twice, once = file("ten, then TEN again"), file("ten, then TEN again")

        hide(alice, twice, "ten")
        hide(alice, once, "ten", where="first")

        assert left(alice, twice) == f"{HIDDEN}, then {HIDDEN} again"
        assert left(alice, once) == f"{HIDDEN}, then TEN again"

    def test_words_that_are_not_in_the_account_are_named_and_the_form_kept(
        self, alice: Colleague, file: File
    ) -> None:
        report = file()

        answer = alice.post(f"{report.path}/redact", {"version": "0", "words": "shouted\nwhispered"})

        assert answer.status_code == 400
        assert "Not found in the account: whispered" in unescape(answer.text)
        assert ticks(answer.text)["shouted"][1] is True
        assert Drawn(answer.text).texts["words"] == "shouted\nwhispered"

    def test_a_form_sent_twice_is_one_version(self, alice: Colleague, file: File) -> None:
        report = file("ten")

        for _ in range(2):
            answer = alice.post(f"{report.path}/redact", {"version": "0", "words": "ten", "do": "look"})
            assert answer.status_code == 303

        row = queries.redaction(report.id)
        assert row is not None
        assert row.version == 1


class TestSettling:
    def test_the_settled_text_is_kept_with_what_was_hidden(self, alice: Colleague, file: File) -> None:
        report = file(about_you=ABOUT)
        hide(alice, report)
        page = alice.browser.get(f"{report.path}/redact/text").text
        shortened = Drawn(page).texts["text"].split("\n")[2]

        answer = alice.post(f"{report.path}/redact/text", {"version": version(page), "text": shortened})

        assert answer.location == report.path
        settled = queries.settled_redaction(report.id, report.content_key)
        assert settled is not None
        assert settled.text == "He came back at ten and shouted at me."
        assert {"Marisol", "Anna"} <= set(settled.removed)
        assert [e.actor_id for e in entries(AuditKind.REDACTION_SETTLED)] == [alice.id]

    def test_a_text_that_still_names_the_reporter_is_refused_with_the_reason(
        self, alice: Colleague, file: File
    ) -> None:
        report = file("I am marisol. He left.", about_you=ABOUT)
        alice.post(f"{report.path}/redact", {"version": "0", "do": "look"})

        answer = alice.post(f"{report.path}/redact/text", {"version": "1", "text": "I am marisol. He left."})

        assert answer.status_code == 400
        assert "<mark>marisol</mark>" in answer.text
        assert queries.settled_redaction(report.id, report.content_key) is None

    def test_hidden_words_cannot_be_typed_in_again(self, alice: Colleague, file: File) -> None:
        report = file()
        hide(alice, report, "Mill Lane")

        answer = alice.post(
            f"{report.path}/redact/text", {"version": "1", "text": "He came back from Mill Lane."}
        )

        assert answer.status_code == 400
        assert "does not stand there" in answer.text
        assert Drawn(answer.text).texts["text"] == "He came back from Mill Lane."

    def test_words_hidden_in_one_place_and_visible_in_another_can_be_hidden_too(
        self, alice: Colleague, file: File
    ) -> None:
        report = file("Xanthe called. Then xanthe left.")
        hide(alice, report, "Xanthe", where="first")

        page = alice.browser.get(f"{report.path}/redact/text").text
        assert "Hidden in one place, still there in another" in page
        drawn = Drawn(page)
        alice.post(
            f"{report.path}/redact",
            {
                "version": version(page),
                "span": [box["value"] for box in drawn.of("input", name="span")],
                "words": drawn.texts["words"],
            },
        )

        assert left(alice, report) == f"{HIDDEN} called. Then {HIDDEN} left."

    def test_an_addition_of_the_reporter_must_be_reviewed_before_settling(
        self, alice: Colleague, file: File
    ) -> None:
        report = file("He left.")
        hide(alice, report)
        report.add("My friend Bella knows him.")

        answer = alice.post(f"{report.path}/redact/text", {"version": "1", "text": "He left."})

        assert answer.status_code == 409
        assert "The reporter has added something" in answer.text
        assert ticks(alice.browser.get(f"{report.path}/redact").text)["Bella"][1] is True

    def test_the_text_page_redirects_to_the_marks_page_before_the_first_save(
        self, alice: Colleague, file: File
    ) -> None:
        report = file()

        assert alice.browser.get(f"{report.path}/redact/text").location == f"{report.path}/redact"

    def test_withdrawing_the_report_deletes_the_redaction(self, alice: Colleague, file: File) -> None:
        report = file()
        hide(alice, report)

        report.withdraw()

        assert queries.redaction(report.id) is None

    def test_staff_without_the_permission_may_not_see_the_page(self, charlie: Colleague, file: File) -> None:
        report = file()

        assert charlie.browser.get(f"{report.path}/redact").status_code == 403


class TestTwoPeople:
    def test_the_second_save_shows_the_ticks_of_both_people(
        self, alice: Colleague, dave: Colleague, file: File
    ) -> None:
        report = file("Kestrel met Osprey near the river.")
        alice.post(f"{report.path}/redact", {"version": "0", "words": "Kestrel", "do": "look"})

        answer = dave.post(f"{report.path}/redact", {"version": "0", "words": "Osprey", "do": "look"})

        assert answer.status_code == 409
        boxes = ticks(answer.text)
        assert (boxes["Kestrel"][1], boxes["Osprey"][1]) == (True, True)
        sent = [value for value, _ in boxes.values()]
        dave.post(f"{report.path}/redact", {"version": version(answer.text), "span": sent, "do": "look"})
        assert left(dave, report) == f"{HIDDEN} met {HIDDEN} near the river."

    def test_a_text_settled_meanwhile_is_not_overwritten_and_the_typed_text_kept(
        self, alice: Colleague, dave: Colleague, file: File
    ) -> None:
        report = file("He came. He left. He rang.")
        hide(alice, report)
        assert (
            alice.post(f"{report.path}/redact/text", {"version": "1", "text": "He came."}).status_code == 303
        )

        answer = dave.post(f"{report.path}/redact/text", {"version": "1", "text": "He rang."})

        assert answer.status_code == 409
        assert Drawn(answer.text).texts["text"] == "He rang."
        settled = queries.settled_redaction(report.id, report.content_key)
        assert settled is not None
        assert settled.text == "He came."
