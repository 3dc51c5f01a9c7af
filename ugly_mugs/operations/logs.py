"""Logs as JSON lines without personal data.

Our own lines are a constant sentence and a few known keys; other keys are dropped. Of lines from libraries only the
place and the type of error are logged, never the message, which may quote an address, a path or a form. Requests
are logged by URL rule, and only those of staff, members and machines: pages open to reporters are not logged.
"""

import json
import logging
import re
import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime
from enum import Enum
from time import perf_counter
from typing import Any
from uuid import UUID

from flask import Flask, Response, current_app, g, has_request_context, request

from ugly_mugs.faults import raised_at
from ugly_mugs.settings import Settings

OURS = ("ugly_mugs", "reporting", "alerts")
# Libraries whose messages are logged: they hold only names of the schema and revisions, which the operator needs.
KEPT_LIBRARIES = ("alembic", "flask_migrate")
# gunicorn's messages about its own processes; its other messages hold paths and addresses of visitors.
GUNICORN_MESSAGES = frozenset(
    {
        "Starting gunicorn %s",
        "Listening at: %s (%s)",
        "Using worker: %s",
        "Booting worker with pid: %s",
        "Worker exiting (pid: %s)",
        "Worker (pid:%s) exited with code %s.",
        "Handling signal: %s",
        "Shutting down: %s",
        "Reason: %s",
    }
)
KNOWN_KEYS = frozenset(
    (
        "alert attempt channel code count counts delivery error failures handed job kind method milliseconds "
        "number outcome pace pid priority process reason revision role rule seconds sender state status table "
        "waiting where"
    ).split()
)
# Matches a word, a class, a file and line, or a URL rule, but no sentence: spaces are not allowed.
HARMLESS = re.compile(r"[\w.:/<>-]{1,120}", re.ASCII)

_requests = logging.getLogger("ugly_mugs.requests")


def init_app(app: Flask, settings: Settings) -> None:
    configure(settings.log_level)

    @app.before_request
    def _start() -> None:
        g.started = perf_counter()

    @app.after_request
    def _log(response: Response) -> Response:
        if not may_be_a_reporters():
            line = {
                "method": request.method,
                "rule": request.url_rule.rule if request.url_rule else "none",
                "status": response.status_code,
                "milliseconds": round((perf_counter() - g.get("started", perf_counter())) * 1000),
            }
            _requests.info("request", extra=line)
        return response


def may_be_a_reporters() -> bool:
    """Whether this request may be a reporter's: then it is not logged, and an error gets only the day as its time."""
    entry = getattr(current_app.view_functions.get(request.endpoint or ""), "who_may_enter", None)
    # Compared by name, so that gunicorn's main process, which logs too, need not import the guard.
    return getattr(entry, "area", "anyone") in ("anyone", "reporter")


def configure(level: str) -> None:
    """Send all log lines of this process to standard error as JSON; calling it again only sets the level."""
    root = logging.getLogger()
    root.setLevel(level)
    if not any(isinstance(handler, JsonHandler) for handler in root.handlers):
        root.addHandler(JsonHandler())
    # These log every request, statement or column.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    logging.getLogger("sqlalchemy.engine").setLevel(logging.WARNING)
    logging.getLogger("alembic.autogenerate").setLevel(logging.WARNING)


class JsonHandler(logging.StreamHandler[Any]):
    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonFormatter())

    def filter(self, record: logging.LogRecord) -> bool:
        # Of Alembic's info lines only those about the migrations it runs are useful.
        noise = record.name.startswith("alembic") and record.levelno < logging.WARNING
        return bool(super().filter(record)) and (not noise or "Running" in str(record.msg))

    def emit(self, record: logging.LogRecord) -> None:
        # Looked up for each line, because `sys.stderr` may have been replaced.
        self.stream = sys.stderr
        super().emit(record)


class JsonFormatter(logging.Formatter):
    """One JSON object per line. Arguments and tracebacks are left out, because both may quote what was typed."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": _moment(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": _sentence(record),
        }
        if _is_from(record, OURS):
            line |= {key: harmless(value) for key, value in vars(record).items() if key in KNOWN_KEYS}
        elif not line["event"]:
            line |= {"event": "a library reports", "where": f"{record.module}:{record.lineno}"}
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            where = raised_at(error) or f"{record.module}:{record.lineno}"
            line |= {"error": type(error).__name__, "where": where}
        return json.dumps(line)


def harmless(value: object) -> object:
    """The value if it may be logged (a number, state, id, date or single word), else "(left out)"."""
    if isinstance(value, Enum):
        value = value.value
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(harmless(key)): harmless(inner) for key, inner in value.items()}
    if isinstance(value, UUID | date) or (isinstance(value, str) and HARMLESS.fullmatch(value)):
        return str(value)
    return "(left out)"


def _sentence(record: logging.LogRecord) -> str:
    """The message: ours without its arguments, a library's only if it is known to be harmless, else empty."""
    if _is_from(record, OURS):
        return str(record.msg)
    if _is_from(record, KEPT_LIBRARIES) or (
        _is_from(record, ("gunicorn",)) and record.msg in GUNICORN_MESSAGES
    ):
        return record.getMessage()
    return ""


def _is_from(record: logging.LogRecord, packages: tuple[str, ...]) -> bool:
    return record.name.split(".")[0] in packages


def _moment(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    if has_request_context() and may_be_a_reporters():
        # The log must not show the time of a reporter's visit, not even for an error.
        return moment.date().isoformat()
    return moment.isoformat(timespec="milliseconds")
