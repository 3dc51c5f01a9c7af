"""Labels and sentences about a report for the desk, and the proposed messages to the reporter."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from flask_babel import format_date, gettext as _

from reporting.record import answer_labels, output_kinds
from reporting.record.consents import Consents, When
from reporting.record.models import LIVE_OUTPUTS, Output, ReportState
from reporting.record.output_kinds import OutputKindSpec
from ugly_mugs.text.identifiers import IdentifierKind
from ugly_mugs.web.form_fields import Words


class Allowed(NamedTuple):
    """One consent: its title, whether it is given, and what the desk may do."""

    title: str
    given: bool
    meaning: str
    rows: list[answer_labels.Row]


def of_consents(consents: Consents) -> list[Allowed]:
    """The consents as instructions for the desk."""
    warn = _("No alert may be made. You may read it, write to them and settle it.")
    if consents.warn_others:
        warn = _("An alert may leave as soon as two people agree.")
        if consents.when is When.AFTER_SEEN:
            warn = _("An alert may be made. It waits until they have seen it and let it go.")
        elif consents.earliest is not None:
            day = format_date(consents.earliest, "long")
            warn = _("An alert may be made. It must not leave before %(day)s.", day=day)
    contact = _("Write to them only here. Do not call, text or e-mail them.")
    if consents.contact_me:
        contact = _("Somebody may get in touch to offer support, exactly in this way:")
    return [
        Allowed(_("Warn others"), consents.warn_others, warn, []),
        Allowed(
            _("Contact for support"),
            consents.contact_me,
            contact,
            answer_labels.rows("contact_me", consents.safe_contact) if consents.contact_me else [],
        ),
    ]


class OutputLine(NamedTuple):
    """One output in the desk's list: its title, the path of its page, and a sentence about its state."""

    title: str
    page: str
    sentence: str


class OutputsOfKind(NamedTuple):
    kind: OutputKindSpec
    lines: list[OutputLine]


def of_outputs(outputs: Iterable[Output]) -> list[OutputsOfKind]:
    return [
        OutputsOfKind(kind, [_line(kind, number, output) for number, output in enumerate(members, start=1)])
        for kind, members in output_kinds.grouped(outputs)
    ]


def _line(kind: OutputKindSpec, number: int, output: Output) -> OutputLine:
    title = str(kind.desk.title) % {"number": number}
    return OutputLine(title, kind.page_of(output.subject_id), kind.desk.states[output.state].about(output))


def proposed_message(decision: ReportState, outputs: Sequence[Output]) -> Words:
    """The proposed message to the reporter for this decision; the moderator may change it."""
    if decision is ReportState.DECLINED:
        return _(
            "Thank you for telling us. We have read all of it. We will not make a warning from it this time. That does "
            "not mean that we do not believe you. If something new comes up, add it here and we look again."
        )
    for output in outputs:
        if output.state in LIVE_OUTPUTS:
            return output_kinds.spec_of(output.kind).desk.settling_message
    return _(
        "Thank you for telling us. We have read all of it and have now finished with it. Nothing was sent to anybody. "
        "If something new comes up, add it here and we look again."
    )


def of_state(state: ReportState) -> Words:
    return {
        ReportState.RECEIVED: _("new"),
        ReportState.IN_REVIEW: _("under review"),
        ReportState.SETTLED: _("settled"),
        ReportState.DECLINED: _("declined"),
        ReportState.WITHDRAWN: _("withdrawn"),
        ReportState.PURGED: _("deleted"),
    }[state]


def of_identifier(kind: IdentifierKind) -> Words:
    return {
        IdentifierKind.PHONE: _("Phone number"),
        IdentifierKind.EMAIL: _("E-mail address"),
        IdentifierKind.HANDLE: _("Username"),
        IdentifierKind.PLATE: _("Number plate"),
    }[kind]
