"""Logs as JSON lines that cannot hold what a person wrote, typed or is.

Our own lines are a constant sentence and a few known keys; anything else is dropped. Lines of libraries keep
their place and the kind of error, never their words: those may quote an address, a path or a form. Requests are
logged by URL rule, and only for staff, members and machines: pages that a reporter opens leave no line at all.
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

from ugly_mugs.settings import Settings

OURS = ("ugly_mugs", "reporting", "alerts")
# Schema names and revision numbers only: an operator who runs `flask db …` must read these.
SPOKEN = ("alembic", "flask_migrate")
# What gunicorn says of itself; its other lines hold addresses of visitors and paths.
GUNICORN_SAYS = frozenset(
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
# A word, a class, a file and line, a URL rule: no sentence fits through.
PLAIN = re.compile(r"[\w.:/<>-]{1,120}", re.ASCII)

_requests = logging.getLogger("ugly_mugs.requests")


def init_app(app: Flask, settings: Settings) -> None:
    configure(settings.log_level)

    @app.before_request
    def _began() -> None:
        g.began = perf_counter()

    @app.after_request
    def _log(response: Response) -> Response:
        if not leaves_no_trace():
            line = {
                "method": request.method,
                "rule": request.url_rule.rule if request.url_rule else "none",
                "status": response.status_code,
                "milliseconds": round((perf_counter() - g.get("began", perf_counter())) * 1000),
            }
            _requests.info("request", extra=line)
        return response


def leaves_no_trace() -> bool:
    """Whether this request may be a reporter's: then no line tells of it, and no time finer than the day."""
    entry = getattr(current_app.view_functions.get(request.endpoint or ""), "who_may_enter", None)
    # By its word rather than its class: gunicorn's first process logs too, and needs nothing of the guard.
    return getattr(entry, "area", "anyone") in ("anyone", "reporter")


def configure(level: str) -> None:
    """Send every line of this process to standard error in our form; asking twice changes nothing."""
    root = logging.getLogger()
    root.setLevel(level)
    if not any(isinstance(handler, PlainSight) for handler in root.handlers):
        root.addHandler(PlainSight())
    # These write lines for each request, statement or column, which nobody here wants.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    logging.getLogger("sqlalchemy.engine").setLevel(logging.WARNING)
    logging.getLogger("alembic.autogenerate").setLevel(logging.WARNING)


class PlainSight(logging.StreamHandler[Any]):
    """Writes lines that everybody may see to standard error."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(PlainLines())

    def filter(self, record: logging.LogRecord) -> bool:
        # Alembic tells of its dialect each time; only the steps it takes are worth a line.
        idle = record.name.startswith("alembic") and record.levelno < logging.WARNING
        return bool(super().filter(record)) and (not idle or "Running" in str(record.msg))

    def emit(self, record: logging.LogRecord) -> None:
        # Looked up for each line, because whoever runs the process may have put another stream there.
        self.stream = sys.stderr
        super().emit(record)


class PlainLines(logging.Formatter):
    """One JSON object a line. Neither arguments nor tracebacks are printed: both quote what was typed."""

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
        if record.exc_info and record.exc_info[0] is not None:
            line |= {"error": record.exc_info[0].__name__, "where": _where(record)}
        return json.dumps(line)


def harmless(value: object) -> object:
    """A value as it may stand in a log: a number, a state, an id, one word; anything else is left out."""
    if isinstance(value, Enum):
        value = value.value
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(harmless(key)): harmless(inner) for key, inner in value.items()}
    if isinstance(value, UUID | date) or (isinstance(value, str) and PLAIN.fullmatch(value)):
        return str(value)
    return "(left out)"


def _sentence(record: logging.LogRecord) -> str:
    """The line's words. Ours are constants in the code; a library's are kept only where they are known."""
    if _is_from(record, OURS):
        return str(record.msg)
    if _is_from(record, SPOKEN) or (_is_from(record, ("gunicorn",)) and record.msg in GUNICORN_SAYS):
        return record.getMessage()
    return ""


def _is_from(record: logging.LogRecord, packages: tuple[str, ...]) -> bool:
    return record.name.split(".")[0] in packages


def _where(record: logging.LogRecord) -> str:
    place = f"{record.module}:{record.lineno}"
    trace = record.exc_info[2] if record.exc_info else None
    while trace is not None:
        place = f"{trace.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def _moment(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    if has_request_context() and leaves_no_trace():
        # Even a fault says no more than the day when a reporter may have met it.
        return moment.date().isoformat()
    return moment.isoformat(timespec="milliseconds")
