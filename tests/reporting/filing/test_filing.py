"""The public door: what a first report shows its reporter, and what is stored of it."""

from flask import Flask
from flask.testing import FlaskClient

from reporting.record.models import Report, ReportState, Source
from tests.make.clock import MovableClock
from tests.make.databases import count
from tests.make.pages import plain_words
from tests.make.reporter import (
    ACCOUNT,
    DIGITS,
    EVERYTHING,
    file,
    open_form,
    receipt_in,
    send,
    shows_receipt,
    stored,
)
from ugly_mugs.vault import Receipt


def test_it_shows_seven_words_and_the_same_receipt_in_digits(client: FlaskClient) -> None:
    page = send(client, open_form(client)).text

    digits = DIGITS.search(page)
    assert len(receipt_in(page).split()) == 7
    assert digits
    assert Receipt.parse(digits[1]) == Receipt.parse(receipt_in(page))


def test_it_says_how_to_keep_the_receipt_and_what_happens_now(client: FlaskClient) -> None:
    words = plain_words(send(client, open_form(client)).text)

    for said in ("print this page", "on paper", "screenshot", "What happens now", "Monday to Friday"):
        assert said in words


def test_it_needs_no_more_than_what_happened(client: FlaskClient) -> None:
    words = file(client)

    found = stored(words)
    assert found.report.state is ReportState.RECEIVED
    assert found.report.source is Source.REPORTER
    assert found.contents.account == ACCOUNT
    assert not found.consents.warn_others
    assert not found.consents.contact_me


def test_it_keeps_every_answer(client: FlaskClient) -> None:
    answer = client.post("/report", data={"token": open_form(client), **EVERYTHING})

    found = stored(receipt_in(answer.text)).contents
    assert found.sections["happened"]["account"] == "Line one\nline two"
    assert found.sections["happened"]["types"] == ["robbery", "threats"]
    assert found.offenders[0]["names"] == ["Example", "Other Example"]
    assert found.offenders[0]["hair"] == "short, dark"
    assert found.sections["place"] == {"place": "Leeds", "premises": "hotel"}
    assert found.sections["when"] == {"day": "2026-11-20", "time_band": "night"}
    assert found.sections["about_you"] == {"working_names": ["Ruby"], "sector": "online"}
    assert found.consents.earliest and found.consents.earliest.isoformat() == "2026-12-01"
    assert found.consents.safe_contact["otherwise_say"] == "the dentist"


def test_it_never_keeps_the_second_half_of_a_postcode(client: FlaskClient) -> None:
    words = file(client, place__place="LS11 8ZQ")

    assert stored(words).contents.sections["place"]["place"] == "LS11"


def test_it_needs_no_cookie_and_sets_none(app: Flask) -> None:
    token = open_form(app.test_client())

    answer = send(app.test_client(), token)

    assert shows_receipt(answer.text)
    assert "Set-Cookie" not in answer.headers


def test_it_writes_down_only_the_day(client: FlaskClient, clock: MovableClock) -> None:
    words = file(client)

    found = stored(words)
    assert found.report.received_on == clock.now().date()
    assert found.contents.head.received_at == clock.now()


def test_up_to_a_day_after_the_form_was_opened_it_is_filed(client: FlaskClient, clock: MovableClock) -> None:
    token = open_form(client)
    clock.forward(hours=23, minutes=59)

    assert shows_receipt(send(client, token).text)


def test_several_people_are_kept_in_their_order_and_empty_ones_left_out(client: FlaskClient) -> None:
    words = file(
        client,
        offenders_of_0__names="First",
        offenders_of_1__names="",
        offenders_of_2__names="Third",
    )

    assert [offender["names"] for offender in stored(words).contents.offenders] == [["First"], ["Third"]]


def test_what_is_refused_for_its_size_is_not_said_to_be_kept(client: FlaskClient) -> None:
    answer = send(client, open_form(client), happened__account="a" * 4 * 1024 * 1024)

    assert answer.status_code == 413
    said = plain_words(answer.text)
    assert "nothing of it was kept" in said
    assert "should still have" not in said
    assert count(Report) == 0
