"""Logs hold no personal data, whatever goes wrong."""

import json
import logging
import uuid
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Blueprint, Flask
from flask.testing import FlaskClient
from gunicorn.config import Config
from sqlalchemy.exc import DBAPIError

from ugly_mugs.accounts.guard import anyone, machine, reporter
from ugly_mugs.audit.log import AuditKind
from ugly_mugs.database.engine import db
from ugly_mugs.operations import logs
from ugly_mugs.operations.gunicorn_logger import GunicornLogger

CANARY = "CANARY my name is Wren Example, 07700 900123"


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Iterator["Lines"]:
    """Reads the lines logged so far, and checks that they hold nothing of the canary."""
    root = logging.getLogger()
    before = root.level
    logs.configure("DEBUG")

    def read() -> list[dict[str, Any]]:
        written = capsys.readouterr().err
        assert "CANARY" not in written
        assert "Wren" not in written
        return [json.loads(line) for line in written.splitlines()]

    yield read
    root.setLevel(before)


Lines = Callable[[], list[dict[str, Any]]]


def test_our_lines_keep_their_sentence_and_the_known_keys(lines: Lines) -> None:
    job = uuid.uuid4()
    logging.getLogger("ugly_mugs.outbox").warning(
        "a text was refused",
        extra={"code": 30003, "delivery": job, "kind": AuditKind.REPORT_MOVED, "body": CANARY},
    )

    (line,) = lines()
    assert line["event"] == "a text was refused"
    assert (line["code"], line["delivery"], line["kind"]) == (30003, str(job), "desk:report:moved")
    assert "body" not in line


@pytest.mark.parametrize(
    "value", [CANARY, [CANARY], {"error": CANARY}, CANARY.encode(), "two words", object()]
)
def test_a_sentence_under_a_known_key_is_left_out(lines: Lines, value: object) -> None:
    logging.getLogger("ugly_mugs.outbox").error("it failed", extra={"error": value})

    assert "left out" in json.dumps(lines()[0]["error"])


@pytest.mark.parametrize(
    "value", [7, 1.5, True, None, "sms", "ValueError", date(2026, 11, 21), "/desk/reports/<uuid:id>"]
)
def test_harmless_values_are_logged(lines: Lines, value: object) -> None:
    logging.getLogger("ugly_mugs.outbox").error("it failed", extra={"state": value})

    logged = lines()[0]["state"]
    assert logged == (str(value) if isinstance(value, date) else value)


def test_an_errors_type_and_place_are_logged_and_its_message_is_not(lines: Lines) -> None:
    try:
        raise ValueError(CANARY)
    except ValueError:
        logging.getLogger("alerts.delivery").exception("a job failed")

    (line,) = lines()
    assert line["error"] == "ValueError"
    assert line["where"].startswith("test_logs.py:")


def test_arguments_of_a_line_are_not_printed(lines: Lines) -> None:
    logging.getLogger("reporting.intake").info("filed %s", CANARY)

    assert lines()[0]["event"] == "filed %s"


def test_a_librarys_message_is_not_logged(lines: Lines) -> None:
    logging.getLogger("twilio.http_client").warning("POST with " + CANARY)
    logging.getLogger("urllib3").debug("%s", CANARY)

    logged = lines()
    assert [line["event"] for line in logged] == ["a library reports", "a library reports"]
    assert logged[0]["where"].startswith("test_logs:")


def test_gunicorns_messages_about_itself_are_logged_and_those_about_visitors_are_not(lines: Lines) -> None:
    logger = GunicornLogger(Config())
    logger.info("Booting worker with pid: %s", 4711)
    logger.warning("Invalid request from ip=192.0.2.7: " + CANARY)
    logger.exception("Error handling request %s", f"/receipt/{CANARY}")
    logger.access(None, None, None, None)

    logged = lines()
    assert [line["event"] for line in logged] == [
        "Booting worker with pid: 4711",
        "a library reports",
        "a library reports",
    ]
    assert "192.0.2.7" not in json.dumps(logged)


@pytest.fixture
def pages(app: Flask) -> FlaskClient:
    """Pages of each kind; with the path "fail", each raises an error that quotes what somebody wrote."""
    pages = Blueprint("each_kind", __name__)

    def view(path: str) -> str:
        if path == "fail":
            raise RuntimeError(CANARY)
        return "well"

    for name, mark in (("open", anyone), ("machines", machine), ("receipts", reporter)):
        pages.add_url_rule(f"/{name}/<path>", name, mark(lambda path: view(path)))
    # Flask accepts blueprints until the first request, which this new application has not had.
    app.register_blueprint(pages)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    return app.test_client()


def test_a_request_is_logged_by_its_rule(pages: FlaskClient, lines: Lines) -> None:
    pages.get("/machines/secret-token?q=CANARY")

    (line,) = [line for line in lines() if line["event"] == "request"]
    assert (line["method"], line["rule"], line["status"]) == ("GET", "/machines/<path>", 200)
    assert "secret-token" not in json.dumps(line)


@pytest.mark.parametrize(
    "path",
    ["/", "/report", "/receipt", "/open/x", "/receipts/x", "/leave", "/nowhere/CANARY", "/static/style.css"],
)
def test_a_request_for_a_page_open_to_reporters_is_not_logged(
    pages: FlaskClient, lines: Lines, path: str
) -> None:
    pages.get(path)

    assert lines() == []


def test_an_error_on_a_reporters_page_is_logged_with_the_day_only(pages: FlaskClient, lines: Lines) -> None:
    assert pages.get("/open/fail").status_code == 500

    (line,) = lines()
    assert date.fromisoformat(line["at"])
    assert line["error"] == "RuntimeError"


def test_the_values_of_a_failed_statement_are_not_logged(app: Flask, lines: Lines) -> None:
    with pytest.raises(DBAPIError) as caught:
        db.session.execute(sa.text("SELECT * FROM nowhere WHERE a = :a"), {"a": CANARY})
    logging.getLogger("ugly_mugs").error("it failed", exc_info=caught.value)
    db.session.rollback()

    assert CANARY not in str(caught.value)
    assert lines()
