"""A report to be filed, and its storage: sealed first, without a database, then inserted as a few rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from reporting.filing.desk_key import DeskKey
from reporting.record import consents as consent_records, contents, facets, tags
from reporting.record.consents import Consents
from reporting.record.models import IdentifierTag, Report, ReportPart, ReportState, Source
from ugly_mugs.audit import log as audit
from ugly_mugs.audit.models import AuditKind
from ugly_mugs.database.engine import is_sqlite
from ugly_mugs.vault import Receipt, ServiceVault, Where, content, symmetric

FORM_PURPOSE: Final = "report"
"""The purpose in the MAC of a report form's token. A form that is open in a browser carries it: never change it."""

# Built once: building these statements takes longer than running them.
_INSERT_REPORT: Final = {
    True: sqlite.insert(Report).on_conflict_do_nothing(index_elements=[Report.locator]),
    # Without this option psycopg gives no row count for an INSERT, and a repeated report would look new.
    False: postgresql.insert(Report)
    .on_conflict_do_nothing(index_elements=[Report.locator])
    .execution_options(preserve_rowcount=True),
}
_INSERT_PART, _INSERT_TAG = sa.insert(ReportPart), sa.insert(IdentifierTag)
_BY_LOCATOR = sa.select(Report.id).where(Report.locator == sa.bindparam("locator"))


@dataclass(frozen=True, kw_only=True, repr=False)
class Submission:
    """One report from any door. A receipt files once; filing the same receipt again changes nothing.

    `sections` are the values of the schemas, by their names in `SECTIONS`. `filed_by` is the member of staff who
    wrote it down for somebody else.
    """

    receipt: Receipt
    source: Source
    sections: Mapping[str, Any]
    consents: Consents
    moment: datetime
    organisation_id: UUID | None = None
    filed_by: UUID | None = None


@dataclass(frozen=True)
class SealedSubmission:
    """The rows to insert; nothing in them can be read without a key."""

    report: Mapping[str, Any]
    part: Mapping[str, Any]
    tags: list[dict[str, Any]]


@dataclass(frozen=True)
class Filed:
    """`was_filed_before` means that this receipt had filed before, and nothing was written now."""

    report_id: UUID
    was_filed_before: bool


def new_receipt(vault: ServiceVault, now: datetime) -> Receipt:
    """A receipt for a submission that does not come from a posted form."""
    return vault.receipts.from_form_token(vault.form_tokens.new(FORM_PURPOSE, now))


def seal(submission: Submission, key: DeskKey, *, vault: ServiceVault) -> SealedSubmission:
    """Does all the slow work before the transaction begins. Raises TooLong when the sections do not fit."""
    report_id, part_id = uuid4(), uuid4()
    content_key = symmetric.new_key()
    kept = contents.answered_only(submission.sections)
    stored, loose = _identifiers(kept, submission.consents)
    points = tags.points(loose, vault.tags)
    day = submission.moment.date()
    report = {
        "id": report_id,
        "state": ReportState.RECEIVED,
        "source": submission.source,
        "organisation_id": submission.organisation_id,
        "filed_by": submission.filed_by,
        "taken_by": None,
        "received_on": day,
        "changed_on": day,
        "locator": vault.receipts.locator(submission.receipt),
        "epoch_id": key.epoch_id,
        "desk_wrap": content.wrap(key.public, content_key, Where("reports", "desk_wrap", report_id)),
        "receipt_wrap": content.wrap_under_receipt(
            vault.receipts, submission.receipt, content_key, Where("reports", "receipt_wrap", report_id)
        ),
        "head": contents.seal_head(submission.moment, report_id=report_id, content_key=content_key),
        "facets": facets.seal(facets.of_sections(kept), report_id=report_id, vault=vault),
        "consents": consent_records.seal(submission.consents, report_id=report_id, content_key=content_key),
        "consents_version": 1,
    }
    part = {
        "id": part_id,
        "report_id": report_id,
        "number": 1,
        "sections": contents.seal_part(kept, points, part_id=part_id, content_key=content_key),
        "added_on": day,
    }
    return SealedSubmission(report, part, tags.rows(report_id, stored, vault.tags))


def insert(sealed: SealedSubmission, connection: sa.Connection) -> Filed:
    """Of several with one receipt the unique locator lets one in; the others wait for it and find its report."""
    report = sealed.report
    if connection.execute(_INSERT_REPORT[is_sqlite()], report).rowcount == 0:
        former = connection.execute(_BY_LOCATOR, {"locator": report["locator"]}).scalar_one()
        return Filed(former, was_filed_before=True)
    connection.execute(_INSERT_PART, sealed.part)
    if sealed.tags:
        connection.execute(_INSERT_TAG, sealed.tags)
    if report["source"] is Source.DESK:
        audit.record(
            AuditKind.REPORT_FILED_FOR_CALLER,
            actor_id=report["filed_by"],
            subject_id=report["id"],
            day=report["received_on"],
            connection=connection,
        )
    return Filed(report["id"], was_filed_before=False)


def _identifiers(
    sections: Mapping[str, Any], consents: Consents
) -> tuple[dict[tags.Identifier, None], dict[tags.Identifier, None]]:
    """Identifiers to store as tags, and those of free text, of which only a point is sealed inside the part."""
    structured = tags.of_offenders(sections.get("offenders") or ())
    loose = tags.of_free_text(sections)
    if structured or loose:
        own = tags.of_reporter(sections.get("about_you") or {}, consents)
        structured = {identifier: None for identifier in structured if identifier not in own}
        loose = {
            identifier: None for identifier in loose if identifier not in own and identifier not in structured
        }
    return structured, loose
