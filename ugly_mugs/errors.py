"""The errors that services raise, and the handlers that turn errors into pages or problem details.

The page for a failed form repeats all its fields, so that nothing typed is lost and it can be sent again.
"""

import logging
from collections.abc import Iterable
from http import HTTPStatus
from typing import TypeVar

from flask import Flask, Response, jsonify, make_response, render_template, request
from flask_babel import gettext as _
from jinja2 import Template
from sqlalchemy.exc import DBAPIError, TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from ugly_mugs.database.engine import db
from ugly_mugs.faults import raised_at
from ugly_mugs.vault.errors import Busy

log = logging.getLogger(__name__)

Row = TypeVar("Row")

# Fields whose values are never repeated on an error page.
NOT_REPEATED = frozenset({"passphrase", "code", "totp", "recovery"})


class DomainError(Exception):
    """An error whose message is shown to the user; `status` is its HTTP status."""

    status = HTTPStatus.BAD_REQUEST

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.message = message


class NotThere(DomainError):
    """Nothing exists at this URL, or nothing that this user may know of."""

    status = HTTPStatus.NOT_FOUND


def or_not_there(row: Row | None, message: str = "") -> Row:
    """The row that a query found; NotThere without one."""
    if row is None:
        raise NotThere(message)
    return row


class NotAllowed(DomainError):
    """The user is signed in, but may not do this."""

    status = HTTPStatus.FORBIDDEN


class Conflict(DomainError):
    """Somebody else has changed it meanwhile, or its state no longer allows this."""

    status = HTTPStatus.CONFLICT


class PleaseWait(DomainError):
    """A rate limit is reached or the machine is busy; the same request works later."""

    status = HTTPStatus.TOO_MANY_REQUESTS


class TryAgain(DomainError):
    """The form's token is too old or invalid; sending it again from the new page works."""

    status = HTTPStatus.BAD_REQUEST


class Unavailable(DomainError):
    """The database, the disk or the worker is not available now."""

    status = HTTPStatus.SERVICE_UNAVAILABLE


def init_app(app: Flask) -> None:
    app.register_error_handler(DomainError, _domain_error)
    app.register_error_handler(Busy, _busy)
    app.register_error_handler(DBAPIError, _database_error)
    app.register_error_handler(PoolTimeout, _database_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)


def resubmitted_fields() -> list[tuple[str, str]]:
    """The failed form's fields as (name, value), except passphrases and codes, for a form that sends them again."""
    try:
        fields: Iterable[tuple[str, str]] = request.form.items(multi=True)
        return [(name, value) for name, value in fields if name.rpartition(".")[2] not in NOT_REPEATED]
    except HTTPException:
        return []


def error_response(status: HTTPStatus, message: str = "", *, again: bool = False) -> Response:
    """Problem details (RFC 9457) for machines, else a page; `again` adds a form that repeats the request."""
    if request.path.startswith(("/healthz", "/readyz")) or _wants_json():
        response = jsonify(
            {"type": "about:blank", "title": status.phrase, "status": int(status), "detail": message}
        )
        response.content_type = "application/problem+json"
        response.status_code = int(status)
        return response
    typed = resubmitted_fields() if again and request.method == "POST" else []
    page = render_template(_template(status), message=message, typed=typed, again=again, status=int(status))
    return make_response(page, int(status))


def not_saved(error: DBAPIError | PoolTimeout) -> str:
    """Roll back, log the type of the database error, and return the text for the page of the failed form.

    The statement's values appear nowhere (`hide_parameters`).
    """
    db.session.rollback()
    original = getattr(error, "orig", None)
    log.error("database error", extra={"error": type(original or error).__name__})
    message = _(
        "We could not save this just now. What you wrote is still here. Please try again in a moment."
    )
    return str(message)


def _wants_json() -> bool:
    best = request.accept_mimetypes.best_match(["text/html", "application/problem+json", "application/json"])
    return best is not None and best != "text/html"


def _template(status: HTTPStatus) -> list[str | Template]:
    return [f"errors/{int(status)}.html", "errors/500.html" if status >= 500 else "errors/400.html"]


def _domain_error(error: DomainError) -> Response:
    db.session.rollback()
    again = isinstance(error, PleaseWait | TryAgain | Unavailable)
    return error_response(error.status, error.message, again=again)


def _busy(error: Busy) -> Response:
    db.session.rollback()
    return error_response(
        HTTPStatus.TOO_MANY_REQUESTS, _("Many people are signing in just now. Please try again."), again=True
    )


def _database_error(error: DBAPIError | PoolTimeout) -> Response:
    return error_response(HTTPStatus.SERVICE_UNAVAILABLE, not_saved(error), again=True)


def _http_error(error: HTTPException) -> Response:
    if error.response is not None or (error.code or 500) < 400:
        return make_response(error.get_response())
    response = error_response(HTTPStatus(error.code or 500))
    for header, value in error.get_headers():
        if header.lower() in ("allow", "retry-after"):
            response.headers[header] = value
    return response


def _unexpected(error: Exception) -> Response:
    """A bug: its type and place are logged, never its message, which may quote what somebody wrote."""
    db.session.rollback()
    log.error("unexpected error", extra={"error": type(error).__name__, "where": raised_at(error)})
    return error_response(HTTPStatus.INTERNAL_SERVER_ERROR, again=True)
