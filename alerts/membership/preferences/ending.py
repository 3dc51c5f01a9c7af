"""Ends a membership or an application: everything is deleted but the records of consent."""

from datetime import datetime

import sqlalchemy as sa
from flask_babel import gettext as _

from alerts.membership import consents
from alerts.membership.models import MEMBER_MOVES, Member, MemberState, SignInCode, Subscription
from alerts.membership.preferences import services
from alerts.membership.proving import placeholder_owner
from ugly_mugs.accounts import sessions
from ugly_mugs.database.engine import db
from ugly_mugs.database.statements import exists
from ugly_mugs.errors import Conflict
from ugly_mugs.outbox.models import Channel
from ugly_mugs.vault import ServiceVault


def end(*, vault: ServiceVault, member: Member, now: datetime) -> None:
    """Remove the member: name, preferences, addresses and sessions are deleted; the records of consent stay.

    Without an address and a live subscription no gate is open; the worker suppresses the deliveries that wait.
    """
    if not MEMBER_MOVES.allows(member.state, MemberState.REMOVED):
        raise Conflict(_("This membership has ended already."))
    for channel in Channel:
        if exists(Subscription.member_id == member.id, Subscription.channel == channel, Subscription.live):
            consents.withdraw(member_id=member.id, channel=channel, language=member.language, now=now)
        for owner_id in (member.id, placeholder_owner(member.id, channel)):
            services.suppress_waiting(vault=vault, owner_id=owner_id, channel=channel, now=now)
    MEMBER_MOVES.move(member, MemberState.REMOVED)
    member.working_name = None
    member.regions, member.sectors, member.subscriptions = [], [], []
    db.session.flush()
    services.forget_addresses(member.id)
    db.session.execute(sa.delete(SignInCode).where(SignInCode.wanted_by == member.id))
    sessions.end_all(member.id)
