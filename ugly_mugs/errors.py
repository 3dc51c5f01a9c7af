"""The small family of errors that services raise, and the one place where they become a page or a problem.

Whoever was typing loses nothing: an error that answers a form shows all of it again, ready to be sent once more.
"""

import logging
from collections.abc import Iterable
from http import HTTPStatus

from flask import Flask, Response, jsonify, make_response, render_template, request
from flask_babel import gettext as _
from jinja2 import Template
from sqlalchemy.exc import DBAPIError, TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from ugly_mugs.database.engine import db
from ugly_mugs.faults import raised_at
from ugly_mugs.vault.errors import Busy

log = logging.getLogger(__name__)

# Never drawn again: what must not be stood in a page after a failure.
NOT_REPEATED = frozenset({"passphrase", "code", "totp", "recovery"})


class DomainError(Exception):
    """Something a person can be told. `status` is the HTTP status that says it."""

    status = HTTPStatus.BAD_REQUEST

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.message = message


class NotThere(DomainError):
    """Nothing stands at this address, or nothing the asker may know of."""

    status = HTTPStatus.NOT_FOUND


class NotAllowed(DomainError):
    """The asker is known, and this is not theirs to do."""

    status = HTTPStatus.FORBIDDEN


class Conflict(DomainError):
    """Somebody else changed it meanwhile, or its state does not allow this any more."""

    status = HTTPStatus.CONFLICT


class PleaseWait(DomainError):
    """A budget is used up or the machine is busy; the same request works in a moment."""

    status = HTTPStatus.TOO_MANY_REQUESTS


class TryAgain(DomainError):
    """The form was too old or not ours; sending it once more from the fresh page works."""

    status = HTTPStatus.BAD_REQUEST


class Unavailable(DomainError):
    """The database or the disk does not take anything just now."""

    status = HTTPStatus.SERVICE_UNAVAILABLE


def init_app(app: Flask) -> None:
    app.register_error_handler(DomainError, _domain_error)
    app.register_error_handler(Busy, _busy)
    app.register_error_handler(DBAPIError, _database_error)
    app.register_error_handler(PoolTimeout, _database_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)


def typed_again() -> list[tuple[str, str]]:
    """Everything that was typed, as (name, value), to be drawn into a form that sends it once more."""
    try:
        typed: Iterable[tuple[str, str]] = request.form.items(multi=True)
        return [(name, value) for name, value in typed if name.rpartition(".")[2] not in NOT_REPEATED]
    except HTTPException:
        return []


def answer(status: HTTPStatus, message: str = "", *, again: bool = False) -> Response:
    """The error as problem details (RFC 9457) where JSON is asked for, else as a page."""
    if request.path.startswith(("/healthz", "/readyz")) or _wants_json():
        response = jsonify(
            {"type": "about:blank", "title": status.phrase, "status": int(status), "detail": message}
        )
        response.content_type = "application/problem+json"
        response.status_code = int(status)
        return response
    typed = typed_again() if again and request.method == "POST" else []
    page = render_template(_template(status), message=message, typed=typed, again=again, status=int(status))
    return make_response(page, int(status))


def not_saved(error: DBAPIError | PoolTimeout) -> str:
    """A lost connection, a full disk, a locked database, said plainly, for the page on which it was typed.

    The statement's values never appear (`hide_parameters`), and only the kind of error is logged.
    """
    db.session.rollback()
    original = getattr(error, "orig", None)
    log.error("database error", extra={"error": type(original or error).__name__})
    said = _("We could not save this just now. What you wrote is still here. Please try again in a moment.")
    return str(said)


def _wants_json() -> bool:
    best = request.accept_mimetypes.best_match(["text/html", "application/problem+json", "application/json"])
    return best is not None and best != "text/html"


def _template(status: HTTPStatus) -> list[str | Template]:
    return [f"errors/{int(status)}.html", "errors/500.html" if status >= 500 else "errors/400.html"]


def _domain_error(error: DomainError) -> Response:
    db.session.rollback()
    again = isinstance(error, PleaseWait | TryAgain | Unavailable)
    return answer(error.status, error.message, again=again)


def _busy(error: Busy) -> Response:
    db.session.rollback()
    return answer(
        HTTPStatus.TOO_MANY_REQUESTS, _("Many people are signing in just now. Please try again."), again=True
    )


def _database_error(error: DBAPIError | PoolTimeout) -> Response:
    return answer(HTTPStatus.SERVICE_UNAVAILABLE, not_saved(error), again=True)


def _http_error(error: HTTPException) -> Response:
    if error.response is not None or (error.code or 500) < 400:
        return make_response(error.get_response())
    response = answer(HTTPStatus(error.code or 500))
    for header, value in error.get_headers():
        if header.lower() in ("allow", "retry-after"):
            response.headers[header] = value
    return response


def _unexpected(error: Exception) -> Response:
    """A fault of ours: its kind and place are logged, never its message, which may hold what somebody wrote."""
    db.session.rollback()
    log.error("unexpected error", extra={"error": type(error).__name__, "where": raised_at(error)})
    return answer(HTTPStatus.INTERNAL_SERVER_ERROR, again=True)
