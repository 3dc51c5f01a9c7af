"""Approval by a second person: approving exactly what they saw, or sending it back with a reason.

An approval is one transaction: it compares the reporter's consent, seals the texts under the service's key instead of
the draft key, and writes every delivery. When sending begins at once, the former version ends. When a correction has
to wait, the former version is stopped until then, because it is wrong.
"""

from datetime import datetime
from hmac import compare_digest
from uuid import UUID

from flask_babel import gettext as _

from alerts.delivery import fanout
from alerts.publishing import draft_keys, queries, stopping
from alerts.publishing.drafting import DeskContext, first_moment
from alerts.publishing.models import ALERT_MOVES, ALERT_OUTPUT, Alert, AlertState, Change
from alerts.publishing.texts import message_text
from alerts.publishing.texts.approval_hash import current_hash
from alerts.publishing.texts.contents import (
    RestSealingKey,
    open_contents,
    open_texts,
    seal_contents,
    seal_texts,
)
from alerts.publishing.texts.snapshots import open_approved
from reporting.record import outputs
from reporting.record.models import Output
from reporting.redaction.queries import basis_of
from ugly_mugs.accounts.permissions import Permission
from ugly_mugs.audit.log import record
from ugly_mugs.audit.models import AuditKind
from ugly_mugs.database.engine import db
from ugly_mugs.errors import Conflict, NotAllowed
from ugly_mugs.settings import QuietHours
from ugly_mugs.vault import Where


def approve(
    alert_id: UUID, context: DeskContext, *, seen: bytes, seen_consent: int, hours: QuietHours
) -> Alert:
    """Approve a submitted version: publish it, or schedule it when it has to wait.

    `seen` is the approval hash on the approver's page, `seen_consent` the consent version there. NotAllowed for an
    author. Conflict when anything changed after the page was drawn.
    """
    queries.lock_family(alert_id)
    output = _output(alert_id)
    alert = queries.locked(alert_id)
    _may_decide(alert, context)
    if alert.state is not AlertState.SUBMITTED:
        raise Conflict(_("This has been decided already."))
    sealing_key = draft_keys.open_draft_key(alert, context.staff)
    contents = open_contents(alert, sealing_key)
    authors = {author.staff_id for author in alert.authors} | set(contents.authors)
    if context.staff.id in authors:
        raise NotAllowed(_("You wrote or edited this, so somebody else has to decide."))
    if contents.leaks or contents.basis != basis_of(alert.family.report_id):
        raise Conflict(
            _("The report has changed since this text was checked. Please send it back to be checked again.")
        )
    if not compare_digest(current_hash(alert, sealing_key, vault=context.vault), seen):
        raise Conflict(_("The text was changed since you looked."))
    if alert.expires_at is None or alert.expires_at <= context.now:
        raise Conflict(_("This would have ended already. Somebody has to give it more days."))
    outputs.approve(output, seen_version=seen_consent)

    contents = contents.for_members(authors=tuple(sorted(authors)), approved_by=context.staff.id)
    texts = open_texts(alert, sealing_key)
    rest = RestSealingKey(context.vault)
    seal_contents(alert, contents, rest)
    seal_texts(alert, texts, message_text.costs(texts), rest)
    draft_keys.forget(alert)
    ALERT_MOVES.move(alert, AlertState.APPROVED)
    alert.approved_by = context.staff.id
    alert.approved_at = context.now
    alert.approval = seen
    alert.consent_version = seen_consent
    alert.returned = None
    if must_wait(alert, output, now=context.now):
        ALERT_MOVES.move(alert, AlertState.SCHEDULED)
        if alert.change is Change.CORRECTION:
            stopping.stop_former(alert, staff_id=context.staff.id, day=context.today)
    else:
        stopping.replace_former(alert)
        outputs.release(output, approved_version=seen_consent)
        ALERT_MOVES.move(alert, AlertState.PUBLISHING)
    db.session.flush()
    # Opened from what was just written: an approval that the worker would refuse fails here.
    fanout.begin(open_approved(alert, vault=context.vault).sending(), now=context.now, hours=hours)
    record(AuditKind.ALERT_APPROVED, actor_id=context.staff.id, subject_id=alert.id, day=context.today)
    return alert


def send_back(alert_id: UUID, context: DeskContext, *, reason: str) -> Alert:
    """Return a submitted version to its authors, with a reason sealed under the draft key."""
    alert = queries.locked(alert_id)
    _may_decide(alert, context)
    if alert.state is not AlertState.SUBMITTED:
        raise Conflict(_("This has been decided already."))
    sealing_key = draft_keys.open_draft_key(alert, context.staff)
    ALERT_MOVES.move(alert, AlertState.DRAFT)
    alert.returned = sealing_key.seal(reason.encode(), Where("alerts", "returned", alert.id))
    draft_keys.wrap_for_writing(alert, sealing_key, vault=context.vault)
    record(AuditKind.ALERT_RETURNED, actor_id=context.staff.id, subject_id=alert.id, day=context.today)
    return alert


def must_wait(alert: Alert, output: Output, *, now: datetime) -> bool:
    """Whether sending may not begin yet: the reporter holds the alert, or its first day has not come."""
    before_alert_begins = alert.not_before is not None and alert.not_before > now
    before_reporters_day = output.not_before is not None and first_moment(output.not_before) > now
    return output.held or before_alert_begins or before_reporters_day


def _may_decide(alert: Alert, context: DeskContext) -> None:
    if not context.staff.may(Permission.APPROVE):
        raise NotAllowed(_("You may not approve alerts."))
    if context.staff.id in {author.staff_id for author in alert.authors}:
        raise NotAllowed(_("You wrote or edited this, so somebody else has to decide."))


def _output(alert_id: UUID) -> Output:
    output = outputs.of_subject(ALERT_OUTPUT, alert_id)
    if output is None:
        raise Conflict(_("The person who reported this does not want it to leave any more."))
    return output
