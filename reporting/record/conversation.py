"""The conversation between a reporter and the desk, each message sealed under the report's content key."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from flask_babel import format_date

from reporting.record.models import Author, Report, ReportMessage
from ugly_mugs.database.engine import db
from ugly_mugs.vault import Where, symmetric
from ugly_mugs.vault.padding import TEXT


def write(
    *, report: Report, author: Author, text: str, content_key: bytes, day: date, staff_id: UUID | None = None
) -> ReportMessage | None:
    """Add one message; None when it equals the last one (a form sent twice).

    The caller's transaction must hold a lock on the report's row, because messages are numbered.
    """
    query = sa.select(ReportMessage).where(ReportMessage.report_id == report.id)
    last = db.session.scalars(query.order_by(ReportMessage.number.desc()).limit(1)).one_or_none()
    if last is not None and last.author is author and open_message(last, content_key) == text:
        return None
    message_id = uuid4()
    sealed = symmetric.seal(content_key, text.encode(), _where(message_id), sizes=TEXT)
    message = ReportMessage(
        id=message_id, report_id=report.id, number=last.number + 1 if last else 1, author=author,
        staff_id=staff_id, text=sealed, sent_on=day,
    )  # fmt: skip
    db.session.add(message)
    report.changed_on = day
    return message


def open_message(message: ReportMessage, content_key: bytes) -> str:
    """The text of the message; CannotOpen when the key is another report's."""
    return symmetric.open_sealed(content_key, message.text, _where(message.id)).decode()


def shown(message: ReportMessage, content_key: bytes, *, who: str, mine: bool) -> Mapping[str, Any]:
    """The message as a page draws it; `mine` is what the reader's own side wrote."""
    text = open_message(message, content_key)
    return {"who": who, "when": format_date(message.sent_on, "long"), "text": text, "mine": mine}


def _where(message_id: UUID) -> Where:
    return Where("report_messages", "text", message_id)
