"""Coming back with a receipt: how it may be typed, what a wrong one learns, and what stands behind the door."""

import re
import uuid
from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from reporting.receipt.adding import FINISHED
from reporting.receipt.views import TRIES
from reporting.record import conversation, queries
from reporting.record.models import (
    REPORT_MOVES,
    Author,
    OutputState,
    Report,
    ReportMessage,
    ReportPart,
    ReportState,
)
from tests.make.clock import MovableClock
from tests.make.databases import count
from tests.make.pages import area_of, box_of, plain_words
from tests.make.reporter import (
    ACCOUNT,
    DIGITS,
    behind,
    come_back,
    consents_of,
    csrf_in,
    file,
    make_output,
    open_form,
    post,
    receipt_in,
    send,
    token_in,
)
from ugly_mugs.accounts.models import Session
from ugly_mugs.database.engine import db
from ugly_mugs.vault import Receipt

WARN = {"warn_others__warn_others": "yes", "warn_others__when": "asap"}
SEE_FIRST = {"warn_others__warn_others": "yes", "warn_others__when": "after_seen"}


def opened(client: FlaskClient) -> str:
    answer = client.get("/receipt/report")
    assert answer.status_code == 200
    return answer.text


def bring(words: str, *states: ReportState) -> None:
    """As the desk does it."""
    report = queries.locked_report(behind(words).report.id)
    assert report is not None
    for state in states:
        REPORT_MOVES.move(report, state)
    db.session.commit()


class TestTypingAReceipt:
    def test_ignores_case_spaces_hyphens_and_punctuation(self, client: FlaskClient) -> None:
        words = file(client)
        digits = Receipt.parse(words).digits
        layouts = [
            words.upper(),
            words.replace(" ", "-"),
            words.replace(" ", "\n"),
            words.replace(" ", ""),
            "  " + words.replace(" ", " ,  ") + ".",
            " ".join(f"{number}. {each}" for number, each in enumerate(words.split(), 1)),
            digits,
            digits.replace(" ", ""),
            digits.replace(" ", "-"),
        ]

        for layout in layouts:
            assert come_back(client, layout).status_code == 303, layout
            assert "Your report" in plain_words(opened(client))

    def test_a_word_not_in_the_list_is_pointed_out_with_words_like_it(self, client: FlaskClient) -> None:
        words = file(client).split()
        words[2] = "umbrela"

        answer = come_back(client, " ".join(words))

        said = plain_words(answer.text)
        assert "Word 3, “umbrela”" in said
        assert "umbrella" in said
        assert box_of(answer.text, "receipt") == " ".join(words)

    def test_too_few_or_impossible_ones_are_explained(self, client: FlaskClient) -> None:
        for typed in ("apple banana", "1234 5678", "9999 " * 7):
            answer = come_back(client, typed)

            assert answer.status_code == 400
            assert 'class="summary"' in answer.text

    def test_an_old_or_foreign_form_is_drawn_again_with_the_words_still_there(
        self, client: FlaskClient, clock: MovableClock
    ) -> None:
        words = file(client)
        token = token_in(client.get("/receipt").text)
        clock.forward(hours=25)

        answers = [client.post("/receipt", data={"token": each, "receipt": words}) for each in (token, "x")]

        for answer in answers:
            assert answer.status_code == 400
            assert box_of(answer.text, "receipt") == words

    def test_so_many_tries_and_then_please_wait_with_the_words_still_there(
        self, client: FlaskClient, clock: MovableClock
    ) -> None:
        token = token_in(client.get("/receipt").text)
        wrong = Receipt((1, 2, 3, 4, 5, 6, 7)).words
        answers = [
            client.post("/receipt", data={"token": token, "receipt": wrong}).status_code for _ in range(TRIES)
        ]

        over = client.post("/receipt", data={"token": token, "receipt": "my seven words"})
        clock.forward(minutes=10)
        later = client.post("/receipt", data={"token": token, "receipt": wrong})

        assert set(answers) == {400}
        assert over.status_code == 429
        assert box_of(over.text, "receipt") == "my seven words"
        assert later.status_code == 400

    def test_one_that_never_was_and_a_withdrawn_one_get_the_same_answer(self, app: Flask) -> None:
        client = app.test_client()
        withdrawn = file(client)
        come_back(client, withdrawn)
        post(client, "/receipt/withdraw")
        never = Receipt((1, 2, 3, 4, 5, 6, 7)).words

        pages = [come_back(app.test_client(), words).text for words in (withdrawn, never)]

        shown = [re.sub(r' value="[^"]*"', "", page) for page in pages]
        assert shown[0] == shown[1]
        assert "We know no report with this receipt" in plain_words(pages[0])

    def test_a_receipt_one_word_off_opens_nothing(self, client: FlaskClient) -> None:
        words = file(client)
        places = list(Receipt.parse(words).indices)
        places[6] = (places[6] + 1) % 7776

        assert come_back(client, Receipt(tuple(places)).words).status_code == 400


class TestTheSession:
    def test_begins_with_the_receipt_and_is_a_plain_session_cookie(self, client: FlaskClient) -> None:
        cookie = come_back(client, file(client)).headers["Set-Cookie"]

        assert cookie.startswith("reporter=")
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert "Max-Age" not in cookie
        assert "Expires" not in cookie

    def test_is_another_one_at_each_entry_and_the_former_ends(self, client: FlaskClient) -> None:
        words = file(client)
        come_back(client, words)
        former = client.get_cookie("reporter")
        come_back(client, words)
        newer = client.get_cookie("reporter")
        assert former
        assert newer
        assert former.value != newer.value
        assert count(Session) == 1

        client.set_cookie("reporter", former.value)

        assert client.get("/receipt/report").status_code == 303

    def test_ends_after_twenty_idle_minutes(self, client: FlaskClient, clock: MovableClock) -> None:
        come_back(client, file(client))
        clock.forward(minutes=19)
        opened(client)
        clock.forward(minutes=21)

        assert client.get("/receipt/report").status_code == 303

    def test_ends_when_the_report_is_closed(self, client: FlaskClient) -> None:
        come_back(client, file(client))

        client.post("/receipt/close")

        assert client.get("/receipt/report").status_code == 303
        assert count(Session) == 0

    def test_shows_no_trace_of_whose_it_is(self, client: FlaskClient) -> None:
        come_back(client, file(client))

        row = db.session.query(Session).one()

        assert row.owner_id is None
        assert isinstance(row.day, date)

    def test_is_needed_for_every_page_behind(self, client: FlaskClient) -> None:
        for path in ("report", "add", "choices", "withdraw"):
            assert client.get(f"/receipt/{path}").headers["Location"] == "/receipt"

    def test_forms_from_elsewhere_change_nothing(self, client: FlaskClient) -> None:
        words = file(client)
        come_back(client, words)

        for path in ("message", "add", "choices", "output", "withdraw"):
            answer = client.post(f"/receipt/{path}", data={"csrf": "x", "message.text": "hello"})
            assert answer.status_code == 400

        assert behind(words).report.state is ReportState.RECEIVED
        assert count(ReportMessage) == 0

    def test_opens_one_report_only(self, app: Flask) -> None:
        alice, bob = app.test_client(), app.test_client()
        hers, his = file(alice, happened__account="Hers."), file(bob, happened__account="His.")
        come_back(alice, hers)
        come_back(bob, his)

        assert "Hers." in opened(alice)
        assert "Hers." not in opened(bob)


class TestWhatStandsThere:
    @pytest.mark.parametrize(
        ("states", "said"),
        [
            ((), "Nobody has read it yet"),
            ((ReportState.IN_REVIEW,), "A moderator has opened it"),
            ((ReportState.IN_REVIEW, ReportState.SETTLED), "We have finished with it"),
            ((ReportState.IN_REVIEW, ReportState.DECLINED), "will not make a warning of it"),
        ],
    )
    def test_the_state_in_plain_words(
        self, client: FlaskClient, states: tuple[ReportState, ...], said: str
    ) -> None:
        words = file(client)
        bring(words, *states)
        come_back(client, words)

        assert said in plain_words(opened(client))

    def test_everything_that_was_told(self, client: FlaskClient) -> None:
        words = file(
            client, happened__types=["robbery"], place__premises="hotel", when__day="2026-11-20", **SEE_FIRST
        )
        come_back(client, words)

        said = plain_words(opened(client))

        for each in (
            ACCOUNT,
            "Robbery or theft",
            "Hotel or rented room",
            "November",
            "after you have seen it",
        ):
            assert each in said

    def test_no_time_finer_than_the_day(self, client: FlaskClient) -> None:
        words = file(client)
        come_back(client, words)

        assert not re.search(r"\d\d:\d\d", plain_words(opened(client)).replace("10:00 to 18:00", ""))


class TestMessages:
    def test_go_both_ways(self, client: FlaskClient, clock: MovableClock) -> None:
        words = file(client)
        come_back(client, words)
        post(client, "/receipt/message", **{"message.text": "Did you get it?\nThank you"})
        found = behind(words)
        report = queries.locked_report(found.report.id)
        assert report is not None
        conversation.write(
            report=report, author=Author.DESK, text="We did.", content_key=found.key, day=clock.now().date()
        )
        db.session.commit()

        said = plain_words(opened(client))

        assert said.index("Did you get it?") < said.index("We did.")

    def test_sent_twice_stand_there_once(self, client: FlaskClient) -> None:
        come_back(client, file(client))
        for _ in range(2):
            post(client, "/receipt/message", **{"message.text": "Hello"})

        assert count(ReportMessage) == 1

    def test_without_a_word_are_not_sent(self, client: FlaskClient) -> None:
        come_back(client, file(client))

        assert post(client, "/receipt/message", **{"message.text": " \n "}).status_code == 400
        assert count(ReportMessage) == 0

    @pytest.mark.parametrize("state", sorted(FINISHED))
    def test_open_a_finished_report_again(self, client: FlaskClient, state: ReportState) -> None:
        words = file(client)
        bring(words, ReportState.IN_REVIEW, state)
        come_back(client, words)

        post(client, "/receipt/message", **{"message.text": "There is more."})

        assert behind(words).report.state is ReportState.IN_REVIEW


class TestAdding:
    def test_any_section_alone(self, client: FlaskClient) -> None:
        words = file(client)
        come_back(client, words)
        sections = {
            "happened.account": "He came back.",
            "happened.types": "threats",
            "offenders-0.names": "Example",
            "place.place": "Leeds",
            "when.roughly": "last week",
            "about_you.call_you": "Ruby",
        }

        for number, (name, text) in enumerate(sections.items(), start=2):
            assert post(client, "/receipt/add", **{name: text}).status_code == 303
            assert len(behind(words).contents.parts) == number

        assert behind(words).contents.accounts == [ACCOUNT, "He came back."]

    @pytest.mark.parametrize("state", sorted(FINISHED))
    def test_opens_a_finished_report_again(self, client: FlaskClient, state: ReportState) -> None:
        words = file(client)
        bring(words, ReportState.IN_REVIEW, state)
        come_back(client, words)

        post(client, "/receipt/add", **{"happened.account": "He came back."})

        assert behind(words).report.state is ReportState.IN_REVIEW

    def test_nothing_at_all_adds_nothing(self, client: FlaskClient) -> None:
        words = file(client)
        bring(words, ReportState.IN_REVIEW, ReportState.SETTLED)
        come_back(client, words)

        post(client, "/receipt/add", **{"happened.account": "   "})

        assert count(ReportPart) == 1
        assert behind(words).report.state is ReportState.SETTLED

    def test_the_same_twice_adds_it_once(self, client: FlaskClient) -> None:
        words = file(client)
        come_back(client, words)
        for _ in range(2):
            post(client, "/receipt/add", **{"happened.account": "He came back."})

        assert behind(words).contents.accounts == [ACCOUNT, "He came back."]

    def test_another_person_is_asked_for_without_sending(self, client: FlaskClient) -> None:
        words = file(client)
        come_back(client, words)

        answer = post(client, "/receipt/add", **{"offenders-0.names": "Example", "offenders.add": "1"})

        assert area_of(answer.text, "offenders-1.names") == ""
        assert area_of(answer.text, "offenders-0.names") == "Example"
        assert count(ReportPart) == 1

    def test_what_is_wrong_is_said_and_nothing_is_lost(self, client: FlaskClient) -> None:
        come_back(client, file(client))

        answer = post(client, "/receipt/add", **{"happened.account": "More.", "when.day": "yesterday"})

        assert answer.status_code == 400
        assert area_of(answer.text, "happened.account") == "More."

    def test_after_a_long_pause_what_was_typed_is_shown_again(
        self, client: FlaskClient, clock: MovableClock
    ) -> None:
        come_back(client, file(client))
        page = client.get("/receipt/add").text
        clock.forward(hours=1)

        answer = client.post(
            "/receipt/add", data={"csrf": csrf_in(page), "happened.account": "A long addition. " * 9}
        )

        assert answer.status_code == 400
        assert "A long addition." in answer.text


class TestAWarningBeforeItLeaves:
    def test_is_shown_once_approved_and_waits_if_that_was_asked(self, client: FlaskClient) -> None:
        words = file(client, **SEE_FIRST)
        make_output(words, OutputState.APPROVED, uuid.uuid4(), text="Reported: a man in a grey car.")
        come_back(client, words)

        said = plain_words(opened(client))

        assert "It waits for you" in said
        assert "Reported: a man in a grey car." in said
        assert "Let it go" in said

    def test_is_not_shown_while_its_words_may_still_change(self, client: FlaskClient) -> None:
        words = file(client, **SEE_FIRST)
        make_output(words, OutputState.PROPOSED, uuid.uuid4(), text="A draft.")
        come_back(client, words)

        page = opened(client)

        assert "A draft." not in page
        assert "Let it go" not in plain_words(page)

    def test_let_go_is_held_no_longer(self, client: FlaskClient) -> None:
        words = file(client, **SEE_FIRST)
        output = make_output(words, OutputState.APPROVED, uuid.uuid4())
        come_back(client, words)
        assert output.held

        answer = post(client, "/receipt/output", **form_of_output(opened(client)), do="let_go")

        db.session.refresh(output)
        assert answer.status_code == 303
        assert not output.held
        assert output.state is OutputState.APPROVED

    def test_held_can_be_let_go_again(self, client: FlaskClient) -> None:
        words = file(client, **WARN)
        output = make_output(words, OutputState.APPROVED, uuid.uuid4())
        come_back(client, words)

        post(client, "/receipt/output", **form_of_output(opened(client)), do="hold")
        db.session.refresh(output)
        assert output.held

        post(client, "/receipt/output", **form_of_output(opened(client)), do="let_go")
        db.session.refresh(output)
        assert not output.held

    def test_nobody_lets_go_words_they_have_not_seen(self, client: FlaskClient) -> None:
        words = file(client, **SEE_FIRST)
        subject = uuid.uuid4()
        output = make_output(words, OutputState.APPROVED, subject, text="First words.")
        come_back(client, words)
        seen = form_of_output(opened(client))
        make_output(words, OutputState.APPROVED, subject, text="Other words.")

        answer = post(client, "/receipt/output", **seen, do="let_go")

        db.session.refresh(output)
        assert answer.status_code == 409
        assert output.held

    def test_that_belongs_to_another_report_is_not_there(self, app: Flask) -> None:
        alice, bob = app.test_client(), app.test_client()
        hers, his = file(alice, **WARN), file(bob, **WARN)
        output = make_output(hers, OutputState.APPROVED, uuid.uuid4())
        come_back(bob, his)

        answer = post(bob, "/receipt/output", output=str(output.id), do="hold")

        db.session.refresh(output)
        assert answer.status_code == 404
        assert not output.held

    def test_an_unknown_one_is_not_there(self, client: FlaskClient) -> None:
        come_back(client, file(client))

        for typed in ("", "x", "0" * 32):
            assert post(client, "/receipt/output", output=typed, do="hold").status_code == 404


class TestChangingWhatIsAllowed:
    def test_shows_what_is_allowed_and_keeps_the_change_with_its_wording(
        self, client: FlaskClient, clock: MovableClock
    ) -> None:
        words = file(client, contact_me__contact_me="yes", contact_me__where="07700 900777", **WARN)
        come_back(client, words)
        clock.forward(days=2)
        come_back(client, words)
        page = client.get("/receipt/choices").text
        assert box_of(page, "contact_me.where") == "07700 900777"

        post(client, "/receipt/choices", **{"warn_others.warn_others": "no", "contact_me.contact_me": "yes"})

        now = consents_of(words)
        assert not now.warn_others
        assert now.contact_me
        last = now.records[-1]
        assert (last.consent.value, last.given, last.wording, last.language) == (
            "warn_others",
            False,
            1,
            "en",
        )
        assert last.day - now.records[0].day == timedelta(days=2)

    def test_wishing_for_a_warning_opens_a_finished_report_again(self, client: FlaskClient) -> None:
        words = file(client)
        bring(words, ReportState.IN_REVIEW, ReportState.SETTLED)
        come_back(client, words)

        post(client, "/receipt/choices", **{"warn_others.warn_others": "yes"})

        assert behind(words).report.state is ReportState.IN_REVIEW

    def test_says_what_changing_means(self, client: FlaskClient) -> None:
        come_back(client, file(client))

        assert "cannot be called back" in plain_words(client.get("/receipt/choices").text)

    def test_what_is_wrong_is_said_and_changes_nothing(self, client: FlaskClient) -> None:
        words = file(client, **WARN)
        come_back(client, words)

        answer = post(
            client, "/receipt/choices", **{"warn_others.warn_others": "yes", "warn_others.when": "not_before"}
        )

        assert answer.status_code == 400
        assert behind(words).report.consents_version == 1


def form_of_output(page: str) -> dict[str, str]:
    """The hidden answers of the form with which a warning is let go or held."""
    return {"output": box_of(page, "output"), "seen": box_of(page, "seen")}


def test_the_receipt_page_opens_the_report_by_its_button(client: FlaskClient) -> None:
    page = send(client, open_form(client)).text

    answer = client.post("/receipt", data={"token": token_in(page), "receipt": receipt_in(page)})

    assert answer.status_code == 303
    assert ACCOUNT in opened(client)
    assert DIGITS.search(page)


def test_no_address_of_a_page_holds_anything_of_a_reporter(client: FlaskClient) -> None:
    words = file(client, **WARN)
    make_output(words, OutputState.APPROVED, uuid.uuid4())
    come_back(client, words)

    links = set(re.findall(r'(?:href|action)="(/[^"]*)"', opened(client)))

    assert not [link for link in links if re.search(r"[0-9a-f]{8}", link) and not link.startswith("/static/")]
    assert count(Report) == 1
