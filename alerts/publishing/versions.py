"""Starting drafts: the first version of an alert from a report, and the version that follows an approved one.

Rows are locked in the order report, output, alert, here and on the reporter's side, so that they cannot deadlock.
"""

import secrets
from dataclasses import replace
from uuid import UUID, uuid4

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError

from alerts.publishing import proposal, queries, stopping
from alerts.publishing.drafting import (
    DeskContext,
    add_author,
    consents_now,
    proposed_texts,
    settled_or_conflict,
    write_draft,
)
from alerts.publishing.models import (
    ALERT_MOVES,
    ALERT_OUTPUT,
    REPLACEABLE,
    Alert,
    AlertFamily,
    AlertState,
    Change,
)
from alerts.publishing.texts import message_text
from alerts.publishing.texts.contents import RestSealingKey, open_contents, open_texts
from reporting.record import outputs
from reporting.record.opening import OpenedReport
from ugly_mugs.audit.log import record
from ugly_mugs.audit.models import AuditKind
from ugly_mugs.database.engine import db
from ugly_mugs.database.statements import exists
from ugly_mugs.errors import Conflict, NotThere

# Without characters that are misread or misheard for each other, and without vowels, so that no word appears.
REFERENCE_SIGNS = "23456789BCDFGHJKMNPQRSTVWXYZ"
REFERENCE_LENGTH = 4


def start(opened: OpenedReport, context: DeskContext) -> Alert:
    """Start a draft from the report's structured fields and settled redaction, or return the draft that exists.

    Conflict when the redaction is not settled or the reporter does not want others to be warned.
    """
    consents = consents_now(opened)
    settled = settled_or_conflict(opened)
    existing = queries.first_draft_of(opened.report.id)
    if existing is not None:
        return existing
    family = AlertFamily(
        id=uuid4(), reference=_unused_reference(), report_id=opened.report.id, created_on=context.today
    )
    db.session.add(family)
    contents = proposal.from_report(opened.contents, redacted=settled.text)
    written = proposed_texts(contents, family, context, context.languages)
    alert = _new_version(family, Change.FIRST, context)
    write_draft(alert, contents, written, opened=opened, settled=settled, consents=consents, context=context)
    record(AuditKind.ALERT_DRAFTED, actor_id=context.staff.id, subject_id=alert.id, day=context.today)
    return alert


def next_version(opened: OpenedReport, former_id: UUID, change: Change, context: DeskContext) -> Alert:
    """Start a draft that will replace a version whose sending has begun; it copies that version's fields and texts.

    Conflict when the former version cannot be replaced, or when another new version is being written.
    """
    former = queries.locked(former_id)
    if former.state not in REPLACEABLE or change is Change.FIRST:
        raise Conflict(_("A new version can only follow one that is on its way or can be read."))
    return _draft_after(opened, former, change, context)


def reopen(opened: OpenedReport, former_id: UUID, context: DeskContext) -> Alert:
    """Cancel an approved version that is still scheduled, and start a new draft with its fields and texts.

    The approved version does not change, so that deliveries queued for it can never carry other texts.
    """
    output = outputs.of_subject(ALERT_OUTPUT, former_id)
    former = queries.locked(former_id)
    if former.state is not AlertState.SCHEDULED:
        raise Conflict(_("Only what is approved and has not begun to leave can be edited like this."))
    ALERT_MOVES.move(former, AlertState.CANCELLED)
    if output is not None:
        outputs.end(output)
    record(AuditKind.ALERT_CANCELLED, actor_id=context.staff.id, subject_id=former.id, day=context.today)
    return _draft_after(opened, former, former.change, context)


def _new_version(family: AlertFamily, change: Change, context: DeskContext) -> Alert:
    former = db.session.scalar(sa.select(sa.func.max(Alert.version)).where(Alert.family_id == family.id))
    alert = Alert(
        id=uuid4(),
        family=family,
        version=(former or 0) + 1,
        change=change,
        state=AlertState.DRAFT,
        created_on=context.today,
        contents=b"",
    )
    add_author(alert, context.staff)
    db.session.add(alert)
    return alert


def _draft_after(opened: OpenedReport, former: Alert, change: Change, context: DeskContext) -> Alert:
    """A draft with the fields and texts of an approved version."""
    if former.family.report_id != opened.report.id:
        raise NotThere
    if queries.newer_version_under_way(former):
        raise Conflict(_("Somebody is writing a new version already."))
    consents, settled = consents_now(opened), settled_or_conflict(opened)
    stopping.forget_holds_of_replaced(former)
    rest = RestSealingKey(context.vault)
    contents, texts = open_contents(former, rest), open_texts(former, rest)
    contents = replace(
        contents,
        offered=proposal.identifiers_in(opened.contents),
        third_party=proposal.is_third_party(opened.contents),
        authors=(),
        approved_by=None,
        redacted=settled.text,
    )
    # The form requires texts in the default language, which may have changed since the former version was written.
    written = proposed_texts(contents, former.family, context, context.languages[:1])
    written |= {
        language: pair
        for language, pair in message_text.written_in(texts).items()
        if language in context.languages
    }
    alert = _new_version(former.family, change, context)
    write_draft(alert, contents, written, opened=opened, settled=settled, consents=consents, context=context)
    try:
        db.session.flush()
    except IntegrityError:
        raise Conflict(_("Somebody is writing a new version already.")) from None
    record(AuditKind.ALERT_DRAFTED, actor_id=context.staff.id, subject_id=alert.id, day=context.today)
    return alert


def _unused_reference() -> str:
    while True:
        reference = "".join(secrets.choice(REFERENCE_SIGNS) for _sign in range(REFERENCE_LENGTH))
        if not exists(AlertFamily.reference == reference):
            return reference
