"""The second person: approving exactly what they saw, or sending it back with a reason.

Everything an approval means happens in one transaction: the reporter's consent is compared, the texts pass from
the draft key to the service's own, and every delivery is written. The former version ends with it only when this
one leaves at once; of a correction that has to wait, it is stopped, because what it says is wrong.
"""

from datetime import datetime
from hmac import compare_digest
from uuid import UUID

from flask_babel import gettext as _

from alerts.delivery import fanout
from alerts.publishing import keys, queries, stopping
from alerts.publishing.drafting import Drafting, first_moment, hash_as_it_stands
from alerts.publishing.models import ALERT_MOVES, ALERT_OUTPUT, Alert, AlertState, Change
from alerts.publishing.texts import message_text
from alerts.publishing.texts.contents import UnderRest, contents_of, put_contents, put_texts, texts_of
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


def approve(alert_id: UUID, by: Drafting, *, seen: bytes, seen_consent: int, hours: QuietHours) -> Alert:
    """Let it leave. `seen` is the hash of what the approver's page showed, `seen_consent` the consent version on it.

    NotAllowed for anybody who wrote or edited it. Conflict when anything at all changed since the page was drawn.
    """
    queries.lock_family(alert_id)
    output = _output(alert_id)
    alert = queries.locked(alert_id)
    _may_decide(alert, by)
    if alert.state is not AlertState.SUBMITTED:
        raise Conflict(_("This has been decided already."))
    closed = keys.key_of(alert, by.staff)
    contents = contents_of(alert, closed)
    authors = {author.staff_id for author in alert.authors} | set(contents.authors)
    if by.staff.id in authors:
        raise NotAllowed(_("You wrote or edited this, so somebody else has to decide."))
    if contents.leaks or contents.basis != basis_of(alert.family.report_id):
        raise Conflict(
            _("The report has changed since this text was checked. Please send it back to be checked again.")
        )
    if not compare_digest(hash_as_it_stands(alert, closed, vault=by.vault), seen):
        raise Conflict(_("The text was changed since you looked."))
    if alert.expires_at is None or alert.expires_at <= by.now:
        raise Conflict(_("This would have ended already. Somebody has to give it more days."))
    outputs.approve(output, seen_version=seen_consent)

    contents = contents.for_members(authors=tuple(sorted(authors)), approved_by=by.staff.id)
    texts = texts_of(alert, closed)
    rest = UnderRest(by.vault)
    put_contents(alert, contents, rest)
    put_texts(alert, texts, message_text.costs(texts), rest)
    keys.forget(alert)
    ALERT_MOVES.move(alert, AlertState.APPROVED)
    alert.approved_by = by.staff.id
    alert.approved_at = by.now
    alert.approval = seen
    alert.consent_version = seen_consent
    alert.returned = None
    if waits(alert, output, now=by.now):
        ALERT_MOVES.move(alert, AlertState.SCHEDULED)
        if alert.change is Change.CORRECTION:
            stopping.stop_former(alert, staff_id=by.staff.id, day=by.today)
    else:
        stopping.replace_former(alert)
        outputs.release(output, approved_version=seen_consent)
        ALERT_MOVES.move(alert, AlertState.PUBLISHING)
    db.session.flush()
    # Opened again from what was just written: what the worker will not take must not be approved either.
    fanout.begin(open_approved(alert, vault=by.vault).sending(), now=by.now, hours=hours)
    record(AuditKind.ALERT_APPROVED, actor_id=by.staff.id, subject_id=alert.id, day=by.today)
    return alert


def send_back(alert_id: UUID, by: Drafting, *, reason: str) -> Alert:
    """Back to its authors, with a reason that only they and those who may approve can read."""
    alert = queries.locked(alert_id)
    _may_decide(alert, by)
    if alert.state is not AlertState.SUBMITTED:
        raise Conflict(_("This has been decided already."))
    closed = keys.key_of(alert, by.staff)
    ALERT_MOVES.move(alert, AlertState.DRAFT)
    alert.returned = closed.seal(reason.encode(), Where("alerts", "returned", alert.id))
    keys.wrap_for_writing(alert, closed, vault=by.vault)
    record(AuditKind.ALERT_RETURNED, actor_id=by.staff.id, subject_id=alert.id, day=by.today)
    return alert


def waits(alert: Alert, output: Output, *, now: datetime) -> bool:
    """Whether it may not leave yet: the reporter holds it, or its day has not come."""
    late = alert.not_before is not None and alert.not_before > now
    early = output.not_before is not None and first_moment(output.not_before) > now
    return output.held or late or early


def _may_decide(alert: Alert, by: Drafting) -> None:
    if not by.staff.may(Permission.APPROVE):
        raise NotAllowed(_("You may not approve alerts."))
    if by.staff.id in {author.staff_id for author in alert.authors}:
        raise NotAllowed(_("You wrote or edited this, so somebody else has to decide."))


def _output(alert_id: UUID) -> Output:
    output = outputs.of_subject(ALERT_OUTPUT, alert_id)
    if output is None:
        raise Conflict(_("The person who reported this does not want it to leave any more."))
    return output
