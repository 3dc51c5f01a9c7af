"""One report at the same moment from many sides: it is filed once, and everything that is added to it is kept."""

from collections import Counter
from functools import partial

from flask import Flask
from werkzeug.test import TestResponse

from reporting.record.models import Report, ReportMessage, ReportPart
from tests.make.databases import count
from tests.make.reporter import csrf_in, file_and_open, open_form, receipt_in, send, stored
from tests.make.threads import at_once


def test_the_same_form_sent_ten_times_files_once_and_shows_one_receipt(app: Flask) -> None:
    token = open_form(app.test_client())

    answers = at_once([lambda: send(app.test_client(), token)] * 10)

    assert Counter(answer.status_code for answer in answers) == {200: 10}
    assert len({receipt_in(answer.text) for answer in answers}) == 1
    assert (count(Report), count(ReportPart)) == (1, 1)


def test_messages_and_additions_sent_together_are_all_kept(app: Flask) -> None:
    client = app.test_client()
    words = file_and_open(client)
    csrf = csrf_in(client.get("/receipt/report").text)
    cookie = client.get_cookie("reporter")
    assert cookie is not None

    def post(path: str, name: str, text: str) -> TestResponse:
        visitor = app.test_client()
        visitor.set_cookie("reporter", cookie.value)
        return visitor.post(path, data={"csrf": csrf, name: text})

    said = [partial(post, "/receipt/message", "message.text", f"Message {n}") for n in range(5)]
    added = [partial(post, "/receipt/add", "happened.account", f"More {n}") for n in range(5)]

    answers = at_once([*said, *added])

    assert Counter(answer.status_code for answer in answers) == {303: 10}
    assert (count(ReportMessage), count(ReportPart)) == (5, 6)
    assert set(stored(words).contents.accounts[1:]) == {f"More {n}" for n in range(5)}
