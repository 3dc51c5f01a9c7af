"""Pages for signed-in members: the list of current alerts, and one alert."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext

from alerts.membership.standing import accepted_only
from alerts.publishing import queries
from alerts.publishing.member_pages import queries as notice_queries
from ugly_mugs.accounts.guard import current_member, member
from ugly_mugs.errors import NotThere
from ugly_mugs.runtime import runtime
from ugly_mugs.wiring import NavigationEntry

member_pages = Blueprint("member_pages", __name__, url_prefix="/alerts")

NAVIGATION = (NavigationEntry("member", 10, lazy_gettext("Notices"), "member_pages.notices"),)


@member_pages.get("")
@member
@accepted_only
def notices() -> ResponseReturnValue:
    vault, now = runtime().vault, runtime().clock.now()
    notices = notice_queries.notices_for(current_member().member_id, vault=vault, now=now)
    return render_template("alerts/publishing/member_pages/alerts.html", notices=notices)


@member_pages.get("/<string(length=4):reference>")
@member
@accepted_only
def notice(reference: str) -> ResponseReturnValue:
    vault, now = runtime().vault, runtime().clock.now()
    reference = reference.upper()
    alert = queries.current_alert(reference, now)
    language = notice_queries.language_of(current_member().member_id)
    notice = notice_queries.notice_of(alert, vault=vault, language=language) if alert is not None else None
    if notice is None and not queries.was_sent(reference):
        raise NotThere
    return render_template("alerts/publishing/member_pages/alert.html", notice=notice, reference=reference)
