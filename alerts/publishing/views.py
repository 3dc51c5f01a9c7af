"""The desk's pages of alerts: the list, a draft, the decision about it, and how one that was approved is doing."""

from http import HTTPStatus
from uuid import UUID

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _, lazy_gettext
from werkzeug.wrappers import Response

from alerts.publishing import alert_page, approval, drafting, queries, stopping
from alerts.publishing.alert_page import Opened
from alerts.publishing.drafting import Drafting
from alerts.publishing.models import Alert, AlertState, Change
from alerts.publishing.schemas import NewVersionSchema, ReturnSchema
from alerts.publishing.texts import approval_hash, previews
from reporting.record.opening import OpenedReport, open_report
from ugly_mugs.accounts.guard import AUTO_REFRESH, Permission, current_staff, is_auto_refresh, staff
from ugly_mugs.database.engine import db
from ugly_mugs.errors import Conflict, NotAllowed, NotThere
from ugly_mugs.runtime import runtime
from ugly_mugs.web.forms import Form, error_summary
from ugly_mugs.wiring import NavigationEntry

publishing = Blueprint("publishing", __name__, url_prefix="/desk/alerts")

NAVIGATION = (
    NavigationEntry(
        "desk", 20, lazy_gettext("Notices"), "publishing.alerts", frozenset({Permission.SEE_DRAFTS})
    ),
)

SEES = (Permission.SEE_DRAFTS, Permission.DRAFT, Permission.APPROVE)
STEERS = (Permission.DRAFT, Permission.APPROVE)
# A page that looks again by itself moves under whoever reads it slowly or with a screen reader (WCAG 2.2.1), so it
# does so only for somebody who has asked for it, who can stop it again, and has no form there to lose.
REFRESH_SECONDS = 20


@publishing.get("")
@staff(*SEES)
def alerts() -> ResponseReturnValue:
    return render_template("alerts/publishing/list.html", lines=alert_page.lines(vault=runtime().vault))


@publishing.post("/new")
@staff(Permission.DRAFT)
def new() -> ResponseReturnValue:
    report_id = request.form.get("report_id", type=UUID)
    if report_id is None:
        raise NotThere
    alert = drafting.start(_open(report_id), _by())
    db.session.commit()
    return _to(alert)


@publishing.get("/<uuid:alert_id>")
@staff(*SEES)
def alert(alert_id: UUID) -> ResponseReturnValue:
    return _shown(queries.alert(alert_id))


@publishing.post("/<uuid:alert_id>")
@staff(Permission.DRAFT)
def save(alert_id: UUID) -> ResponseReturnValue:
    found = _readable(queries.alert(alert_id))
    form = _draft_form(found)
    if not form.take(request.form):
        return _draft_page(found, form), HTTPStatus.BAD_REQUEST
    deed = request.form.get("deed", "save")
    opened = _open(queries.alert(alert_id).family.report_id)
    try:
        alert = drafting.save(
            opened,
            alert_id,
            _by(),
            answers=form.values,
            seen=approval_hash.from_page(request.form.get("seen", "")),
            write_anew=deed == "rewrite",
        )
    except Conflict as conflict:
        db.session.rollback()
        current = queries.alert(alert_id)
        if current.state is not AlertState.DRAFT:
            raise
        # What was typed stays on the page, beside what the other person saved: sending it again overwrites that.
        form.refuse("page", conflict.message)
        return _draft_page(_readable(current), form), HTTPStatus.CONFLICT
    if deed == "submit":
        drafting.submit(alert, _by())
    db.session.commit()
    return _to(alert)


@publishing.post("/<uuid:alert_id>/take-back")
@staff(Permission.DRAFT)
def take_back(alert_id: UUID) -> ResponseReturnValue:
    alert = drafting.take_back(alert_id, _by())
    db.session.commit()
    return _to(alert)


@publishing.post("/<uuid:alert_id>/approve")
@staff(Permission.APPROVE)
def approve(alert_id: UUID) -> ResponseReturnValue:
    alert = approval.approve(
        alert_id,
        _by(),
        seen=approval_hash.from_page(request.form.get("seen", "")),
        seen_consent=request.form.get("consent", 0, type=int),
        hours=runtime().settings.quiet_hours,
    )
    db.session.commit()
    return _to(alert)


@publishing.post("/<uuid:alert_id>/return")
@staff(Permission.APPROVE)
def send_back(alert_id: UUID) -> ResponseReturnValue:
    form = Form(ReturnSchema())
    if not form.take(request.form):
        return _decision_page(_readable(queries.alert(alert_id)), form), HTTPStatus.BAD_REQUEST
    alert = approval.send_back(alert_id, _by(), reason=form.values["reason"])
    db.session.commit()
    return _to(alert)


@publishing.post("/<uuid:alert_id>/pause")
@staff(*STEERS)
def pause(alert_id: UUID) -> ResponseReturnValue:
    stopping.pause(alert_id, staff_id=current_staff().id, now=runtime().clock.now())
    db.session.commit()
    return _to(queries.alert(alert_id))


@publishing.post("/<uuid:alert_id>/resume")
@staff(*STEERS)
def resume(alert_id: UUID) -> ResponseReturnValue:
    stopping.resume(alert_id, staff_id=current_staff().id, now=runtime().clock.now())
    db.session.commit()
    return _to(queries.alert(alert_id))


@publishing.post("/<uuid:alert_id>/cancel")
@staff(*STEERS)
def cancel(alert_id: UUID) -> ResponseReturnValue:
    stopping.cancel(alert_id, staff_id=current_staff().id, now=runtime().clock.now())
    db.session.commit()
    return _to(queries.alert(alert_id))


@publishing.post("/<uuid:alert_id>/edit")
@staff(Permission.DRAFT)
def edit(alert_id: UUID) -> ResponseReturnValue:
    alert = drafting.reopen(_open(queries.alert(alert_id).family.report_id), alert_id, _by())
    db.session.commit()
    return _to(alert)


@publishing.post("/<uuid:alert_id>/version")
@staff(Permission.DRAFT)
def next_version(alert_id: UUID) -> ResponseReturnValue:
    form = Form(NewVersionSchema())
    if not form.take(request.form):
        return _live_page(queries.alert(alert_id), form), HTTPStatus.BAD_REQUEST
    opened = _open(queries.alert(alert_id).family.report_id)
    alert = drafting.next_version(opened, alert_id, Change(form.values["change"]), _by())
    db.session.commit()
    return _to(alert)


# Pages


def _draft_form(found: Opened) -> Form:
    return alert_page.draft_form(found, languages=runtime().settings.languages)


def _shown(alert: Alert) -> str:
    found = alert_page.opened(alert, staff=current_staff(), vault=runtime().vault)
    if alert.state is AlertState.DRAFT and found is not None and current_staff().may(Permission.DRAFT):
        return _draft_page(found, _draft_form(found))
    if alert.state is AlertState.SUBMITTED and found is not None:
        return _decision_page(found, Form(ReturnSchema()))
    return _live_page(alert, Form(NewVersionSchema()))


def _draft_page(found: Opened, form: Form) -> str:
    return render_template(
        "alerts/publishing/draft.html",
        found=found,
        form=form,
        problems=error_summary(form),
        seen=alert_page.seen_now(found, vault=runtime().vault),
        returned=alert_page.reason_returned(found),
        **_previews(found),
    )


def _decision_page(found: Opened, form: Form) -> str:
    return render_template(
        "alerts/publishing/decide.html",
        found=found,
        form=form,
        problems=error_summary(form),
        facts_of=alert_page.facts(found),
        decision=alert_page.decision(found, staff=current_staff(), vault=runtime().vault),
        authors=_names([author.staff_id for author in found.alert.authors]),
        **_previews(found),
    )


def _live_page(alert: Alert, form: Form) -> str:
    found = alert_page.opened(alert, staff=current_staff(), vault=runtime().vault)
    leaving = alert.state is AlertState.PUBLISHING
    return render_template(
        "alerts/publishing/live.html",
        alert=alert,
        found=found,
        form=form,
        problems=error_summary(form),
        state=alert_page.standing(alert.state),
        change=alert_page.named_change(alert),
        facts_of=alert_page.facts(found) if found else [],
        progress=alert_page.progress(alert_page.counted(alert.id)),
        reporter_says=alert_page.reporter_says(alert),
        may_be_replaced=alert_page.may_be_replaced(alert),
        live=AUTO_REFRESH,
        is_leaving=leaving,
        refresh=REFRESH_SECONDS if leaving and is_auto_refresh() else 0,
        beside=alert_page.beside(alert),
        names=_names([author.staff_id for author in alert.authors]),
        approver=_names([alert.approved_by] if alert.approved_by else []),
        pages=previews.pages(found.texts) if found else [],
        phones=previews.phones(found.texts) if found else [],
        sender=_sender(),
    )


def _previews(found: Opened) -> dict[str, object]:
    settings = runtime().settings
    return {
        "pages": previews.pages(found.texts),
        "phones": previews.phones(found.texts),
        "mails": previews.mails(found.texts, found.alert.family.reference, found.alert.change),
        "reach": alert_page.reached(found, settings=settings),
        "corrected_too": alert_page.corrected_too(found),
        "sender": _sender(),
        "not_in_texts": alert_page.not_in_texts(found),
        "state": alert_page.standing(found.alert.state),
        "change": alert_page.named_change(found.alert),
    }


# Steps


def _sender() -> str:
    return runtime().settings.twilio_from or runtime().settings.site_name


def _by() -> Drafting:
    here = runtime()
    return Drafting(
        staff=current_staff(),
        vault=here.vault,
        link=here.settings.link_url,
        languages=here.settings.languages,
        now=here.clock.now(),
    )


def _open(report_id: UUID) -> OpenedReport:
    here = runtime()
    return open_report(report_id=report_id, staff=current_staff(), vault=here.vault, now=here.clock.now())


def _readable(alert: Alert) -> Opened:
    found = alert_page.opened(alert, staff=current_staff(), vault=runtime().vault)
    if found is None:
        raise NotAllowed(_("Only its authors and those who may approve it can read this one."))
    return found


def _names(ids: list[UUID]) -> str:
    return alert_page.names(ids, vault=runtime().vault)


def _to(alert: Alert) -> Response:
    address = url_for("publishing.alert", alert_id=alert.id)
    return make_response(redirect(address, HTTPStatus.SEE_OTHER))
