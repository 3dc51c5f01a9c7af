"""One report as the desk sees it: everything the reporter told, what they allow, and what comes next."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from flask import Response, make_response, render_template
from flask_babel import format_date, format_datetime, gettext as _
from werkzeug.datastructures import MultiDict

from reporting.desk import identifiers, labels, listing
from reporting.desk.schemas import FinishSchema, ReplySchema
from reporting.desk.steps import next_step
from reporting.record import (
    answer_labels,
    conversation,
    facets,
    output_kinds,
    outputs as record_outputs,
    queries as record_queries,
)
from reporting.record.answer_labels import AnsweredSection
from reporting.record.choices import SEVERITIES, label_of
from reporting.record.contents import Contents
from reporting.record.models import Author, ReportMessage, ReportState, Source
from reporting.record.opening import OpenedReport
from reporting.redaction import queries
from reporting.redaction.models import Redaction
from ugly_mugs.accounts import queries as accounts
from ugly_mugs.accounts.guard import current_staff
from ugly_mugs.runtime import runtime
from ugly_mugs.web.forms import Form, error_summary

REPLY: Final = "message"
SETTLE: Final = "settle"
DECLINE: Final = "decline"


class ReportForms(dict[str, Form]):
    """The forms of the page, each with a prefix of its own so that they cannot be taken for each other."""

    def __init__(self) -> None:
        super().__init__(
            {
                REPLY: Form(ReplySchema(), prefix=REPLY),
                SETTLE: Form(FinishSchema(), prefix=SETTLE),
                DECLINE: Form(FinishSchema(), prefix=DECLINE),
            }
        )
        self.posted = ""

    def take(self, name: str, typed: MultiDict[str, str]) -> bool:
        """Judge the one form that was sent."""
        self.posted = name
        return self[name].take(typed)

    @property
    def problems(self) -> list[Any]:
        return error_summary(*self.values())


def drawn(
    opened: OpenedReport, forms: ReportForms, *, message: str = "", status: HTTPStatus = HTTPStatus.OK
) -> Response:
    """The page; `message` says above everything what went wrong."""
    me, vault, now = current_staff(), runtime().vault, runtime().clock.now()
    report, contents = opened.report, opened.contents
    made = record_outputs.of_report(report.id)
    redaction = queries.redaction(report.id)
    for decision, state in ((SETTLE, ReportState.SETTLED), (DECLINE, ReportState.DECLINED)):
        if forms.posted != decision:
            forms[decision].fill({"message": labels.proposed_message(state, made)})
    may_be_made = output_kinds.may_be_made(contents.consents)
    thread = record_queries.messages(report.id)
    people = {report.taken_by, report.filed_by, *(each.staff_id for each in thread)} - {None}
    names = accounts.names_of([each for each in people if each], vault=vault)
    known_facets = (
        facets.open_sealed(report.facets, report_id=report.id, vault=vault) if report.facets else None
    )
    page = render_template(
        "reporting/desk/report.html",
        report=report,
        state=labels.of_state(report.state),
        what=listing.what(known_facets),
        facets=known_facets,
        severity=label_of(SEVERITIES, known_facets.severity) if known_facets else "",
        severity_tag=listing.SEVERITY_TAGS[known_facets.severity] if known_facets else "",
        received=format_datetime(contents.head.received_at, "d MMMM, HH:mm"),
        age=listing.age(contents.head.received_at, now),
        taken_by=names.get(report.taken_by) if report.taken_by else None,
        mine=report.taken_by == me.id,
        filed_by=names.get(report.filed_by) if report.source is Source.DESK and report.filed_by else None,
        step=next_step(
            report=report, may_be_made=may_be_made, redaction=redaction, outputs=made, staff_id=me.id
        ),
        parts=list(_parts(contents)),
        allowed=labels.of_consents(contents.consents),
        redaction=redaction,
        added_since=_added_since(opened, redaction),
        named=[
            (labels.of_identifier(each.kind), each) for each in identifiers.of_report(contents, vault=vault)
        ],
        series=[
            (each.id, format_date(each.received_on, "long"), labels.of_state(each.state))
            for each in identifiers.same_series(report.id)
        ],
        made=labels.of_outputs(made),
        may_be_made=may_be_made,
        thread=[_said(each, opened.content_key, names) for each in thread],
        forms=forms,
        message=message,
    )
    return make_response(page, status)


def _parts(contents: Contents) -> list[tuple[str, list[AnsweredSection]]]:
    """What came in, in its order; additions say their day."""
    return [
        (
            ""
            if part is contents.parts[0]
            else _("Added on %(day)s", day=format_date(part.added_on, "long")),
            [
                each._replace(title=_("About the reporter")) if each.name == "about_you" else each
                for each in answer_labels.labelled_sections(part.sections)
            ],
        )
        for part in contents.parts
    ]


def _added_since(opened: OpenedReport, redaction: Redaction | None) -> bool:
    """Whether the reporter wrote more of the account after it was last redacted."""
    kept = queries.opened_redaction(redaction, opened.content_key)
    return kept is not None and kept.account_length != len(opened.contents.account)


def _said(message: ReportMessage, content_key: bytes, names: Mapping[UUID, str]) -> Mapping[str, Any]:
    desk = message.author is Author.DESK
    who = names.get(message.staff_id, _("The desk")) if desk and message.staff_id else _("The reporter")
    return {
        "who": who,
        "when": format_date(message.sent_on, "long"),
        "text": conversation.open_message(message, content_key),
        "mine": desk,
    }
