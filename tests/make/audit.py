"""What the audit log holds."""

import sqlalchemy as sa

from ugly_mugs.audit.models import AuditEntry, AuditKind
from ugly_mugs.database.engine import db


def entries(kind: AuditKind) -> list[AuditEntry]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(AuditEntry).where(AuditEntry.kind == kind)))
