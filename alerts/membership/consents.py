"""Consent by channel: an append-only list of records, and a subscription that mirrors the last one.

A channel is live if and only if its last record is GIVEN or RESTARTED. The caller commits.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from alerts.membership.consent_wordings import WORDINGS
from alerts.membership.models import ConsentEvent, Member, MemberConsent, Subscription
from ugly_mugs.database.engine import db
from ugly_mugs.database.statements import insert
from ugly_mugs.outbox.models import Channel

LIVE = frozenset({ConsentEvent.GIVEN, ConsentEvent.RESTARTED})


def give(*, member_id: uuid.UUID, channel: Channel, language: str, now: datetime) -> bool:
    """The member ticked the consent of this channel, in this language; False when it was live already."""
    subscription = _locked(member_id, channel)
    if subscription.live:
        return False
    _append(subscription, ConsentEvent.GIVEN, WORDINGS[channel].version, language, now)
    return True


def withdraw(*, member_id: uuid.UUID, channel: Channel, language: str, now: datetime) -> bool:
    """The member removed the tick; False when the channel was not live."""
    subscription = _locked(member_id, channel)
    if not subscription.live:
        return False
    _append(subscription, ConsentEvent.WITHDRAWN, _last_wording(subscription), language, now)
    return True


def stop(owner_id: uuid.UUID, channel: Channel, now: datetime) -> None:
    """STOP came from the number, or a message's opt-out link was used: recorded even when the channel was not live."""
    language = _language_of(owner_id)
    if language is None:
        return
    subscription = _locked(owner_id, channel)
    _append(subscription, ConsentEvent.STOPPED, _last_wording(subscription), language, now)


def start_again(owner_id: uuid.UUID, channel: Channel, now: datetime) -> None:
    """START came from the number: restore the consent that STOP ended; never create one that was not given before."""
    language = _language_of(owner_id)
    if language is None:
        return
    subscription = _locked(owner_id, channel)
    events = [record.event for record in history(owner_id, channel)]
    if not events or events[-1] is not ConsentEvent.STOPPED:
        return
    while events and events[-1] is ConsentEvent.STOPPED:
        events.pop()
    if events and events[-1] in LIVE:
        _append(subscription, ConsentEvent.RESTARTED, _last_wording(subscription), language, now)


def history(member_id: uuid.UUID, channel: Channel) -> Sequence[MemberConsent]:
    """The records of one channel, oldest first."""
    return db.session.scalars(
        sa.select(MemberConsent)
        .where(MemberConsent.member_id == member_id, MemberConsent.channel == channel)
        .order_by(MemberConsent.number)
    ).all()


def _append(
    subscription: Subscription, event: ConsentEvent, wording: int, language: str, now: datetime
) -> None:
    number = db.session.scalar(
        sa.select(sa.func.coalesce(sa.func.max(MemberConsent.number), 0) + 1).where(
            MemberConsent.member_id == subscription.member_id, MemberConsent.channel == subscription.channel
        )
    )
    db.session.add(
        MemberConsent(
            id=uuid.uuid4(),
            member_id=subscription.member_id,
            channel=subscription.channel,
            number=number,
            event=event,
            wording=wording,
            language=language,
            at=now,
        )
    )
    subscription.live = event in LIVE
    db.session.flush()


def _locked(member_id: uuid.UUID, channel: Channel) -> Subscription:
    """The subscription, created when missing; its lock serialises changes of one channel."""
    db.session.execute(
        insert(Subscription)
        .values(member_id=member_id, channel=channel, live=False)
        .on_conflict_do_nothing(index_elements=["member_id", "channel"])
    )
    return db.session.scalars(
        sa.select(Subscription)
        .where(Subscription.member_id == member_id, Subscription.channel == channel)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def _last_wording(subscription: Subscription) -> int:
    """The version of the wording last agreed to; the present version when there is none."""
    version = db.session.scalar(
        sa.select(MemberConsent.wording)
        .where(
            MemberConsent.member_id == subscription.member_id,
            MemberConsent.channel == subscription.channel,
            MemberConsent.event == ConsentEvent.GIVEN,
        )
        .order_by(MemberConsent.number.desc())
        .limit(1)
    )
    return WORDINGS[subscription.channel].version if version is None else version


def _language_of(owner_id: uuid.UUID) -> str | None:
    """The member's language; None for a placeholder owner, of an address not proved yet."""
    return db.session.scalar(sa.select(Member.language).where(Member.id == owner_id))
