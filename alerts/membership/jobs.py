"""What the worker does for membership by the clock."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from alerts.membership.models import SignInCode
from alerts.membership.proving import place_holder
from ugly_mugs.database.engine import db
from ugly_mugs.jobs import Job
from ugly_mugs.outbox.models import Address, Channel
from ugly_mugs.runtime import runtime


def sweep_codes(now: datetime) -> None:
    """Forget codes whose time is over, and new addresses that were typed inside and never proved."""
    over = SignInCode.expires_at <= now
    typed_by = set(
        db.session.scalars(sa.select(SignInCode.wanted_by).where(over, SignInCode.wanted_by.is_not(None)))
    )
    db.session.execute(sa.delete(SignInCode).where(over).execution_options(synchronize_session=False))
    owners = [place_holder(each, channel) for each in typed_by if each for channel in Channel]
    if owners:
        still_asked = sa.exists().where(SignInCode.address_id == Address.id)
        db.session.execute(
            sa.delete(Address)
            .where(Address.owner_id.in_(owners), ~still_asked)
            .execution_options(synchronize_session=False)
        )


def sweep() -> None:
    sweep_codes(runtime().clock.now())
    db.session.commit()


JOBS = [Job("sweep sign-in codes", sweep, every=timedelta(minutes=10))]
