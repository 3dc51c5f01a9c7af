"""Typing a receipt: accepted layouts, error messages, and the limit on wrong receipts."""

import re

from flask import Flask
from flask.testing import FlaskClient

from reporting.receipt.views import MOST_WRONG_RECEIPTS
from tests.make.clock import MovableClock
from tests.make.pages import box_of, plain_words
from tests.make.reporter import come_back, file, file_and_open, open_report, post, token_in
from ugly_mugs.vault import Receipt


def test_case_spaces_hyphens_and_punctuation_are_ignored(client: FlaskClient) -> None:
    words = file(client)
    digits = Receipt.parse(words).digits
    layouts = [
        words.upper(),
        words.replace(" ", "-"),
        words.replace(" ", "\n"),
        words.replace(" ", ""),
        "  " + words.replace(" ", " ,  ") + ".",
        " ".join(f"{number}. {word}" for number, word in enumerate(words.split(), 1)),
        digits,
        digits.replace(" ", ""),
        digits.replace(" ", "-"),
    ]

    for layout in layouts:
        assert come_back(client, layout).status_code == 303, layout
        assert "Your report" in plain_words(open_report(client))


def test_an_unknown_word_is_named_with_similar_words(client: FlaskClient) -> None:
    words = file(client).split()
    words[2] = "umbrela"

    answer = come_back(client, " ".join(words))

    text = plain_words(answer.text)
    assert "Word 3, “umbrela”" in text
    assert "umbrella" in text
    assert box_of(answer.text, "receipt") == " ".join(words)


def test_too_few_words_and_impossible_digits_are_explained(client: FlaskClient) -> None:
    for typed in ("apple banana", "1234 5678", "9999 " * 7):
        answer = come_back(client, typed)

        assert answer.status_code == 400
        assert 'class="summary"' in answer.text


def test_an_expired_or_invalid_form_token_redraws_the_form_with_the_words(
    client: FlaskClient, clock: MovableClock
) -> None:
    words = file(client)
    token = token_in(client.get("/receipt").text)
    clock.forward(hours=25)

    answers = [client.post("/receipt", data={"token": sent, "receipt": words}) for sent in (token, "x")]

    for answer in answers:
        assert answer.status_code == 400
        assert box_of(answer.text, "receipt") == words


def test_too_many_wrong_receipts_are_refused_with_the_words_kept(
    client: FlaskClient, clock: MovableClock
) -> None:
    token = token_in(client.get("/receipt").text)
    wrong = Receipt((1, 2, 3, 4, 5, 6, 7)).words
    answers = [
        client.post("/receipt", data={"token": token, "receipt": wrong}).status_code
        for _ in range(MOST_WRONG_RECEIPTS)
    ]

    over = client.post("/receipt", data={"token": token, "receipt": "my seven words"})
    clock.forward(minutes=10)
    later = client.post("/receipt", data={"token": token, "receipt": wrong})

    assert set(answers) == {400}
    assert over.status_code == 429
    assert box_of(over.text, "receipt") == "my seven words"
    assert later.status_code == 400


def test_an_unknown_and_a_withdrawn_receipt_get_the_same_answer(app: Flask) -> None:
    client = app.test_client()
    withdrawn = file_and_open(client)
    post(client, "/receipt/withdraw")
    never = Receipt((1, 2, 3, 4, 5, 6, 7)).words

    pages = [come_back(app.test_client(), words).text for words in (withdrawn, never)]

    shown = [re.sub(r' value="[^"]*"', "", page) for page in pages]
    assert shown[0] == shown[1]
    assert "We know no report with this receipt" in plain_words(pages[0])


def test_a_receipt_with_one_wrong_word_opens_nothing(client: FlaskClient) -> None:
    words = file(client)
    places = list(Receipt.parse(words).indices)
    places[6] = (places[6] + 1) % 7776

    assert come_back(client, Receipt(tuple(places)).words).status_code == 400
