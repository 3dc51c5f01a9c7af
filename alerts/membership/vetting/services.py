"""People decide who becomes a member: accept, reject, pause, remove; every decision leaves an audit entry."""

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
    """They may have warnings, from the moment on at which one of their addresses is proved."""
    _decide(member, MemberState.VETTED)
    become_active(member)
    audit.record(AuditKind.MEMBER_VETTED, actor_id=by_id, subject_id=member.id, day=now.date())


def reject(*, member: Member, by_id: uuid.UUID, now: datetime) -> None:
    """They may not. Their address stays known, so that they can sign in, read it and remove the application."""
    _decide(member, MemberState.REJECTED)
    audit.record(AuditKind.MEMBER_REJECTED, actor_id=by_id, subject_id=member.id, day=now.date())


def pause(*, member: Member, by_id: uuid.UUID, now: datetime) -> None:
    """Nothing is sent until they, or somebody here, says so."""
    services.pause(member=member)
    audit.record(AuditKind.MEMBER_PAUSED, actor_id=by_id, subject_id=member.id, day=now.date())


def resume(*, member: Member, by_id: uuid.UUID, now: datetime) -> None:
    services.resume(member=member)
    audit.record(AuditKind.MEMBER_RESUMED, actor_id=by_id, subject_id=member.id, day=now.date())


def remove(*, vault: ServiceVault, member: Member, by_id: uuid.UUID, now: datetime) -> None:
    """The membership ends, whatever its state."""
    ending.end(vault=vault, member=member, now=now)
    audit.record(AuditKind.MEMBER_REMOVED, actor_id=by_id, subject_id=member.id, day=now.date())


def _decide(member: Member, wanted: MemberState) -> None:
    if not MEMBER_MOVES.allows(member.state, wanted):
        raise Conflict(_("Somebody has decided about this request already."))
    MEMBER_MOVES.move(member, wanted)
