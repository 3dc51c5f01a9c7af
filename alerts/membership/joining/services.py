"""Takes an application: the name sealed for those who vet, the addresses for the worker; sent twice it is one.

Nothing here knows whether an address is a member's already, and nothing it writes shows it.
"""

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from alerts.membership import consents
from alerts.membership.models import (
    Level,
    Member,
    MemberRegion,
    MemberSector,
    MemberState,
    Sector,
    Subscription,
)
from ugly_mugs.accounts.models import MemberKind
from ugly_mugs.database.engine import db, is_sqlite
from ugly_mugs.outbox import addresses
from ugly_mugs.outbox.inbound import handovers
from ugly_mugs.outbox.models import Channel, HandoverKind
from ugly_mugs.vault import FormToken, PublicKey, ServiceVault, Where
from ugly_mugs.vault.padding import NAME

FORM = "join"
"""The purpose of this form's tokens."""


@dataclass(frozen=True)
class Application:
    """What somebody wrote who wants to join; addresses in their one way to be written."""

    working_name: str = field(repr=False)
    kind: MemberKind
    addresses: Mapping[Channel, str] = field(repr=False)
    ticked: frozenset[Channel]
    regions: tuple[str, ...]
    sectors: tuple[Sector, ...]
    language: str
    level: Level
    wake_for_danger: bool


def apply(
    *,
    vault: ServiceVault,
    epoch_id: uuid.UUID,
    epoch_public: PublicKey,
    token: FormToken,
    application: Application,
    now: datetime,
) -> bool:
    """Write it down; False when this very form was sent before, and nothing was written now."""
    member_id = uuid.uuid4()
    name = application.working_name.encode()
    row = {
        "id": member_id,
        "state": MemberState.APPLIED,
        "kind": application.kind,
        "language": application.language,
        "level": application.level,
        "wake_for_danger": application.wake_for_danger,
        "locator": locator(vault, token, application),
        "epoch_id": epoch_id,
        "working_name": epoch_public.seal(name, Where("members", "working_name", member_id), sizes=NAME),
        "applied_on": now.date(),
    }
    insert = sqlite.insert if is_sqlite() else postgresql.insert
    written = db.session.execute(
        insert(Member).values(row).on_conflict_do_nothing(index_elements=["locator"]).returning(Member.id)
    ).scalar()
    if written is None:
        return False
    db.session.add_all(MemberRegion(member_id=member_id, region=each) for each in application.regions)
    db.session.add_all(MemberSector(member_id=member_id, sector=each) for each in application.sectors)
    for channel, address in application.addresses.items():
        given = addresses.give(vault=vault, owner_id=member_id, channel=channel, address=address)
        payload = {"address_id": given.id.hex}
        handovers.hand_over(vault=vault, kind=HandoverKind.ADDRESS_GIVEN, payload=payload, now=now)
        db.session.add(Subscription(member_id=member_id, channel=channel, live=False))
    for channel in application.addresses:
        if channel in application.ticked:
            consents.give(member_id=member_id, channel=channel, language=application.language, now=now)
    return True


def is_known(*, vault: ServiceVault, token: FormToken, application: Application) -> bool:
    """Whether this very form was sent before."""
    known = sa.exists().where(Member.locator == locator(vault, token, application))
    return bool(db.session.scalar(sa.select(known)))


def locator(vault: ServiceVault, token: FormToken, application: Application) -> bytes:
    """Of the token and of everything written: whoever goes back to mend a number sends another application."""
    written: list[Any] = [
        application.working_name,
        application.kind,
        sorted(application.addresses.items()),
        sorted(application.ticked),
        application.regions,
        application.sectors,
        application.language,
        application.level,
        application.wake_for_danger,
    ]
    digest = hashlib.sha256(json.dumps(written).encode()).digest()
    return vault.keyed("form-token", b"application", token.value, digest)
