"""The desk's page of one report: its contents, the next step, and each action done once."""

import re
from datetime import date

import pytest

from alerts.publishing.models import ALERT_OUTPUT
from reporting.record import conversation, queries as record_queries
from reporting.record.consents import Consents, When
from reporting.record.models import Author, IdentifierTag, ReportState
from tests.make.audit import entries
from tests.make.cast import Colleague, Team
from tests.make.clock import MovableClock
from tests.make.databases import count
from tests.make.pages import Drawn, area_of, hidden
from tests.make.reports import File, FiledReport, page_of
from ugly_mugs.accounts.models import Role
from ugly_mugs.audit.models import AuditKind


def conversation_of(report: FiledReport) -> list[tuple[Author, str]]:
    """The conversation as the reporter reads it."""
    key = report.content_key
    return [
        (message.author, conversation.open_message(message, key))
        for message in record_queries.messages(report.id)
    ]


class TestReading:
    def test_every_answer_is_shown_in_the_order_of_the_parts(
        self, alice: Colleague, file: File, clock: MovableClock
    ) -> None:
        report = file(
            "First words.",
            offenders=[{"names": ["Example"], "phones": ["07700 900456"]}, {"names": ["Other"]}],
            place={"place": "Leeds", "premises": "hotel"},
            when={"day": date(2026, 10, 3)},
            about_you={"call_you": "Robin"},
        )
        clock.forward(days=2)
        report.add("More words.")
        assert alice.sign_in().status_code == 303

        page = page_of(alice, report)

        order = [
            "First words.",
            "Example",
            "Other",
            "Leeds",
            "October",
            "Robin",
            "Added on",
            "More words.",
        ]
        places = [page.index(text) for text in order]
        assert places == sorted(places)
        assert "Hotel or rented room" in page
        assert "21 November, 12:00" in page
        assert "2 days ago" in page

    def test_typed_text_is_shown_escaped_and_unchanged(self, alice: Colleague, file: File) -> None:
        account = "He said <script>alert(\"x\")</script> & 'left'\n{{ 7*7 }} 🙈 小美"

        assert account in page_of(alice, file(account))

    @pytest.mark.parametrize(
        ("consents", "sentence"),
        [
            (Consents(), "No alert may be made."),
            (Consents(warn_others=True), "An alert may leave as soon as two people agree."),
            (
                Consents(warn_others=True, when=When.AFTER_SEEN),
                "It waits until they have seen it and let it go.",
            ),
            (
                Consents(warn_others=True, when=When.NOT_BEFORE, not_before=date(2026, 12, 24)),
                "It must not leave before",
            ),
            (
                Consents(contact_me=True, safe_contact={"how": "call", "otherwise_say": "the dentist"}),
                "the dentist",
            ),
        ],
    )
    def test_consents_are_shown_as_instructions(
        self, alice: Colleague, file: File, consents: Consents, sentence: str
    ) -> None:
        assert sentence in page_of(alice, file(consents=consents))

    def test_a_caseworker_reads_and_writes_but_decides_nothing(
        self, team: Team, alice: Colleague, file: File
    ) -> None:
        dora = team.hire("dora", Role.CASEWORKER)
        report = file()

        page = page_of(dora, report)

        assert "Write to the reporter" in page
        assert f"{report.path}/take" not in page
        assert dora.post(f"{report.path}/take").status_code == 403
        assert dora.post(f"{report.path}/settle").status_code == 403
        assert dora.browser.get(f"{report.path}/redact").status_code == 403


class TestNextStep:
    def test_each_step_of_the_work_names_the_next(
        self, alice: Colleague, dave: Colleague, file: File
    ) -> None:
        report = file("He left.")

        assert "Take it" in next_step(alice, report)
        alice.post(f"{report.path}/take")
        assert "alice looks after this report" in next_step(dave, report)
        assert "Hide words" in next_step(alice, report)
        alice.post(f"{report.path}/redact", {"version": "0"})
        assert "Go on hiding words" in next_step(alice, report)
        alice.post(f"{report.path}/redact/text", {"version": "1", "text": "He left."})
        assert 'action="/desk/alerts/new"' in next_step(alice, report)
        report.propose(ALERT_OUTPUT, Consents(warn_others=True))
        assert "Settle or decline" in next_step(alice, report)
        alice.post(f"{report.path}/settle", {"settle.message": "Done."})
        assert "This report is finished" in next_step(alice, report)

    def test_without_consent_to_a_warning_no_alert_is_offered(self, alice: Colleague, file: File) -> None:
        report = file(consents=Consents())
        alice.post(f"{report.path}/take")

        assert "/desk/alerts/new" not in page_of(alice, report)
        assert "No alert may be made from it." in next_step(alice, report)

    def test_alerts_made_from_it_are_listed_with_their_state(self, alice: Colleague, file: File) -> None:
        report = file()
        alert = report.propose(ALERT_OUTPUT, Consents(warn_others=True))

        page = page_of(alice, report)

        assert f"/desk/alerts/{alert.subject_id}" in page
        assert "Being written." in page


def next_step(who: Colleague, report: FiledReport) -> str:
    match = re.search(r'aria-labelledby="next">(.*?)</section>', page_of(who, report), re.S)
    assert match is not None
    return match[1]


class TestTaking:
    def test_taking_and_giving_back(self, alice: Colleague, file: File) -> None:
        report = file()

        assert alice.post(f"{report.path}/take").location == report.path
        assert (report.row.state, report.row.taken_by) == (ReportState.IN_REVIEW, alice.id)
        assert "you" in alice.browser.get("/desk").text
        alice.post(f"{report.path}/give-back")
        assert (report.row.state, report.row.taken_by) == (ReportState.RECEIVED, None)
        assert len(entries(AuditKind.REPORT_MOVED)) == 2

    def test_taking_twice_is_recorded_once(self, alice: Colleague, file: File) -> None:
        report = file()

        assert [alice.post(f"{report.path}/take").status_code for _ in range(2)] == [303, 303]

        assert len(entries(AuditKind.REPORT_MOVED)) == 1

    def test_taking_a_report_that_a_colleague_has_taken_is_refused(
        self, alice: Colleague, dave: Colleague, file: File
    ) -> None:
        report = file()
        alice.post(f"{report.path}/take")

        answer = dave.post(f"{report.path}/take")

        assert answer.status_code == 409
        assert "A colleague took this report a moment ago." in answer.text
        assert report.row.taken_by == alice.id

    def test_taking_over_needs_the_assignee_that_the_page_showed(
        self, alice: Colleague, dave: Colleague, file: File
    ) -> None:
        report = file()
        alice.post(f"{report.path}/take")
        seen = hidden(dave.browser.get(report.path), "from")

        assert dave.post(f"{report.path}/take", {"from": seen}).status_code == 303

        assert report.row.taken_by == dave.id
        assert alice.post(f"{report.path}/give-back").status_code == 409

    def test_a_withdrawn_report_cannot_be_taken(self, alice: Colleague, file: File) -> None:
        report = file()
        report.withdraw()

        assert alice.post(f"{report.path}/take").status_code == 404


class TestWriting:
    def test_the_reporter_reads_what_the_desk_writes(self, alice: Colleague, file: File) -> None:
        report = file()

        answer = alice.post(f"{report.path}/message", {"message.text": "Are you safe now?"})

        assert answer.location == f"{report.path}#messages"
        assert conversation_of(report) == [(Author.DESK, "Are you safe now?")]
        assert "Are you safe now?" in page_of(alice, report)

    def test_an_empty_message_is_not_sent(self, alice: Colleague, file: File) -> None:
        report = file()

        assert alice.post(f"{report.path}/message", {"message.text": " "}).status_code == 400
        assert conversation_of(report) == []

    def test_a_message_is_kept_when_the_session_ends_while_typing(
        self, alice: Colleague, file: File, clock: MovableClock
    ) -> None:
        report = file()
        path = f"{report.path}/message"
        token = alice.csrf(report.path)
        clock.forward(minutes=40)

        refused = alice.browser.post(path, data={"csrf": token, "message.text": "A long thought. " * 9})
        assert refused.status_code == 400
        kept = area_of(refused.text, "message.text")
        assert alice.sign_in().status_code == 303
        again = alice.browser.post(path, data={"csrf": "", "message.text": kept})
        typed = {"csrf": hidden(again, "csrf"), "message.text": area_of(again.text, "message.text")}
        sent = alice.browser.post(path, data=typed)

        assert sent.status_code == 303
        assert conversation_of(report) == [(Author.DESK, ("A long thought. " * 9).strip())]


class TestFinishing:
    @pytest.mark.parametrize("decision", ["settle", "decline"])
    def test_a_proposed_message_can_be_changed_before_it_is_sent(
        self, alice: Colleague, file: File, decision: str
    ) -> None:
        report = file()
        alice.post(f"{report.path}/take")
        proposed = Drawn(alice.browser.get(report.path).text).texts[f"{decision}.message"]

        alice.post(f"{report.path}/{decision}", {f"{decision}.message": proposed + " Be well."})

        assert report.row.state is {"settle": ReportState.SETTLED, "decline": ReportState.DECLINED}[decision]
        assert conversation_of(report) == [(Author.DESK, proposed + " Be well.")]

    def test_a_report_can_be_settled_without_a_message(self, alice: Colleague, file: File) -> None:
        report = file()
        alice.post(f"{report.path}/take")

        alice.post(f"{report.path}/settle", {"settle.message": ""})

        assert report.row.state is ReportState.SETTLED
        assert conversation_of(report) == []

    def test_the_second_of_two_decisions_is_refused_and_its_message_kept(
        self, alice: Colleague, dave: Colleague, file: File
    ) -> None:
        report = file()
        alice.post(f"{report.path}/take")
        alice.post(f"{report.path}/settle", {"settle.message": "Settled."})

        answer = dave.post(f"{report.path}/decline", {"decline.message": "Dave's long words."})

        assert answer.status_code == 409
        assert area_of(answer.text, "decline.message") == "Dave's long words."
        assert report.row.state is ReportState.SETTLED
        assert conversation_of(report) == [(Author.DESK, "Settled.")]

    def test_a_report_without_an_assignee_is_not_finished(self, alice: Colleague, file: File) -> None:
        report = file()

        assert alice.post(f"{report.path}/decline", {"decline.message": "x"}).status_code == 409
        assert report.row.state is ReportState.RECEIVED

    def test_a_finished_report_can_be_opened_again(self, alice: Colleague, file: File) -> None:
        report = file()
        alice.post(f"{report.path}/take")
        alice.post(f"{report.path}/decline", {"decline.message": ""})

        alice.post(f"{report.path}/take")

        assert report.row.state is ReportState.IN_REVIEW


class TestIdentifiers:
    def test_reports_that_share_an_identifier_link_to_each_other(self, alice: Colleague, file: File) -> None:
        one = file(offenders=[{"phones": ["07700 900456"]}])
        other = file("Another day.", offenders=[{"phones": ["+44 7700 900456"]}])
        stranger = file("Somebody else.", offenders=[{"phones": ["07700 900789"]}])

        page = page_of(alice, one)

        assert "1 other report shares an identifier." in page
        assert other.path in page
        assert stranger.path not in page

    def test_an_identifier_in_the_account_is_tagged_only_by_a_moderator(
        self, alice: Colleague, file: File
    ) -> None:
        one = file("He rang from 07700 900456.")
        file("Another day.", offenders=[{"phones": ["07700 900456"]}])
        assert "No other report shares an identifier" in page_of(alice, one)

        tag = hidden(alice.browser.get(one.path), "tag")
        alice.post(f"{one.path}/identifier", {"tag": tag, "do": "mark"})
        assert "1 other report shares an identifier." in page_of(alice, one)
        alice.post(f"{one.path}/identifier", {"tag": tag, "do": "remove"})

        assert "No other report shares an identifier" in page_of(alice, one)
        assert tag_count(one) == 0

    def test_marking_twice_stores_one_tag(self, alice: Colleague, file: File) -> None:
        report = file("He rang from 07700 900456.")
        tag = hidden(alice.browser.get(report.path), "tag")

        for _ in range(2):
            assert alice.post(f"{report.path}/identifier", {"tag": tag, "do": "mark"}).status_code == 303

        assert tag_count(report) == 1

    @pytest.mark.parametrize("tag", ["", "zz", "00" * 32])
    def test_an_identifier_that_is_not_in_the_report_cannot_be_marked(
        self, alice: Colleague, file: File, tag: str
    ) -> None:
        report = file("He rang from 07700 900456.")

        assert alice.post(f"{report.path}/identifier", {"tag": tag, "do": "mark"}).status_code == 409
        assert tag_count(report) == 0

    def test_the_reporters_own_identifier_cannot_be_marked(self, alice: Colleague, file: File) -> None:
        report = file("He rang 07700 900123.")
        tag = hidden(alice.browser.get(report.path), "tag")
        report.add(about_you={"phones": ["07700 900123"]})

        assert "The reporter's own. It never counts." in page_of(alice, report)
        assert alice.post(f"{report.path}/identifier", {"tag": tag, "do": "mark"}).status_code == 409


def tag_count(report: FiledReport) -> int:
    return count(IdentifierTag, IdentifierTag.report_id == report.id)
