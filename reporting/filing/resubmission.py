"""What a posted report form is to the service: new, filed already, too old, or of a report that is gone."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from reporting.record import consents as consent_records, contents, queries
from reporting.record.consents import Consent, Consents
from reporting.record.models import Report
from ugly_mugs.vault import FormToken, FormTokens, Receipt, ServiceVault


class Standing(StrEnum):
    NEW = "new"  # to be filed
    JUST_FILED = "just filed"  # a second click or a reload: the receipt is shown again
    FILED_BEFORE = (
        "filed before"  # the receipt is not shown: the page may have been left open on a shared phone
    )
    TOO_OLD = "too old"  # drawn again with a fresh token
    GONE = "gone"  # the report was withdrawn: sent once more it would be a new one


def standing(token: FormToken, report: Report | None, now: datetime) -> Standing:
    """A form whose receipt filed is never filed again, however old it is; an unknown one up to 24 hours."""
    if report is not None:
        if report.receipt_wrap is None:
            return Standing.GONE
        return Standing.JUST_FILED if FormTokens.is_current(token, now) else Standing.FILED_BEFORE
    return Standing.NEW if FormTokens.is_fileable(token, now) else Standing.TOO_OLD


def differs(report: Report, receipt: Receipt, *, sections: Mapping[str, Any], vault: ServiceVault) -> bool:
    """Whether these sections hold anything but what the report's own parts hold already.

    `sections` as a form's values; the token in the posted form gives the receipt, and so opens the report.
    """
    key = queries.content_key(report, receipt, vault)
    if key is None:
        return True
    sent = contents.filled(sections)
    return all(contents.open_part(part, key).sections != sent for part in report.parts)


def allows_otherwise(report: Report, receipt: Receipt, *, consents: Consents, vault: ServiceVault) -> bool:
    """Whether these consents are other ones than those that hold for the report."""
    key = queries.content_key(report, receipt, vault)
    if key is None or report.consents is None:
        return True
    former = consent_records.open_sealed(report.consents, report_id=report.id, content_key=key)
    contact = (former.safe_contact, consents.safe_contact)
    return contact[0] != contact[1] or any(former.terms(each) != consents.terms(each) for each in Consent)
