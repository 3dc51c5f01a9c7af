"""Keeps and settles redactions. Of two people at work on one, the later is told, and loses nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID, uuid4

import sqlalchemy as sa
from flask_babel import gettext as _

from reporting.record import opening
from reporting.record.models import Report
from reporting.redaction import leak_check, queries, spans as redactions
from reporting.redaction.leak_check import Leak
from reporting.redaction.models import Redaction
from reporting.redaction.spans import HIDDEN, Settled, Span
from ugly_mugs.audit import log as audit
from ugly_mugs.audit.models import AuditKind
from ugly_mugs.database.engine import db
from ugly_mugs.errors import Conflict, DomainError
from ugly_mugs.vault import TooLong


class Unfit(DomainError):
    """A text that cannot be settled as it is; `leaks` are the places that say who reported."""

    def __init__(self, message: str, leaks: Sequence[Leak] = ()) -> None:
        super().__init__(message)
        self.leaks = list(leaks)


def keep(
    *,
    report_id: UUID,
    account: str,
    spans: Sequence[Span],
    seen_version: int,
    content_key: bytes,
    staff_id: UUID,
    now: datetime,
) -> Redaction:
    """Hide these places and no others; what was settled before is open again.

    `seen_version` is that of the redaction the page was drawn from, 0 when there was none: Conflict when it moved,
    unless the same places are hidden already (a form sent twice).
    """
    opening.lock_report(report_id)
    row = queries.redaction(report_id)
    wanted = redactions.redact(account, spans)
    before = queries.opened_redaction(row, content_key)
    if (
        row is not None
        and before is not None
        and (before.spans, before.covers) == (wanted.spans, wanted.covers)
    ):
        return row
    if (row.version if row else 0) != seen_version:
        raise Conflict(_("A colleague has hidden other words meanwhile."))
    return _store(row, report_id, wanted, settled=False, content_key=content_key, staff_id=staff_id, now=now)


def settle(
    *,
    report_id: UUID,
    account: str,
    text: str,
    known: Mapping[str, Sequence[str]],
    seen_version: int,
    content_key: bytes,
    staff_id: UUID,
    now: datetime,
) -> Redaction:
    """This text is what alerts may be made from. It may only shorten what is left of the account.

    Raises Unfit when it holds something new or something about the reporter, Conflict when the words hidden are not
    those the page showed, or the reporter has added to the account since.
    """
    opening.lock_report(report_id)
    row = queries.redaction(report_id)
    before = queries.opened_redaction(row, content_key)
    if row is None or before is None or row.version != seen_version:
        if row is not None and row.settled and before is not None and before.text == text:
            return row
        raise Conflict(_("A colleague has changed this meanwhile."))
    if before.covers != len(account):
        raise Conflict(
            _("The reporter has added something. Please look first whether there are words to hide in it.")
        )
    check_fitness(text, left=redactions.redact(account, before.spans).text, known=known)
    audit.record(AuditKind.REDACTION_SETTLED, actor_id=staff_id, subject_id=report_id, day=now.date())
    return _store(
        row,
        report_id,
        replace(before, text=text),
        settled=True,
        content_key=content_key,
        staff_id=staff_id,
        now=now,
    )


def check_fitness(text: str, *, left: str, known: Mapping[str, Sequence[str]]) -> None:
    """Raises Unfit unless this text only shortens what is left, and says nothing of what the form knows."""
    added = redactions.not_from(text.replace(HIDDEN, " "), left.replace(HIDDEN, " "))
    if added is not None:
        raise Unfit(
            _(
                "“%(word)s” does not stand there in what is left. You can take words out here, not put any in.",
                word=added,
            )
        )
    found = leak_check.check(text, known, [])
    if found:
        raise Unfit(_("This still says something about the reporter."), found)


def report_ended(report: Report) -> None:
    """The report was withdrawn or deleted: what the desk made of its words goes too."""
    db.session.execute(sa.delete(Redaction).where(Redaction.report_id == report.id))


def _store(
    row: Redaction | None,
    report_id: UUID,
    wanted: Settled,
    *,
    settled: bool,
    content_key: bytes,
    staff_id: UUID,
    now: datetime,
) -> Redaction:
    redaction_id = row.id if row else uuid4()
    try:
        sealed = redactions.seal(wanted, redaction_id=redaction_id, content_key=content_key)
    except TooLong:
        raise Unfit(_("This is too long to keep in one piece. Please hide more of it.")) from None
    if row is None:
        row = Redaction(id=redaction_id, report_id=report_id, version=0)
        db.session.add(row)
    row.contents = sealed
    row.version += 1
    row.settled = settled
    row.author_id = staff_id
    row.changed_on = now.date()
    return row
