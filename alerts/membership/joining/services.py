"""Takes applications: the name is sealed for member admins, the addresses for the worker; a resent form is ignored.

This code cannot tell whether an address belongs to a member already, so nothing it writes shows that.
"""

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

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
from ugly_mugs.database.engine import db
from ugly_mugs.database.statements import exists, insert
from ugly_mugs.outbox import addresses
from ugly_mugs.outbox.inbound import handovers
from ugly_mugs.outbox.models import Channel, HandoverKind
from ugly_mugs.vault import FormToken, PublicKey, ServiceVault, Where
from ugly_mugs.vault.padding import NAME

FORM = "join"
"""The purpose of this form's tokens."""


@dataclass(frozen=True)
class Application:
    """A filled-in join form; the addresses are normalised."""

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
    """Store the application; False, without writing anything, when the same form was sent before."""
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
    inserted = db.session.execute(
        insert(Member).values(row).on_conflict_do_nothing(index_elements=["locator"]).returning(Member.id)
    ).scalar()
    if inserted is None:
        return False
    db.session.add_all(MemberRegion(member_id=member_id, region=region) for region in application.regions)
    db.session.add_all(MemberSector(member_id=member_id, sector=sector) for sector in application.sectors)
    for channel, address in application.addresses.items():
        row_of_address = addresses.give(vault=vault, owner_id=member_id, channel=channel, address=address)
        payload = {"address_id": row_of_address.id.hex}
        handovers.hand_over(vault=vault, kind=HandoverKind.ADDRESS_GIVEN, payload=payload, now=now)
        db.session.add(Subscription(member_id=member_id, channel=channel, live=False))
    for channel in application.addresses:
        if channel in application.ticked:
            consents.give(member_id=member_id, channel=channel, language=application.language, now=now)
    return True


def is_known(*, vault: ServiceVault, token: FormToken, application: Application) -> bool:
    """Whether the same form was sent before."""
    return exists(Member.locator == locator(vault, token, application))


def locator(vault: ServiceVault, token: FormToken, application: Application) -> bytes:
    """A keyed hash of the token and all answers: a form that was corrected and resent is a new application."""
    answers: list[Any] = [
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
    digest = hashlib.sha256(json.dumps(answers).encode()).digest()
    return vault.keyed("form-token", b"application", token.value, digest)
