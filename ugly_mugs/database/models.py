"""Rows about the installation itself: whether it is a try-out, and when its worker was last seen."""

import uuid
from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from ugly_mugs.database.columns import Clear, Model, UtcDateTime, clear, primary_key, state_of


class Installation(Model):
    """The single row that says whether this installation is a try-out."""

    __tablename__ = "installation"

    id: Mapped[uuid.UUID] = primary_key()
    demo: Mapped[bool] = clear(Clear.FLAG, sa.Boolean)
    created_on: Mapped[date] = clear(Clear.DAY, sa.Date)


class Process(StrEnum):
    WORKER = "worker"


class Heartbeat(Model):
    """When a process was last seen; read by `/readyz` and `flask doctor`."""

    __tablename__ = "heartbeats"

    process: Mapped[Process] = state_of(Process, primary_key=True)
    seen_at: Mapped[datetime] = clear(Clear.NAMED, UtcDateTime)
