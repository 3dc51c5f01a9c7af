"""The page for applying to join; it needs no cookie, and its answers do not depend on the address."""

from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request
from flask_babel import gettext as _, lazy_gettext

from alerts.membership.joining import services
from alerts.membership.joining.services import FORM, Application
from alerts.membership.models import Level, Sector
from alerts.membership.schemas import TICKS, JoinSchema
from ugly_mugs.accounts.guard import anyone
from ugly_mugs.accounts.keys import epochs
from ugly_mugs.accounts.models import EpochKind, MemberKind
from ugly_mugs.accounts.tokens import with_token
from ugly_mugs.database.engine import brief_reading, db
from ugly_mugs.outbox.models import Channel
from ugly_mugs.runtime import runtime
from ugly_mugs.web.forms import Form
from ugly_mugs.web.redirects import see_other
from ugly_mugs.wiring import NavigationEntry

joining = Blueprint("joining", __name__)

NAVIGATION = (NavigationEntry("public", 30, lazy_gettext("Join"), "joining.join_page"),)


@joining.get("/join")
@anyone
def join_page() -> str:
    return _page(with_token(FORM, Form(JoinSchema()).fill({"level": Level.NEUTRAL})))


def _page(form: Form, problem: str = "") -> str:
    return render_template(
        "alerts/membership/joining/join.html",
        form=form,
        problem=problem,
        languages=runtime().settings.languages,
    )


@joining.post("/join")
@anyone
def join() -> Response:
    vault, now = runtime().vault, runtime().clock.now()
    form = Form(JoinSchema())
    is_valid = form.take(request.form)
    token = vault.form_tokens.read(FORM, request.form.get("token", ""))
    if token is None:
        with_token(FORM, form)
    if not is_valid:
        return _again(form)
    if token is None:
        return _again(
            form, _("This page did not come from us, or it was cut short. Please send it once more.")
        )
    application = application_of(form.values)
    with brief_reading():
        known = services.is_known(vault=vault, token=token, application=application)
        epoch, public = epochs.current(EpochKind.VETTING, vault=vault)
        epoch_id = epoch.id
    if not known and not vault.form_tokens.is_fileable(token, now):
        with_token(FORM, form)
        return _again(
            form, _("This page was open for a long time. Please look it over and send it once more.")
        )
    if not known:
        services.apply(
            vault=vault,
            epoch_id=epoch_id,
            epoch_public=public,
            token=token,
            application=application,
            now=now,
        )
        db.session.commit()
    return see_other("joining.sent_page")


def _again(form: Form, problem: str = "") -> Response:
    return make_response(_page(form, problem), HTTPStatus.BAD_REQUEST)


def application_of(values: dict[str, Any]) -> Application:
    typed = {Channel.SMS: values["phone"], Channel.EMAIL: values["email"]}
    return Application(
        working_name=values["working_name"],
        kind=MemberKind(values["kind"]),
        addresses={channel: address for channel, address in typed.items() if address},
        ticked=frozenset(channel for channel, name in TICKS.items() if values[name]),
        regions=tuple(values["regions"]),
        sectors=tuple(Sector(value) for value in values["sectors"]),
        language=values["language"] or runtime().settings.languages[0],
        level=Level(values["level"]),
        wake_for_danger=values["wake"],
    )


@joining.get("/join/sent")
@anyone
def sent_page() -> str:
    """Says what happens next, and repeats nothing of what was sent."""
    return render_template("alerts/membership/joining/sent.html")
