"""Whether a posted report form is new, was filed before, is too old, or belongs to a withdrawn report."""

from datetime import datetime
from enum import Enum, auto

from reporting.filing.submission import Submission
from reporting.record import consents as consent_records, contents, queries
from reporting.record.consents import Consent
from reporting.record.models import Report
from ugly_mugs.vault import FormToken, FormTokens, ServiceVault


class FormState(Enum):
    NEW = auto()  # to be filed
    JUST_FILED = auto()  # a second click or a reload: the receipt is shown again
    FILED_BEFORE = auto()  # the receipt is not shown: the page may have been left open on a shared phone
    TOO_OLD = auto()  # drawn again with a fresh token
    WITHDRAWN = auto()  # its report was withdrawn; sent again with a fresh token it is a new report


def state_of(token: FormToken, report: Report | None, now: datetime) -> FormState:
    """`report` is the one filed with the token's receipt: then the form is never filed again, at whatever age."""
    if report is not None:
        if report.receipt_wrap is None:
            return FormState.WITHDRAWN
        return FormState.JUST_FILED if FormTokens.is_current(token, now) else FormState.FILED_BEFORE
    return FormState.NEW if FormTokens.is_fileable(token, now) else FormState.TOO_OLD


def changes_answers(report: Report, submission: Submission, *, vault: ServiceVault) -> bool:
    """Whether the submission's sections differ from every part that the report holds."""
    key = queries.content_key(report, submission.receipt, vault)
    if key is None:
        return True
    sent = contents.answered_only(submission.sections)
    return all(contents.open_part(part, key).sections != sent for part in report.parts)


def changes_consents(report: Report, submission: Submission, *, vault: ServiceVault) -> bool:
    """Whether the submission's consents differ from those that hold for the report."""
    key = queries.content_key(report, submission.receipt, vault)
    if key is None or report.consents is None:
        return True
    former = consent_records.open_sealed(report.consents, report_id=report.id, content_key=key)
    new = submission.consents
    return former.safe_contact != new.safe_contact or any(
        former.terms(consent) != new.terms(consent) for consent in Consent
    )
