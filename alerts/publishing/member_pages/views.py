"""What members read after signing in: all current alerts, those of their own regions first, and one of them."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext

from alerts.membership.standing import accepted_only
from alerts.publishing import queries
from alerts.publishing.member_pages import queries as shown
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
    here = runtime()
    found = shown.for_member(current_member().member_id, vault=here.vault, now=here.clock.now())
    return render_template("alerts/publishing/member_pages/notices.html", notices=found)


@member_pages.get("/<string(length=4):reference>")
@member
@accepted_only
def notice(reference: str) -> ResponseReturnValue:
    here = runtime()
    reference = reference.upper()
    alert = queries.current_alert(reference, here.clock.now())
    language = shown.language_of(current_member().member_id)
    notice = shown.opened(alert, vault=here.vault, language=language) if alert is not None else None
    if notice is None and not queries.was_sent(reference):
        raise NotThere
    return render_template("alerts/publishing/member_pages/notice.html", notice=notice, reference=reference)
