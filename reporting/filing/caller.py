"""A moderator writes down what a caller tells, in the same sections as everybody's report."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from reporting.filing import submission
from reporting.filing.submission import Filed
from reporting.record.consents import Consents
from reporting.record.models import Source
from ugly_mugs.audit import log as audit
from ugly_mugs.audit.models import AuditKind
from ugly_mugs.vault import PublicKey, Receipt, ServiceVault


def file_for_caller(
    *,
    vault: ServiceVault,
    epoch_id: UUID,
    epoch_public: PublicKey,
    receipt: Receipt,
    sections: Mapping[str, Any],
    consents: Consents,
    staff_id: UUID,
    now: datetime,
) -> Filed:
    """File once for each receipt, as for everybody, with who wrote it down; TooLong before anything is written."""
    filed = submission.file_report(
        vault=vault,
        epoch_id=epoch_id,
        epoch_public=epoch_public,
        receipt=receipt,
        source=Source.DESK,
        sections=sections,
        consents=consents,
        now=now,
        filed_by=staff_id,
    )
    if not filed.already:
        audit.record(
            AuditKind.REPORT_FILED_FOR_CALLER, actor_id=staff_id, subject_id=filed.report_id, day=now.date()
        )
    return filed
