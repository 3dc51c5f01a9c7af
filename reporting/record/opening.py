"""Opens reports for staff who hold the desk's key. An audit entry is committed before a report is decrypted."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from flask_babel import gettext as _

from reporting.record import contents, queries as record_queries
from reporting.record.contents import Contents
from reporting.record.models import Report
from ugly_mugs.accounts.guard import SignedInStaff, current_staff
from ugly_mugs.accounts.keys import epochs
from ugly_mugs.audit import log as audit
from ugly_mugs.audit.models import AuditKind
from ugly_mugs.database.engine import writing
from ugly_mugs.errors import NotAllowed, NotThere
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import PrivateKey, Where


@dataclass(frozen=True)
class OpenedReport:
    report: Report
    content_key: bytes = field(repr=False)
    contents: Contents = field(repr=False)


class HasHead(Protocol):
    """The columns that are needed to open the head of a report."""

    @property
    def id(self) -> UUID: ...
    @property
    def epoch_id(self) -> UUID: ...
    @property
    def desk_wrap(self) -> bytes | None: ...
    @property
    def head(self) -> bytes | None: ...


def open_for_me(report_id: UUID) -> OpenedReport:
    """Open the whole report for the signed-in member of staff, now."""
    return open_report(report_id=report_id, staff=current_staff(), now=runtime().clock.now())


def open_report(*, report_id: UUID, staff: SignedInStaff, now: datetime) -> OpenedReport:
    """Open the whole report. The audit entry REPORT_OPENED is committed before decryption and any other write.

    NotThere when it is withdrawn or deleted, NotAllowed for staff without the desk's key.
    """
    report, _wrap = _readable(record_queries.report(report_id))
    key = _epoch_key(staff, report.epoch_id)
    with writing():
        audit.record_and_commit(
            AuditKind.REPORT_OPENED, actor_id=staff.id, subject_id=report_id, day=now.date()
        )
    # Read again, because the report may have been withdrawn while the entry was committed.
    report, wrap = _readable(record_queries.report(report_id))
    content_key = key.open(wrap, Where("reports", "desk_wrap", report_id))
    return OpenedReport(report, content_key, contents.open_with_key(report, content_key))


def lock_report(report_id: UUID) -> Report:
    """Read the report and lock its row for this transaction; NotThere when it is withdrawn or deleted."""
    return _readable(record_queries.locked_report(report_id))[0]


def _readable(report: Report | None) -> tuple[Report, bytes]:
    """The report with its content key as wrapped for the desk."""
    if report is None or report.desk_wrap is None:
        raise NotThere(_("This report is not here any more. Whoever sent it may have withdrawn it."))
    return report, report.desk_wrap


def times_received(
    rows: Iterable[HasHead], *, staff: SignedInStaff, now: datetime
) -> Mapping[UUID, datetime]:
    """The minute in which each report was received, from its head; one REPORT_LISTED entry is committed first."""
    readable = [row for row in rows if row.desk_wrap is not None and row.head is not None]
    if not readable:
        return {}
    keys = {epoch_id: _epoch_key(staff, epoch_id) for epoch_id in {row.epoch_id for row in readable}}
    with writing():
        audit.record_and_commit(
            AuditKind.REPORT_LISTED, actor_id=staff.id, count=len(readable), day=now.date()
        )
    return {row.id: _received_at(row, keys[row.epoch_id]) for row in readable}


def _received_at(row: HasHead, key: PrivateKey) -> datetime:
    assert row.desk_wrap is not None
    assert row.head is not None
    content_key = key.open(row.desk_wrap, Where("reports", "desk_wrap", row.id))
    return contents.open_head(row.head, report_id=row.id, content_key=content_key).received_at


def _epoch_key(staff: SignedInStaff, epoch_id: UUID) -> PrivateKey:
    try:
        return epochs.private_for(staff.id, staff.key, epoch_id)
    except NotAllowed:
        raise NotAllowed(
            _("You do not hold the key that opens reports. A moderator has to admit you first.")
        ) from None
