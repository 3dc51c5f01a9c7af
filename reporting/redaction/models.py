"""The table of redactions."""

import uuid
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from ugly_mugs.database.columns import Clear, Model, clear, primary_key, sealed


class Redaction(Model):
    """The redaction of one report: hidden spans and remaining text, sealed under the report's content key."""

    __tablename__ = "redactions"
    __table_args__ = (sa.UniqueConstraint("report_id"),)

    id: Mapped[uuid.UUID] = primary_key()
    report_id: Mapped[uuid.UUID] = clear(Clear.ID, sa.Uuid, sa.ForeignKey("reports.id"))
    version: Mapped[int] = clear(Clear.VERSION, sa.Integer, default=1)
    settled: Mapped[bool] = clear(Clear.FLAG, sa.Boolean, default=False)
    author_id: Mapped[uuid.UUID] = clear(Clear.ID, sa.Uuid, sa.ForeignKey("staff.id"))
    changed_on: Mapped[date] = clear(Clear.DAY, sa.Date)
    contents: Mapped[bytes] = sealed("content key")
