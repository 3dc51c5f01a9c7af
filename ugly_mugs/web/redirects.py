"""Answers that send the browser on to a page."""

from http import HTTPStatus
from typing import Any

from flask import Response, make_response, redirect, url_for


def see_other(endpoint: str, **values: Any) -> Response:
    """303 See Other (RFC 9110, 15.4.4): the browser fetches this page, and a reload does not post the form again."""
    return make_response(redirect(url_for(endpoint, **values), HTTPStatus.SEE_OTHER))
