"""Filing: what a posted form is to the service, and that it files once, whatever people press."""

from datetime import timedelta
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient

from reporting.record.models import Report, ReportPart, ReportState, Source
from tests.conftest import MovableClock
from tests.make.reporter import (
    ACCOUNT,
    DIGITS,
    area_of,
    behind,
    box_of,
    come_back,
    consents_of,
    count,
    file,
    open_form,
    plain_words,
    post,
    receipt_in,
    send,
    shows_receipt,
    token_in,
    typed,
)
from tests.web.drawing import Drawn
from ugly_mugs.vault import Receipt

EVERYTHING = typed(
    happened__account="Line one\r\nline two",
    happened__types=["robbery", "threats"],
    happened__still_going_on="no",
    offenders_of_0__names="Example\nOther Example",
    offenders_of_0__phones="07700 900123",
    offenders_of_0__hair="short, dark",
    place__place="Leeds",
    place__premises="hotel",
    when__day="2026-11-20",
    when__time_band="night",
    warn_others__warn_others="yes",
    warn_others__when="not_before",
    warn_others__not_before="2026-12-01",
    contact_me__contact_me="yes",
    contact_me__how="text",
    contact_me__where="07700 900777",
    contact_me__may_say_who="no",
    contact_me__otherwise_say="the dentist",
    about_you__working_names="Ruby",
    about_you__sector="online",
)


class TestAFirstReport:
    def test_shows_seven_words_and_the_same_receipt_in_digits(self, client: FlaskClient) -> None:
        page = send(client, open_form(client)).text

        digits = DIGITS.search(page)
        assert len(receipt_in(page).split()) == 7
        assert digits
        assert Receipt.parse(digits[1]) == Receipt.parse(receipt_in(page))

    def test_says_how_to_keep_the_receipt_and_what_happens_now(self, client: FlaskClient) -> None:
        words = plain_words(send(client, open_form(client)).text)

        for said in ("print this page", "on paper", "screenshot", "What happens now", "Monday to Friday"):
            assert said in words

    def test_needs_no_more_than_what_happened(self, client: FlaskClient) -> None:
        words = file(client)

        found = behind(words)
        assert found.report.state is ReportState.RECEIVED
        assert found.report.source is Source.REPORTER
        assert found.contents.account == ACCOUNT
        assert not found.consents.warn_others
        assert not found.consents.contact_me

    def test_keeps_every_answer(self, client: FlaskClient) -> None:
        answer = client.post("/report", data={"token": open_form(client), **EVERYTHING})

        found = behind(receipt_in(answer.text)).contents
        assert found.sections["happened"]["account"] == "Line one\nline two"
        assert found.sections["happened"]["types"] == ["robbery", "threats"]
        assert found.offenders[0]["names"] == ["Example", "Other Example"]
        assert found.offenders[0]["hair"] == "short, dark"
        assert found.sections["place"] == {"place": "Leeds", "premises": "hotel"}
        assert found.sections["when"] == {"day": "2026-11-20", "time_band": "night"}
        assert found.sections["about_you"] == {"working_names": ["Ruby"], "sector": "online"}
        assert found.consents.earliest and found.consents.earliest.isoformat() == "2026-12-01"
        assert found.consents.safe_contact["otherwise_say"] == "the dentist"

    def test_never_keeps_the_second_half_of_a_postcode(self, client: FlaskClient) -> None:
        words = file(client, place__place="LS11 8ZQ")

        assert behind(words).contents.sections["place"]["place"] == "LS11"

    def test_needs_no_cookie_and_sets_none(self, app: Flask) -> None:
        token = open_form(app.test_client())

        answer = send(app.test_client(), token)

        assert shows_receipt(answer.text)
        assert "Set-Cookie" not in answer.headers

    def test_writes_down_only_the_day(self, client: FlaskClient, clock: MovableClock) -> None:
        words = file(client)

        found = behind(words)
        assert found.report.received_on == clock.now().date()
        assert found.contents.head.received_at == clock.now()

    def test_without_what_happened_asks_for_it_and_files_nothing(self, client: FlaskClient) -> None:
        answer = send(client, open_form(client), happened__account="  ", place__place="Leeds")

        assert answer.status_code == 400
        assert "What happened?" in plain_words(answer.text.partition("<h1>")[0])
        assert box_of(answer.text, "place.place") == "Leeds"
        assert count(Report) == 0


class TestTheSameForm:
    def test_sent_twice_shows_the_same_receipt_and_files_once(self, client: FlaskClient) -> None:
        token = open_form(client)

        first, second = send(client, token), send(client, token)

        assert receipt_in(first.text) == receipt_in(second.text)
        assert first.text.replace(token_in(first.text), "") == second.text.replace(token_in(second.text), "")
        assert (count(Report), count(ReportPart)) == (1, 1)

    @pytest.mark.parametrize("minutes", [1, 29, 31, 59])
    def test_reloaded_in_this_or_the_next_half_hour_shows_the_receipt(
        self, client: FlaskClient, clock: MovableClock, minutes: int
    ) -> None:
        token = open_form(client)
        first = receipt_in(send(client, token).text)

        clock.forward(minutes=minutes)

        assert receipt_in(send(client, token).text) == first
        assert count(Report) == 1

    @pytest.mark.parametrize("later", [timedelta(minutes=60), timedelta(hours=23), timedelta(days=400)])
    def test_reloaded_later_says_it_was_sent_and_shows_no_receipt(
        self, client: FlaskClient, clock: MovableClock, later: timedelta
    ) -> None:
        token = open_form(client)
        send(client, token)

        clock.moment += later
        answer = send(client, token)

        assert not shows_receipt(answer.text)
        assert "sent already" in plain_words(answer.text)
        assert count(Report) == 1

    def test_filed_with_an_old_token_is_recognised_too(
        self, client: FlaskClient, clock: MovableClock
    ) -> None:
        token = open_form(client)
        clock.forward(hours=10)
        assert shows_receipt(send(client, token).text)

        answer = send(client, token)

        assert "sent already" in plain_words(answer.text)
        assert count(Report) == 1

    def test_changed_and_sent_again_offers_the_difference_and_files_nothing(
        self, client: FlaskClient
    ) -> None:
        token = open_form(client)
        first = receipt_in(send(client, token).text)

        answer = send(client, token, happened__account="Something quite different.")

        assert receipt_in(answer.text) == first
        assert "You have changed something since" in plain_words(answer.text)
        assert box_of(answer.text, "happened.account") == "Something quite different."
        assert (count(Report), count(ReportPart)) == (1, 1)

    def test_sent_again_with_another_choice_says_that_it_does_not_count_yet(
        self, client: FlaskClient
    ) -> None:
        token = open_form(client)
        words = receipt_in(send(client, token).text)

        answer = send(client, token, warn_others__warn_others="yes", warn_others__when="after_seen")
        page = come_back(
            client, words, **{"warn_others.warn_others": "yes", "warn_others.when": "after_seen"}
        )

        assert "do not count yet" in plain_words(answer.text)
        assert not consents_of(words).warn_others
        chosen = {(held["name"], held["value"]) for held in Drawn(page.text).of("input") if "checked" in held}
        assert chosen == {("warn_others.warn_others", "yes"), ("warn_others.when", "after_seen")}

    def test_changed_and_sent_much_later_can_be_added_with_the_receipt(
        self, client: FlaskClient, clock: MovableClock
    ) -> None:
        token = open_form(client)
        words = receipt_in(send(client, token).text)
        clock.forward(hours=30)
        late = send(client, token, happened__account="He came back today.", place__place="Leeds")

        form = come_back(client, words, **{"happened.account": "He came back today.", "place.place": "Leeds"})
        post(client, "/receipt/add", **{"happened.account": "He came back today.", "place.place": "Leeds"})

        assert not shows_receipt(late.text)
        assert box_of(late.text, "place.place") == "Leeds"
        assert area_of(form.text, "happened.account") == "He came back today."
        assert behind(words).contents.accounts == [ACCOUNT, "He came back today."]

    def test_what_was_brought_along_survives_a_wrong_receipt(self, client: FlaskClient) -> None:
        answer = come_back(client, "wrong words", **{"happened.account": "He came back today."})

        assert box_of(answer.text, "happened.account") == "He came back today."

    def test_of_a_withdrawn_report_is_drawn_again_as_a_new_one(self, client: FlaskClient) -> None:
        token = open_form(client)
        come_back(client, receipt_in(send(client, token).text))
        post(client, "/receipt/withdraw")

        answer = send(client, token)

        assert answer.status_code == 400
        assert area_of(answer.text, "happened.account") == ACCOUNT
        assert token_in(answer.text) != token


class TestTheAgeOfAForm:
    def test_up_to_a_day_it_is_filed(self, client: FlaskClient, clock: MovableClock) -> None:
        token = open_form(client)
        clock.forward(hours=23, minutes=59)

        assert shows_receipt(send(client, token).text)

    def test_older_it_is_drawn_again_with_a_fresh_token_and_everything_typed(
        self, client: FlaskClient, clock: MovableClock
    ) -> None:
        token = open_form(client)
        clock.forward(hours=25)

        answer = client.post("/report", data={"token": token, **EVERYTHING})

        assert count(Report) == 0
        assert holds_everything(answer.text)
        assert token_in(answer.text) != token
        assert shows_receipt(client.post("/report", data={"token": token_in(answer.text), **EVERYTHING}).text)

    @pytest.mark.parametrize("token", ["", "nonsense", "A" * 48, "ä" * 48])
    def test_a_token_that_is_not_ours_is_replaced_and_nothing_typed_is_lost(
        self, client: FlaskClient, token: str
    ) -> None:
        answer = client.post("/report", data={"token": token, **EVERYTHING})

        assert count(Report) == 0
        assert holds_everything(answer.text)
        assert shows_receipt(client.post("/report", data={"token": token_in(answer.text), **EVERYTHING}).text)

    def test_a_token_of_another_form_files_nothing(self, client: FlaskClient) -> None:
        other = token_in(client.get("/receipt").text)

        answer = send(client, other)

        assert not shows_receipt(answer.text)
        assert count(Report) == 0


class TestAddingAPerson:
    def test_draws_the_page_again_with_room_for_one_more_and_never_files(self, client: FlaskClient) -> None:
        token = open_form(client)

        answer = client.post("/report", data={"token": token, **EVERYTHING, "offenders.add": "1"})

        assert answer.status_code == 200
        assert count(Report) == 0
        assert token_in(answer.text) == token
        assert holds_everything(answer.text)
        assert area_of(answer.text, "offenders-1.names") == ""

    def test_works_without_any_answer_and_finds_no_fault(self, client: FlaskClient) -> None:
        answer = client.post("/report", data={"token": open_form(client), "offenders.add": "1"})

        assert answer.status_code == 200
        assert 'class="summary"' not in answer.text

    def test_never_files_however_often_pressed(self, client: FlaskClient) -> None:
        page = client.get("/report").text

        for _ in range(12):
            answers = dict.fromkeys(Drawn(page).texts, "")
            page = client.post(
                "/report", data={"token": token_in(page), **answers, **EVERYTHING, "offenders.add": "1"}
            ).text

        assert count(Report) == 0
        assert area_of(page, "offenders-7.names") == ""
        assert "offenders.add" not in page

    def test_several_people_are_kept_in_their_order_and_empty_ones_left_out(
        self, client: FlaskClient
    ) -> None:
        words = file(
            client,
            offenders_of_0__names="First",
            offenders_of_1__names="",
            offenders_of_2__names="Third",
        )

        assert [each["names"] for each in behind(words).contents.offenders] == [["First"], ["Third"]]


class TestWhenSomethingIsWrong:
    def test_a_wrong_answer_is_said_beside_its_question_and_the_rest_stays(self, client: FlaskClient) -> None:
        answers = {**EVERYTHING, "when.day": "2026-02-31"}

        answer = client.post("/report", data={"token": open_form(client), **answers})

        assert answer.status_code == 400
        assert count(Report) == 0
        assert holds_everything(answer.text)
        assert 'href="#when-day"' in answer.text

    def test_not_before_without_a_day_asks_for_it(self, client: FlaskClient) -> None:
        answer = send(
            client, open_form(client), warn_others__warn_others="yes", warn_others__when="not_before"
        )

        assert 'href="#warn_others-not_before"' in answer.text
        assert count(Report) == 0

    def test_more_than_fits_says_so_and_keeps_it(self, client: FlaskClient) -> None:
        many = {f"offenders-{n}.marks": "\U0001f600" * 499 for n in range(8)}
        many |= {
            f"offenders-{n}.{name}": "ß" * 199
            for n in range(8)
            for name in ("hair", "eyes", "smell", "build")
        }
        account = "ä" * 19_900

        answer = client.post(
            "/report", data={"token": open_form(client), "happened.account": account, **many}
        )

        assert answer.status_code == 400
        assert "too long" in plain_words(answer.text)
        assert area_of(answer.text, "happened.account") == account
        assert count(Report) == 0

    def test_an_account_of_a_whole_book_returns_with_what_is_wrong_beside_it(
        self, client: FlaskClient
    ) -> None:
        # Pasted by accident, or in a script that an address needs six letters for each letter of.
        account = "Она ушла. " * 27_000
        assert len(quote(account)) > 1_000_000

        answer = send(
            client, open_form(client), happened__account=account, place__place="Leeds", when__day="2026-03-14"
        )

        assert answer.status_code == 400
        assert area_of(answer.text, "happened.account") == account
        assert box_of(answer.text, "place.place") == "Leeds"
        (beside,) = Drawn(answer.text).of("textarea", id="happened-account")
        assert "happened-account-error" in beside["aria-describedby"]
        assert "This is too long. Please keep it under 20000 characters." in plain_words(answer.text)
        assert count(Report) == 0

    def test_what_is_refused_for_its_size_is_not_said_to_be_kept(self, client: FlaskClient) -> None:
        answer = send(client, open_form(client), happened__account="a" * 4 * 1024 * 1024)

        assert answer.status_code == 413
        said = plain_words(answer.text)
        assert "nothing of it was kept" in said
        assert "should still have" not in said
        assert count(Report) == 0


def holds_everything(page: str) -> bool:
    """Whether every answer of EVERYTHING is drawn again, chosen or written."""
    drawn = Drawn(page)
    chosen = {(held["name"], held["value"]) for held in drawn.of("input") if "checked" in held}
    written = {(held["name"], held.get("value", "")) for held in drawn.of("input")}
    areas = {(name, text.replace("\r\n", "\n")) for name, text in drawn.texts.items()}
    selected = {held["value"] for held in drawn.of("option") if "selected" in held}
    for name, value in EVERYTHING.items():
        for each in value if isinstance(value, list) else [value]:
            pair = (name, each.replace("\r\n", "\n"))
            if name == "when.day" and pair not in written:
                pair = (name, "2026-02-31")
            assert pair in chosen | written | areas or each in selected, f"{pair} is lost"
    return True
