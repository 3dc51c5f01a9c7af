"""The desk's pages: the list of reports, and one report with the decisions about it."""

from collections.abc import Mapping
from http import HTTPStatus
from uuid import UUID

from flask import Blueprint, Response, make_response, redirect, render_template, request
from flask_babel import lazy_gettext

from reporting.desk import identifiers, queue, services
from reporting.desk.listing import Tab, lines
from reporting.desk.report_page import DECLINE, REPLY, SETTLE, ReportForms, render_report
from reporting.record import opening
from reporting.record.models import ReportState
from reporting.record.opening import open_for_me
from ugly_mugs.accounts.guard import Permission, current_staff, staff
from ugly_mugs.accounts.navigation import first_page
from ugly_mugs.database.engine import db
from ugly_mugs.errors import Conflict
from ugly_mugs.runtime import runtime
from ugly_mugs.web.redirects import see_other
from ugly_mugs.wiring import NavigationEntry

desk = Blueprint("desk", __name__, url_prefix="/desk")

NAVIGATION = (
    NavigationEntry(
        "desk", 10, lazy_gettext("Desk"), "desk.report_list", frozenset({Permission.OPEN_REPORTS})
    ),
)

DECISIONS: Mapping[str, ReportState] = {SETTLE: ReportState.SETTLED, DECLINE: ReportState.DECLINED}


@desk.get("")
@staff()
def report_list() -> Response:
    me, vault, now = current_staff(), runtime().vault, runtime().clock.now()
    if not me.may(Permission.OPEN_REPORTS):
        return make_response(redirect(first_page("desk", me.permissions), HTTPStatus.SEE_OTHER))
    tab, number = Tab.read(request.args.get("tab")), request.args.get("page", 1, type=int)
    if tab is Tab.OPEN:
        page = queue.open_page(number=number, ranks=runtime().process_state.of(queue.RankCache), vault=vault)
    else:
        page = queue.finished_page(ReportState(tab.value), number=number, vault=vault)
    counts = queue.counts()
    received = opening.times_received(page.rows if tab is Tab.OPEN else [], staff=me, now=now)
    return make_response(
        render_template(
            "reporting/desk/queue.html",
            tab=tab,
            tabs=[(shown_tab, shown_tab.label, shown_tab.total(counts)) for shown_tab in Tab],
            page=page,
            lines=lines(page.rows, received=received, staff_id=me.id, now=now, vault=vault),
        )
    )


@desk.get("/reports/<uuid:report_id>")
@staff(Permission.OPEN_REPORTS)
def report(report_id: UUID) -> Response:
    return render_report(open_for_me(report_id), ReportForms())


@desk.post("/reports/<uuid:report_id>/take")
@staff(Permission.REDACT)
def take(report_id: UUID) -> Response:
    seen_assignee_id = request.form.get("from", type=UUID)
    try:
        services.assign(
            report_id=report_id,
            staff_id=current_staff().id,
            seen_assignee_id=seen_assignee_id,
            now=runtime().clock.now(),
        )
    except Conflict as conflict:
        return _render_conflict(report_id, ReportForms(), conflict)
    db.session.commit()
    return _redirect(report_id)


@desk.post("/reports/<uuid:report_id>/give-back")
@staff(Permission.REDACT)
def give_back(report_id: UUID) -> Response:
    try:
        services.unassign(report_id=report_id, staff_id=current_staff().id, now=runtime().clock.now())
    except Conflict as conflict:
        return _render_conflict(report_id, ReportForms(), conflict)
    db.session.commit()
    return _redirect(report_id)


@desk.post("/reports/<uuid:report_id>/message")
@staff(Permission.CONVERSE)
def reply(report_id: UUID) -> Response:
    opened, forms = open_for_me(report_id), ReportForms()
    if not forms.take(REPLY, request.form):
        return render_report(opened, forms, status=HTTPStatus.BAD_REQUEST)
    services.reply(
        report_id=report_id,
        text=forms[REPLY].values["text"],
        content_key=opened.content_key,
        staff_id=current_staff().id,
        now=runtime().clock.now(),
    )
    db.session.commit()
    return _redirect(report_id, "messages")


@desk.post("/reports/<uuid:report_id>/<any(settle, decline):decision>")
@staff(Permission.REDACT)
def finish(report_id: UUID, decision: str) -> Response:
    opened, forms = open_for_me(report_id), ReportForms()
    if not forms.take(decision, request.form):
        return render_report(opened, forms, status=HTTPStatus.BAD_REQUEST)
    try:
        services.finish(
            report_id=report_id,
            decision=DECISIONS[decision],
            message=forms[decision].values["message"],
            content_key=opened.content_key,
            staff_id=current_staff().id,
            now=runtime().clock.now(),
        )
    except Conflict as conflict:
        return _render_conflict(report_id, forms, conflict)
    db.session.commit()
    return _redirect(report_id)


@desk.post("/reports/<uuid:report_id>/identifier")
@staff(Permission.REDACT)
def identifier(report_id: UUID) -> Response:
    opened = open_for_me(report_id)
    removing = request.form.get("do") == "remove"
    change_tag = identifiers.remove_tag if removing else identifiers.add_tag
    try:
        change_tag(
            report=opening.lock_report(report_id),
            contents=opened.contents,
            tag=_tag(),
            vault=runtime().vault,
        )
    except Conflict as conflict:
        return _render_conflict(report_id, ReportForms(), conflict)
    db.session.commit()
    return _redirect(report_id, "identifiers")


def _tag() -> bytes:
    try:
        return bytes.fromhex(request.form.get("tag", ""))
    except ValueError:
        return b""


def _render_conflict(report_id: UUID, forms: ReportForms, conflict: Conflict) -> Response:
    """The page with the report's current state, and everything that was typed."""
    db.session.rollback()
    return render_report(open_for_me(report_id), forms, message=conflict.message, status=HTTPStatus.CONFLICT)


def _redirect(report_id: UUID, part: str = "") -> Response:
    return see_other("desk.report", report_id=report_id, _anchor=part or None)
