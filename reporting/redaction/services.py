"""Saves and settles redactions. When two people edit the same redaction, the second save raises Conflict."""

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
from reporting.redaction.spans import HIDDEN, OpenedRedaction, Span
from ugly_mugs.audit import log as audit
from ugly_mugs.audit.models import AuditKind
from ugly_mugs.database.engine import db
from ugly_mugs.errors import Conflict, DomainError
from ugly_mugs.vault import TooLong


class Unfit(DomainError):
    """A text that cannot be saved or settled; `leaks` are the spans that identify the reporter."""

    def __init__(self, message: str, leaks: Sequence[Leak] = ()) -> None:
        super().__init__(message)
        self.leaks = list(leaks)


def save_spans(
    *,
    report_id: UUID,
    account: str,
    spans: Sequence[Span],
    seen_version: int,
    content_key: bytes,
    staff_id: UUID,
    now: datetime,
) -> Redaction:
    """Hide exactly these spans; a settled text has to be settled again.

    `seen_version` is the version of the redaction that the page showed, 0 when there was none. Conflict when it has
    changed, unless the same spans are hidden already (a form sent twice). Unfit when it is too long to store.
    """
    opening.lock_report(report_id)
    row = queries.redaction(report_id)
    wanted = redactions.redact(account, spans)
    before = queries.opened_redaction(row, content_key)
    if (
        row is not None
        and before is not None
        and (before.spans, before.account_length) == (wanted.spans, wanted.account_length)
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
    """Settle the text from which alerts may be made. It may only shorten what is left of the account.

    Raises Unfit when it has new words or identifies the reporter, Conflict when the redaction changed since the page
    was shown, or the reporter has added to the account.
    """
    opening.lock_report(report_id)
    row = queries.redaction(report_id)
    before = queries.opened_redaction(row, content_key)
    if row is None or before is None or row.version != seen_version:
        if row is not None and row.settled and before is not None and before.text == text:
            return row
        raise Conflict(_("A colleague has changed this meanwhile."))
    if before.account_length != len(account):
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
    """Raises Unfit unless the text only shortens `left` and the leak check finds nothing from `known` in it."""
    new_word = redactions.first_new_word(text.replace(HIDDEN, " "), left.replace(HIDDEN, " "))
    if new_word is not None:
        raise Unfit(
            _(
                "“%(word)s” does not stand there in what is left. You can take words out here, not put any in.",
                word=new_word,
            )
        )
    leaks = leak_check.check(text, known, [])
    if leaks:
        raise Unfit(_("This still says something about the reporter."), leaks)


def report_ended(report: Report) -> None:
    """Delete the redaction of a withdrawn or deleted report."""
    db.session.execute(sa.delete(Redaction).where(Redaction.report_id == report.id))


def _store(
    row: Redaction | None,
    report_id: UUID,
    wanted: OpenedRedaction,
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
