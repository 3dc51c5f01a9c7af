"""Decisions about members: accept, reject, pause, resume, remove; each writes an audit entry."""

import uuid
from datetime import datetime

from flask_babel import gettext as _

from alerts.membership.models import MEMBER_MOVES, Member, MemberState
from alerts.membership.preferences import ending, services
from alerts.membership.sign_in.services import become_active
from ugly_mugs.audit import log as audit
from ugly_mugs.audit.models import AuditKind
from ugly_mugs.errors import Conflict
from ugly_mugs.vault import ServiceVault


def accept(*, member: Member, by_id: uuid.UUID, now: datetime) -> None:
    """Accept an application; warnings start as soon as an address of the member is proved."""
    _decide(member, MemberState.VETTED)
    become_active(member)
    audit.record(AuditKind.MEMBER_VETTED, actor_id=by_id, subject_id=member.id, day=now.date())


def reject(*, member: Member, by_id: uuid.UUID, now: datetime) -> None:
    """Reject an application. Its address stays, so that the applicant can sign in, read this and remove it."""
    _decide(member, MemberState.REJECTED)
    audit.record(AuditKind.MEMBER_REJECTED, actor_id=by_id, subject_id=member.id, day=now.date())


def pause(*, member: Member, by_id: uuid.UUID, now: datetime) -> None:
    """Send no warnings until the member or a member admin resumes them."""
    services.pause(member=member)
    audit.record(AuditKind.MEMBER_PAUSED, actor_id=by_id, subject_id=member.id, day=now.date())


def resume(*, member: Member, by_id: uuid.UUID, now: datetime) -> None:
    services.resume(member=member)
    audit.record(AuditKind.MEMBER_RESUMED, actor_id=by_id, subject_id=member.id, day=now.date())


def remove(*, vault: ServiceVault, member: Member, by_id: uuid.UUID, now: datetime) -> None:
    """End the membership or application, whatever its state."""
    ending.end(vault=vault, member=member, now=now)
    audit.record(AuditKind.MEMBER_REMOVED, actor_id=by_id, subject_id=member.id, day=now.date())


def _decide(member: Member, wanted: MemberState) -> None:
    if not MEMBER_MOVES.allows(member.state, wanted):
        raise Conflict(_("Somebody has decided about this request already."))
    MEMBER_MOVES.move(member, wanted)
