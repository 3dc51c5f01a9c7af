"""Signing in with a code, as the web does it: draw the code, hand it over, and judge the digits that come back.

A code counts only in the browser session that asked for it: what is kept of it needs a secret that only the
session's own sealed contents hold. Whether the address is anybody's is the worker's to find out.
"""

import hmac
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from alerts.membership.models import MEMBER_MOVES, Member, MemberState, SignInCode
from ugly_mugs.database.engine import db
from ugly_mugs.outbox import addresses
from ugly_mugs.outbox.inbound import handovers
from ugly_mugs.outbox.models import Address, AddressState, Channel, HandoverKind
from ugly_mugs.vault import ServiceVault
from ugly_mugs.vault.encoding import from_text, to_text

LIFE = timedelta(minutes=10)
TRIES = 5
_SECRET = 32


@dataclass(frozen=True)
class Asked:
    """What the browser's session keeps of a code it asked for."""

    code_id: uuid.UUID
    secret: bytes = field(repr=False)

    def contents(self) -> dict[str, str]:
        return {"code_id": self.code_id.hex, "secret": to_text(self.secret)}

    @classmethod
    def of(cls, contents: Mapping[str, Any]) -> "Asked | None":
        """What a session holds; None when it asked for no code."""
        secret = from_text(contents.get("secret", ""), _SECRET)
        return None if secret is None else cls(uuid.UUID(hex=contents["code_id"]), secret)


class Verdict(StrEnum):
    RIGHT = "right"
    WRONG = "wrong"
    OVER = "over"  # used, too old, or tried too often


@dataclass(frozen=True)
class Tried:
    verdict: Verdict
    tries_left: int = 0
    address_id: uuid.UUID | None = None


def ask(
    *,
    vault: ServiceVault,
    channel: Channel,
    address: str,
    language: str,
    now: datetime,
    wanted_by: uuid.UUID | None = None,
) -> Asked:
    """Draw a code and hand it to the worker with the address; the same is written for any address.

    `wanted_by` is the member who gives a new address from inside.
    """
    asked = Asked(uuid.uuid4(), secrets.token_bytes(_SECRET))
    code = f"{secrets.randbelow(10**6):06d}"
    db.session.add(
        SignInCode(
            id=asked.code_id,
            code=vault.code_mac(asked.code_id, asked.secret, code),
            tries_left=TRIES,
            expires_at=now + LIFE,
            wanted_by=wanted_by,
        )
    )
    payload = {
        "code_id": asked.code_id.hex,
        "code": code,
        "channel": channel.value,
        "address": address,
        "language": language,
    }
    handovers.hand_over(vault=vault, kind=HandoverKind.CODE_WANTED, payload=payload, now=now)
    return asked


def try_code(
    *, vault: ServiceVault, asked: Asked, typed: str, now: datetime, wanted_by: uuid.UUID | None = None
) -> Tried:
    """Take one of the tries, whatever was typed; the right digits delete the code."""
    row = db.session.execute(
        sa.update(SignInCode)
        .where(
            SignInCode.id == asked.code_id,
            SignInCode.tries_left > 0,
            SignInCode.expires_at > now,
            SignInCode.wanted_by.is_(None) if wanted_by is None else SignInCode.wanted_by == wanted_by,
        )
        .values(tries_left=SignInCode.tries_left - 1)
        .returning(SignInCode.code, SignInCode.tries_left, SignInCode.address_id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if row is None:
        return Tried(Verdict.OVER)
    digits = "".join(c for c in typed if c.isdecimal() and c.isascii())
    right = hmac.compare_digest(row.code, vault.code_mac(asked.code_id, asked.secret, digits))
    if not right or row.address_id is None:
        return Tried(Verdict.WRONG if row.tries_left else Verdict.OVER, row.tries_left)
    db.session.execute(sa.delete(SignInCode).where(SignInCode.id == asked.code_id))
    return Tried(Verdict.RIGHT, address_id=row.address_id)


def sign_in(*, address_id: uuid.UUID) -> uuid.UUID | None:
    """The member whose address the right code came to; it is proved now. None when it is nobody's any more."""
    owner_id = db.session.scalar(sa.select(Address.owner_id).where(Address.id == address_id))
    member = None if owner_id is None else locked_member(owner_id)
    # Held, as the worker may be closing it for a STOP at this moment.
    address = db.session.get(Address, address_id, with_for_update=True, populate_existing=True)
    if member is None or address is None or address.owner_id != member.id or is_for_inside(address):
        return None
    prove(address)
    db.session.flush()
    become_active(member)
    return member.id


def is_for_inside(address: Address) -> bool:
    """Whether only its owner, signed in, may prove it: they have proved another one.

    Anybody can write somebody else's number into an application of their own. Its code would then bring that
    somebody into the stranger's membership, and warnings to them that they never asked for.
    """
    another = sa.exists().where(
        Address.owner_id == address.owner_id, Address.id != address.id, Address.state == AddressState.PROVED
    )
    return address.state is not AddressState.PROVED and bool(db.session.scalar(sa.select(another)))


def prove(address: Address) -> None:
    """The right code was typed. Mails that were stopped may come again, texts only after START from the phone."""
    if address.state is AddressState.OPTED_OUT and address.channel is Channel.EMAIL:
        addresses.start_again(address)
    addresses.prove(address)


def locked_member(member_id: uuid.UUID) -> Member | None:
    """The member, held until the end of the transaction: proving and vetting must not pass each other by."""
    # In a way that lets others write rows which refer to the member: whoever takes in a STOP holds the address, which
    # is locked after the member here, and then records the consent's end. Each would wait for the other.
    return db.session.get(Member, member_id, with_for_update={"key_share": True}, populate_existing=True)


def become_active(member: Member) -> None:
    """Somebody accepted with a proved address gets warnings; so does again whoever had lapsed."""
    if member.state not in (MemberState.VETTED, MemberState.LAPSED):
        return
    proved = sa.exists().where(Address.owner_id == member.id, Address.state == AddressState.PROVED)
    if db.session.scalar(sa.select(proved)):
        MEMBER_MOVES.move(member, MemberState.ACTIVE)
