"""Pages that belong to no feature: welcome, confidentiality, help, and leaving the site."""

import logging

from flask import Blueprint, Response, make_response, redirect, render_template, request
from flask_babel import get_locale, lazy_gettext
from sqlalchemy.exc import SQLAlchemyError

from ugly_mugs.accounts import guard, sessions
from ugly_mugs.accounts.guard import anyone
from ugly_mugs.accounts.models import SessionKind
from ugly_mugs.database.engine import db
from ugly_mugs.runtime import runtime
from ugly_mugs.wiring import NavigationEntry

log = logging.getLogger(__name__)
pages = Blueprint("pages", __name__)

NAVIGATION = (NavigationEntry("member", 30, lazy_gettext("Help"), "pages.help_page"),)

# Sessions that leaving ends: pages of reporters and members have the button, pages of the desk do not.
LEAVE_FROM = (SessionKind.REPORTER, SessionKind.MEMBER)


@pages.app_context_processor
def _language() -> dict[str, str]:
    """The page's language for its `lang` attribute, which screen readers use."""
    return {"lang": str(get_locale() or "en").replace("_", "-")}


@pages.get("/")
@anyone
def welcome() -> str:
    return render_template("pages/welcome.html")


@pages.get("/confidentiality")
@anyone
def confidentiality() -> str:
    return render_template("pages/confidentiality.html")


@pages.get("/help")
@anyone
def help_page() -> str:
    return render_template("pages/help.html")


@pages.route("/leave", methods=["GET", "POST"])
@anyone
def leave() -> Response:
    """Quick exit: end the sessions, clear what the browser allows, and redirect to a harmless site."""
    response = make_response(redirect(runtime().settings.exit_url, 303))
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    # An image or a prefetch on another site must not be able to end somebody's sessions here.
    if (
        request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"
        and "Sec-Purpose" not in request.headers
    ):
        for kind in LEAVE_FROM:
            sessions.delete_cookie(response, kind)
        try:
            for kind in LEAVE_FROM:
                guard.forget(kind)
        except SQLAlchemyError as error:
            # Leaving works without the database: the cookies are deleted, and idle sessions end by themselves.
            db.session.rollback()
            log.error("leaving without the database", extra={"error": type(error).__name__})
        response.headers["Clear-Site-Data"] = '"cache", "cookies", "storage"'
    return response


@pages.get("/robots.txt")
@anyone
def robots() -> Response:
    """Ask search engines not to list the site; people who need it hear of it from others."""
    response = make_response("User-agent: *\nDisallow: /\n")
    response.mimetype = "text/plain"
    return response
