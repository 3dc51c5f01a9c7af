"""The desk's pages of alerts: the list, a draft, the decision about it, and the progress of an approved alert."""

from http import HTTPStatus
from uuid import UUID

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _, lazy_gettext
from werkzeug.wrappers import Response

from alerts.delivery import queries as delivery_queries
from alerts.publishing import alert_page, approval, drafting, queries, stopping, versions
from alerts.publishing.alert_page import OpenedAlert
from alerts.publishing.drafting import DeskContext
from alerts.publishing.models import Alert, AlertState, Change
from alerts.publishing.schemas import NewVersionSchema, ReturnSchema
from alerts.publishing.texts import approval_hash, previews
from reporting.record.opening import open_for_me
from ugly_mugs.accounts.guard import AUTO_REFRESH, Permission, current_staff, is_auto_refresh, staff
from ugly_mugs.database.engine import db
from ugly_mugs.errors import Conflict, NotAllowed, or_not_there
from ugly_mugs.outbox.models import MessageKind
from ugly_mugs.runtime import runtime
from ugly_mugs.vault.encoding import to_text
from ugly_mugs.web.forms import Form
from ugly_mugs.web.redirects import see_other
from ugly_mugs.wiring import NavigationEntry

publishing = Blueprint("publishing", __name__, url_prefix="/desk/alerts")

NAVIGATION = (
    NavigationEntry(
        "desk", 20, lazy_gettext("Notices"), "publishing.alerts", frozenset({Permission.SEE_DRAFTS})
    ),
)

MAY_SEE = (Permission.SEE_DRAFTS, Permission.DRAFT, Permission.APPROVE)
MAY_STEER = (Permission.DRAFT, Permission.APPROVE)
DECISIONS = {"pause": stopping.pause, "resume": stopping.resume, "cancel": stopping.cancel}
# A page that reloads itself disturbs slow readers and screen readers (WCAG 2.2.1). So the page reloads only on request,
# the request can be ended, and the reloading page holds no form whose input could be lost.
REFRESH_SECONDS = 20


@publishing.get("")
@staff(*MAY_SEE)
def alerts() -> ResponseReturnValue:
    return render_template("alerts/publishing/list.html", rows=alert_page.list_rows(vault=runtime().vault))


@publishing.post("/new")
@staff(Permission.DRAFT)
def new() -> ResponseReturnValue:
    report_id = or_not_there(request.form.get("report_id", type=UUID))
    alert = versions.start(open_for_me(report_id), _context())
    db.session.commit()
    return _redirect_to(alert)


@publishing.get("/<uuid:alert_id>")
@staff(*MAY_SEE)
def alert(alert_id: UUID) -> ResponseReturnValue:
    return _page_of(queries.alert(alert_id))


@publishing.post("/<uuid:alert_id>")
@staff(Permission.DRAFT)
def save(alert_id: UUID) -> ResponseReturnValue:
    opened = _readable(queries.alert(alert_id))
    form = _draft_form(opened)
    if not form.take(request.form):
        return _draft_page(opened, form), HTTPStatus.BAD_REQUEST
    action = request.form.get("action", "save")
    report = open_for_me(queries.alert(alert_id).family.report_id)
    try:
        alert = drafting.save(
            report,
            alert_id,
            _context(),
            answers=form.values,
            seen=approval_hash.from_page(request.form.get("seen", "")),
            propose_again=action == "rewrite",
        )
    except Conflict as conflict:
        db.session.rollback()
        current = queries.alert(alert_id)
        if current.state is not AlertState.DRAFT:
            raise
        # The form keeps what this person typed; saving it again overwrites what the other person saved.
        form.refuse("page", conflict.message)
        return _draft_page(_readable(current), form), HTTPStatus.CONFLICT
    if action == "submit":
        drafting.submit(alert, _context())
    db.session.commit()
    return _redirect_to(alert)


@publishing.post("/<uuid:alert_id>/take-back")
@staff(Permission.DRAFT)
def take_back(alert_id: UUID) -> ResponseReturnValue:
    alert = drafting.take_back(alert_id, _context())
    db.session.commit()
    return _redirect_to(alert)


@publishing.post("/<uuid:alert_id>/approve")
@staff(Permission.APPROVE)
def approve(alert_id: UUID) -> ResponseReturnValue:
    alert = approval.approve(
        alert_id,
        _context(),
        seen=approval_hash.from_page(request.form.get("seen", "")),
        seen_consent=request.form.get("consent", 0, type=int),
        hours=runtime().settings.quiet_hours,
    )
    db.session.commit()
    return _redirect_to(alert)


@publishing.post("/<uuid:alert_id>/return")
@staff(Permission.APPROVE)
def send_back(alert_id: UUID) -> ResponseReturnValue:
    form = Form(ReturnSchema())
    if not form.take(request.form):
        return _decision_page(_readable(queries.alert(alert_id)), form), HTTPStatus.BAD_REQUEST
    alert = approval.send_back(alert_id, _context(), reason=form.values["reason"])
    db.session.commit()
    return _redirect_to(alert)


@publishing.post("/<uuid:alert_id>/<any(pause, resume, cancel):decision>")
@staff(*MAY_STEER)
def steer(alert_id: UUID, decision: str) -> ResponseReturnValue:
    DECISIONS[decision](alert_id, staff_id=current_staff().id, now=runtime().clock.now())
    db.session.commit()
    return _redirect_to(queries.alert(alert_id))


@publishing.post("/<uuid:alert_id>/edit")
@staff(Permission.DRAFT)
def edit(alert_id: UUID) -> ResponseReturnValue:
    alert = versions.reopen(open_for_me(queries.alert(alert_id).family.report_id), alert_id, _context())
    db.session.commit()
    return _redirect_to(alert)


@publishing.post("/<uuid:alert_id>/version")
@staff(Permission.DRAFT)
def next_version(alert_id: UUID) -> ResponseReturnValue:
    form = Form(NewVersionSchema())
    if not form.take(request.form):
        return _live_page(queries.alert(alert_id), form), HTTPStatus.BAD_REQUEST
    report = open_for_me(queries.alert(alert_id).family.report_id)
    alert = versions.next_version(report, alert_id, Change(form.values["change"]), _context())
    db.session.commit()
    return _redirect_to(alert)


def _draft_form(opened: OpenedAlert) -> Form:
    return alert_page.draft_form(opened, languages=runtime().settings.languages)


def _page_of(alert: Alert) -> str:
    opened = alert_page.open_alert(alert, staff=current_staff(), vault=runtime().vault)
    if alert.state is AlertState.DRAFT and opened is not None and current_staff().may(Permission.DRAFT):
        return _draft_page(opened, _draft_form(opened))
    if alert.state is AlertState.SUBMITTED and opened is not None:
        return _decision_page(opened, Form(ReturnSchema()))
    return _live_page(alert, Form(NewVersionSchema()))


def _draft_page(opened: OpenedAlert, form: Form) -> str:
    return render_template(
        "alerts/publishing/draft.html",
        opened=opened,
        form=form,
        seen=to_text(approval_hash.draft_mark(opened.alert, vault=runtime().vault)),
        returned=alert_page.reason_returned(opened),
        **_previews(opened),
    )


def _decision_page(opened: OpenedAlert, form: Form) -> str:
    return render_template(
        "alerts/publishing/decide.html",
        opened=opened,
        form=form,
        fact_rows=alert_page.facts(opened),
        decision=alert_page.decision(opened, staff=current_staff(), vault=runtime().vault),
        authors=_names([author.staff_id for author in opened.alert.authors]),
        **_previews(opened),
    )


def _live_page(alert: Alert, form: Form) -> str:
    opened = alert_page.open_alert(alert, staff=current_staff(), vault=runtime().vault)
    is_sending = alert.state is AlertState.PUBLISHING
    return render_template(
        "alerts/publishing/live.html",
        alert=alert,
        opened=opened,
        form=form,
        state=alert_page.STATES[alert.state],
        change=alert_page.change_label(alert),
        fact_rows=alert_page.facts(opened) if opened else [],
        progress=alert_page.progress(delivery_queries.counts(MessageKind.ALERT, alert.id)),
        reporter_note=alert_page.reporter_note(alert),
        may_be_replaced=alert_page.may_be_replaced(alert),
        live=AUTO_REFRESH,
        is_sending=is_sending,
        refresh=REFRESH_SECONDS if is_sending and is_auto_refresh() else 0,
        neighbour_note=alert_page.neighbour_note(alert),
        names=_names([author.staff_id for author in alert.authors]),
        approver=_names([alert.approved_by] if alert.approved_by else []),
        pages=previews.page_previews(opened.texts) if opened else [],
        phones=previews.sms_previews(opened.texts) if opened else [],
        sender=_sender(),
    )


def _previews(opened: OpenedAlert) -> dict[str, object]:
    settings = runtime().settings
    return {
        "pages": previews.page_previews(opened.texts),
        "phones": previews.sms_previews(opened.texts),
        "mails": previews.email_previews(opened.texts, opened.alert.family.reference, opened.alert.change),
        "reach": alert_page.channel_reach(opened, settings=settings),
        "extra_corrections": alert_page.extra_corrections(opened),
        "sender": _sender(),
        "not_in_texts": alert_page.not_in_texts(opened),
        "state": alert_page.STATES[opened.alert.state],
        "change": alert_page.change_label(opened.alert),
    }


def _sender() -> str:
    return runtime().settings.twilio_from or runtime().settings.site_name


def _context() -> DeskContext:
    return DeskContext.of(current_staff(), runtime().clock.now())


def _readable(alert: Alert) -> OpenedAlert:
    opened = alert_page.open_alert(alert, staff=current_staff(), vault=runtime().vault)
    if opened is None:
        raise NotAllowed(_("Only its authors and those who may approve it can read this one."))
    return opened


def _names(ids: list[UUID]) -> str:
    return alert_page.names(ids, vault=runtime().vault)


def _redirect_to(alert: Alert) -> Response:
    return see_other("publishing.alert", alert_id=alert.id)
