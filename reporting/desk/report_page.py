"""The desk's page of one report: its contents, the consents, and the next step."""

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
from ugly_mugs.web.forms import Form, Problem, error_summary

REPLY: Final = "message"
SETTLE: Final = "settle"
DECLINE: Final = "decline"


class ReportForms(dict[str, Form]):
    """The forms of the page, each with its own prefix for field names."""

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
        """Keep and validate the form that was sent; whether it is valid."""
        self.posted = name
        return self[name].take(typed)

    def problems(self) -> list[Problem]:
        return error_summary(*self.values())


def render_report(
    opened: OpenedReport, forms: ReportForms, *, message: str = "", status: HTTPStatus = HTTPStatus.OK
) -> Response:
    """The page; `message` is an error shown at its top."""
    me, vault, now = current_staff(), runtime().vault, runtime().clock.now()
    report, contents = opened.report, opened.contents
    report_outputs = record_outputs.of_report(report.id)
    redaction = queries.redaction(report.id)
    for decision, state in ((SETTLE, ReportState.SETTLED), (DECLINE, ReportState.DECLINED)):
        if forms.posted != decision:
            forms[decision].fill({"message": labels.proposed_message(state, report_outputs)})
    may_be_made = output_kinds.may_be_made(contents.consents)
    messages = record_queries.messages(report.id)
    people = {report.taken_by, report.filed_by, *(message.staff_id for message in messages)} - {None}
    names = accounts.names_of([person for person in people if person], vault=vault)
    known_facets = (
        facets.open_sealed(report.facets, report_id=report.id, vault=vault) if report.facets else None
    )
    page = render_template(
        "reporting/desk/report.html",
        report=report,
        state=labels.of_state(report.state),
        summary_line=listing.incident_summary(known_facets),
        facets=known_facets,
        severity=label_of(SEVERITIES, known_facets.severity) if known_facets else "",
        severity_tag=listing.SEVERITY_TAGS[known_facets.severity] if known_facets else "",
        received=format_datetime(contents.head.received_at, "d MMMM, HH:mm"),
        age=listing.waiting_time(contents.head.received_at, now),
        taken_by=names.get(report.taken_by) if report.taken_by else None,
        taken_by_me=report.taken_by == me.id,
        filed_by=names.get(report.filed_by) if report.source is Source.DESK and report.filed_by else None,
        step=next_step(
            report=report,
            may_be_made=may_be_made,
            redaction=redaction,
            outputs=report_outputs,
            staff_id=me.id,
        ),
        parts=list(_parts(contents)),
        allowed=labels.of_consents(contents.consents),
        redaction=redaction,
        added_since=_added_since(opened, redaction),
        identifiers=[
            (labels.of_identifier(identifier.kind), identifier)
            for identifier in identifiers.of_report(contents, vault=vault)
        ],
        series=[
            (other.id, format_date(other.received_on, "long"), labels.of_state(other.state))
            for other in identifiers.same_series(report.id)
        ],
        outputs_by_kind=labels.of_outputs(report_outputs),
        may_be_made=may_be_made,
        messages=[_message_row(row, opened.content_key, names) for row in messages],
        forms=forms,
        message=message,
    )
    return make_response(page, status)


def _parts(contents: Contents) -> list[tuple[str, list[AnsweredSection]]]:
    """The parts in order, each with a heading (the day of an addition) and its sections."""
    return [
        (
            ""
            if part is contents.parts[0]
            else _("Added on %(day)s", day=format_date(part.added_on, "long")),
            [
                section._replace(title=_("About the reporter")) if section.name == "about_you" else section
                for section in answer_labels.labelled_sections(part.sections)
            ],
        )
        for part in contents.parts
    ]


def _added_since(opened: OpenedReport, redaction: Redaction | None) -> bool:
    """Whether the account grew after it was last redacted."""
    saved = queries.opened_redaction(redaction, opened.content_key)
    return saved is not None and saved.account_length != len(opened.contents.account)


def _message_row(message: ReportMessage, content_key: bytes, names: Mapping[UUID, str]) -> Mapping[str, Any]:
    by_desk = message.author is Author.DESK
    who = names.get(message.staff_id, _("The desk")) if by_desk and message.staff_id else _("The reporter")
    return conversation.shown(message, content_key, who=who, mine=by_desk)
