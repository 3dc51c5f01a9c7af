"""Queries for reports, their outputs and their messages."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from reporting.record.models import Output, Report, ReportMessage
from ugly_mugs.database.engine import db
from ugly_mugs.vault import CannotOpen, Receipt, ServiceVault, Where, content


def report_at(locator: bytes) -> Report | None:
    """The report with this locator in any state, also withdrawn."""
    return db.session.scalars(sa.select(Report).where(Report.locator == locator)).one_or_none()


def report_of_receipt(receipt: Receipt, vault: ServiceVault) -> tuple[Report, bytes] | None:
    """The report a receipt opens, with its content key.

    A receipt that never existed and one of a withdrawn report run the same query and both give None.
    """
    locator = vault.receipts.locator(receipt)
    query = sa.select(Report).where(Report.locator == locator, Report.receipt_wrap.is_not(None))
    report = db.session.scalars(query).one_or_none()
    if report is None:
        return None
    key = content_key(report, receipt, vault)
    return (report, key) if key is not None else None


def content_key(report: Report, receipt: Receipt, vault: ServiceVault) -> bytes | None:
    """The report's content key; None when it is not wrapped under this receipt."""
    if report.receipt_wrap is None:
        return None
    where = Where("reports", "receipt_wrap", report.id)
    try:
        return content.unwrap_with_receipt(vault.receipts, receipt, report.receipt_wrap, where)
    except CannotOpen:
        return None


def report(report_id: UUID) -> Report | None:
    return db.session.get(Report, report_id)


def locked_report(report_id: UUID) -> Report | None:
    """The report's current values; its row is locked until the transaction ends."""
    query = sa.select(Report).where(Report.id == report_id).with_for_update()
    return db.session.scalars(query, execution_options={"populate_existing": True}).one_or_none()


def output(report_id: UUID, output_id: str) -> Output | None:
    """One output of this report, by its id as a form sends it; None when there is none."""
    try:
        query = sa.select(Output).where(Output.id == UUID(output_id), Output.report_id == report_id)
    except ValueError:
        return None
    return db.session.scalars(query).one_or_none()


def messages(report_id: UUID) -> Sequence[ReportMessage]:
    """The conversation, oldest first; `conversation.open_message` opens each message."""
    query = sa.select(ReportMessage).where(ReportMessage.report_id == report_id)
    return db.session.scalars(query.order_by(ReportMessage.number)).all()
