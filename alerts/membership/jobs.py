"""The worker's periodic jobs for membership."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from alerts.membership.models import SignInCode
from alerts.membership.proving import placeholder_owner
from ugly_mugs.database.engine import db
from ugly_mugs.database.statements import change_rows
from ugly_mugs.jobs import Job
from ugly_mugs.outbox.models import Address, Channel
from ugly_mugs.runtime import runtime


def sweep_codes(now: datetime) -> None:
    """Delete expired codes, and new addresses that members typed and never proved."""
    expired = SignInCode.expires_at <= now
    member_ids = set(
        db.session.scalars(sa.select(SignInCode.wanted_by).where(expired, SignInCode.wanted_by.is_not(None)))
    )
    change_rows(sa.delete(SignInCode).where(expired))
    owners = [
        placeholder_owner(member_id, channel) for member_id in member_ids if member_id for channel in Channel
    ]
    if owners:
        has_code = sa.exists().where(SignInCode.address_id == Address.id)
        change_rows(sa.delete(Address).where(Address.owner_id.in_(owners), ~has_code))


def sweep() -> None:
    sweep_codes(runtime().clock.now())
    db.session.commit()


JOBS = [Job("sweep sign-in codes", sweep, every=timedelta(minutes=10))]
