"""Files a report, whoever writes it down: everything is sealed first, then a few rows are inserted.

A receipt files once. The same one sent again, one after the other or at the same moment, changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from reporting.record import consents as consent_records, contents, facets, tags
from reporting.record.consents import Consents
from reporting.record.models import IdentifierTag, Report, ReportPart, ReportState, Source
from ugly_mugs.database.engine import db, is_sqlite
from ugly_mugs.vault import PublicKey, Receipt, ServiceVault, Where, content, symmetric

FORM: Final = "report"
"""The purpose of this form's tokens."""

# Built once: putting these statements together would take longer than running them.
_INSERT_REPORT: Final = {
    True: sqlite.insert(Report).on_conflict_do_nothing(index_elements=[Report.locator]),
    # Without the option psycopg's count of an INSERT is lost, and every one looks new.
    False: postgresql.insert(Report)
    .on_conflict_do_nothing(index_elements=[Report.locator])
    .execution_options(preserve_rowcount=True),
}
_INSERT_PART, _INSERT_TAG = sa.insert(ReportPart), sa.insert(IdentifierTag)
_BY_LOCATOR = sa.select(Report.id).where(Report.locator == sa.bindparam("locator"))


@dataclass(frozen=True)
class Filed:
    """`already` means that this receipt had filed before, and nothing was written now."""

    report_id: UUID
    already: bool


@dataclass(frozen=True)
class Sealed:
    """A report ready to be inserted: nothing in it can be read without a key."""

    report: Mapping[str, Any]
    part: Mapping[str, Any]
    tags: list[dict[str, Any]]


def file_report(
    *,
    vault: ServiceVault,
    epoch_id: UUID,
    epoch_public: PublicKey,
    receipt: Receipt,
    source: Source,
    sections: Mapping[str, Any],
    consents: Consents,
    now: datetime,
    organisation_id: UUID | None = None,
    filed_by: UUID | None = None,
) -> Filed:
    """Seal and insert. `sections` are the values of the schemas, by their names in `SECTIONS`.

    The epoch is what `epochs.current` gives in this transaction. Raises TooLong before anything is written.
    """
    sealed = seal_report(
        vault=vault,
        epoch_id=epoch_id,
        epoch_public=epoch_public,
        receipt=receipt,
        source=source,
        sections=sections,
        consents=consents,
        now=now,
        organisation_id=organisation_id,
        filed_by=filed_by,
    )
    return insert(sealed, db.session.connection())


def seal_report(
    *,
    vault: ServiceVault,
    epoch_id: UUID,
    epoch_public: PublicKey,
    receipt: Receipt,
    source: Source,
    sections: Mapping[str, Any],
    consents: Consents,
    now: datetime,
    organisation_id: UUID | None = None,
    filed_by: UUID | None = None,
) -> Sealed:
    """Everything that takes time, without a database, so that nobody waits for it."""
    report_id, part_id = uuid4(), uuid4()
    content_key = symmetric.new_key()
    kept = contents.filled(sections)
    stored, loose = _identifiers(kept, consents)
    points = tags.points(loose, vault.tags)
    report = {
        "id": report_id,
        "state": ReportState.RECEIVED,
        "source": source,
        "organisation_id": organisation_id,
        "filed_by": filed_by,
        "taken_by": None,
        "received_on": now.date(),
        "changed_on": now.date(),
        "locator": vault.receipts.locator(receipt),
        "epoch_id": epoch_id,
        "desk_wrap": content.wrap_to_epoch(
            epoch_public, content_key, Where("reports", "desk_wrap", report_id)
        ),
        "receipt_wrap": content.wrap_under_receipt(
            vault.receipts, receipt, content_key, Where("reports", "receipt_wrap", report_id)
        ),
        "head": contents.seal_head(now, report_id=report_id, content_key=content_key),
        "facets": facets.seal(facets.of_sections(kept), report_id=report_id, vault=vault),
        "consents": consent_records.seal(consents, report_id=report_id, content_key=content_key),
        "consents_version": 1,
    }
    part = {
        "id": part_id,
        "report_id": report_id,
        "number": 1,
        "sections": contents.seal_part(kept, points, part_id=part_id, content_key=content_key),
        "added_on": now.date(),
    }
    return Sealed(report, part, tags.rows(report_id, stored, vault.tags))


def insert(sealed: Sealed, connection: sa.Connection) -> Filed:
    """Of several with one receipt at the same moment the database lets one in, and the others wait for it."""
    if connection.execute(_INSERT_REPORT[is_sqlite()], sealed.report).rowcount == 0:
        former = connection.execute(_BY_LOCATOR, {"locator": sealed.report["locator"]}).scalar_one()
        return Filed(former, already=True)
    connection.execute(_INSERT_PART, sealed.part)
    if sealed.tags:
        connection.execute(_INSERT_TAG, sealed.tags)
    return Filed(sealed.report["id"], already=False)


def _identifiers(
    sections: Mapping[str, Any], consents: Consents
) -> tuple[dict[tags.Identifier, None], dict[tags.Identifier, None]]:
    """Identifiers to store as tags, and those of free text that only leave their point inside."""
    structured = tags.of_offenders(sections.get("offenders") or ())
    loose = tags.of_free_text(sections)
    if structured or loose:
        own = tags.of_reporter(sections.get("about_you") or {}, consents)
        structured = {each: None for each in structured if each not in own}
        loose = {each: None for each in loose if each not in own and each not in structured}
    return structured, loose
