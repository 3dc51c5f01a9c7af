"""Many at the same moment: every report is filed once, and everybody gets their receipt."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

from flask import Flask
from werkzeug.test import TestResponse

from reporting.intake.models import Report, ReportMessage, ReportPart
from tests.intake.steps import behind, come_back, count, csrf_in, file, open_form, receipt_in, send
from ugly_mugs.db import db


def at_once(app: Flask, deeds: Sequence[Callable[[], TestResponse]]) -> list[TestResponse]:
    """Every deed in a thread of its own, all let go at the same moment."""
    db.session.remove()
    gate = Barrier(len(deeds))

    def run(deed: Callable[[], TestResponse]) -> TestResponse:
        gate.wait(30)
        return deed()

    with ThreadPoolExecutor(len(deeds)) as threads:
        return list(threads.map(run, deeds))


def test_64_reports_are_all_filed_none_refused_lost_or_doubled(app: Flask) -> None:
    tokens = [open_form(app.test_client()) for _ in range(64)]

    def file_one(number: int) -> TestResponse:
        return send(app.test_client(), tokens[number], happened__account=f"Report {number}.")

    answers = at_once(app, [partial(file_one, number) for number in range(64)])

    assert Counter(answer.status_code for answer in answers) == {200: 64}
    receipts = [receipt_in(answer.text) for answer in answers]
    assert len(set(receipts)) == 64
    assert (count(Report), count(ReportPart)) == (64, 64)
    kept = [behind(words).contents.account for words in receipts]
    assert kept == [f"Report {number}." for number in range(64)]


def test_the_same_form_sent_ten_times_files_once_and_shows_one_receipt(app: Flask) -> None:
    token = open_form(app.test_client())

    answers = at_once(app, [lambda: send(app.test_client(), token)] * 10)

    assert Counter(answer.status_code for answer in answers) == {200: 10}
    assert len({receipt_in(answer.text) for answer in answers}) == 1
    assert (count(Report), count(ReportPart)) == (1, 1)


def test_messages_and_additions_sent_together_are_all_kept(app: Flask) -> None:
    client = app.test_client()
    words = file(client)
    come_back(client, words)
    csrf = csrf_in(client.get("/receipt/report").text)
    cookie = client.get_cookie("reporter")
    assert cookie is not None

    def post(path: str, name: str, text: str) -> TestResponse:
        visitor = app.test_client()
        visitor.set_cookie("reporter", cookie.value)
        return visitor.post(path, data={"csrf": csrf, name: text})

    said = [partial(post, "/receipt/message", "message.text", f"Message {n}") for n in range(5)]
    added = [partial(post, "/receipt/add", "happened.account", f"More {n}") for n in range(5)]

    answers = at_once(app, [*said, *added])

    assert Counter(answer.status_code for answer in answers) == {303: 10}
    assert (count(ReportMessage), count(ReportPart)) == (5, 6)
    assert set(behind(words).contents.accounts[1:]) == {f"More {n}" for n in range(5)}
