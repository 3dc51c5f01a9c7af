"""What the desk reads about a report in plain words, and what it proposes to say to the reporter."""

from typing import NamedTuple

from flask_babel import format_date, gettext as _

from reporting.record import answer_labels, outputs as record_outputs
from reporting.record.consents import Consents, When
from reporting.record.models import Output, OutputState, ReportState
from ugly_mugs.text.identifiers import IdentifierKind
from ugly_mugs.web.form_fields import Words


class Allowed(NamedTuple):
    """One consent: what it is, whether it is given, and what that means for the work."""

    title: str
    given: bool
    meaning: str
    rows: list[answer_labels.Row]


def of_consents(consents: Consents) -> list[Allowed]:
    """What the reporter allows, as an instruction."""
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


def of_output(output: Output) -> Words:
    """How far an alert has come, and whether the reporter holds it."""
    held = output.held
    return {
        OutputState.PROPOSED: _("Being written. The reporter will be asked first.")
        if held
        else _("Being written."),
        OutputState.APPROVED: _("Approved. It waits for the reporter.") if held else _("Approved."),
        OutputState.RELEASED: _("Sent in part, then stopped by the reporter.") if held else _("It has left."),
        OutputState.ENDED: _("Ended."),
        OutputState.WITHDRAWN: _("Taken back by the reporter."),
    }[output.state]


def proposed_message(decision: ReportState, outputs: list[Output]) -> Words:
    """What could be said to the reporter with this decision; the moderator changes it as they like."""
    if decision is ReportState.DECLINED:
        return _(
            "Thank you for telling us. We have read all of it. We will not make a warning from it this time. That does "
            "not mean that we do not believe you. If something new comes up, add it here and we look again."
        )
    if any(output.state in (*record_outputs.SHOWN, OutputState.PROPOSED) for output in outputs):
        return _(
            "Thank you for telling us. A warning was made from your report; you can see here how far it is. We have "
            "now finished with it. If something new comes up, add it here and we look again."
        )
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
