"""The web's part in signing in with a code: draw the code, hand it to the worker, and check the digits typed.

A code is valid only in the browser session that requested it: the stored MAC needs a secret that is only in the
session's sealed contents. The worker, not the web, finds out whether the address belongs to a member.
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
from ugly_mugs.database.statements import exists
from ugly_mugs.outbox import addresses
from ugly_mugs.outbox.inbound import handovers
from ugly_mugs.outbox.models import Address, AddressState, Channel, HandoverKind
from ugly_mugs.vault import ServiceVault
from ugly_mugs.vault.encoding import from_text, to_text

LIFE = timedelta(minutes=10)
TRIES = 5
_SECRET = 32


@dataclass(frozen=True)
class CodeRequest:
    """A requested code, as the browser's session keeps it."""

    code_id: uuid.UUID
    secret: bytes = field(repr=False)

    def contents(self) -> dict[str, str]:
        return {"code_id": self.code_id.hex, "secret": to_text(self.secret)}

    @classmethod
    def read(cls, contents: Mapping[str, Any]) -> "CodeRequest | None":
        """The request in a session's contents; None when there is none."""
        secret = from_text(contents.get("secret", ""), _SECRET)
        return None if secret is None else cls(uuid.UUID(hex=contents["code_id"]), secret)


class Verdict(StrEnum):
    RIGHT = "right"
    WRONG = "wrong"
    OVER = "over"  # used, expired, or no tries left


@dataclass(frozen=True)
class CodeAttempt:
    verdict: Verdict
    tries_left: int = 0
    address_id: uuid.UUID | None = None


def request_code(
    *,
    vault: ServiceVault,
    channel: Channel,
    address: str,
    language: str,
    now: datetime,
    wanted_by: uuid.UUID | None = None,
) -> CodeRequest:
    """Draw a code and hand it to the worker with the address; the rows written are the same for any address.

    `wanted_by` is the signed-in member who adds an address; None for signing in.
    """
    requested = CodeRequest(uuid.uuid4(), secrets.token_bytes(_SECRET))
    code = f"{secrets.randbelow(10**6):06d}"
    db.session.add(
        SignInCode(
            id=requested.code_id,
            code=vault.code_mac(requested.code_id, requested.secret, code),
            tries_left=TRIES,
            expires_at=now + LIFE,
            wanted_by=wanted_by,
        )
    )
    payload = {
        "code_id": requested.code_id.hex,
        "code": code,
        "channel": channel.value,
        "address": address,
        "language": language,
    }
    handovers.hand_over(vault=vault, kind=HandoverKind.CODE_WANTED, payload=payload, now=now)
    return requested


def try_code(
    *,
    vault: ServiceVault,
    requested: CodeRequest,
    typed: str,
    now: datetime,
    wanted_by: uuid.UUID | None = None,
) -> CodeAttempt:
    """Check the digits typed. Always uses up a try; the right digits delete the code."""
    row = db.session.execute(
        sa.update(SignInCode)
        .where(
            SignInCode.id == requested.code_id,
            SignInCode.tries_left > 0,
            SignInCode.expires_at > now,
            SignInCode.wanted_by.is_(None) if wanted_by is None else SignInCode.wanted_by == wanted_by,
        )
        .values(tries_left=SignInCode.tries_left - 1)
        .returning(SignInCode.code, SignInCode.tries_left, SignInCode.address_id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if row is None:
        return CodeAttempt(Verdict.OVER)
    digits = "".join(character for character in typed if character.isdecimal() and character.isascii())
    right = hmac.compare_digest(row.code, vault.code_mac(requested.code_id, requested.secret, digits))
    if not right or row.address_id is None:
        return CodeAttempt(Verdict.WRONG if row.tries_left else Verdict.OVER, row.tries_left)
    db.session.execute(sa.delete(SignInCode).where(SignInCode.id == requested.code_id))
    return CodeAttempt(Verdict.RIGHT, address_id=row.address_id)


def sign_in(*, address_id: uuid.UUID) -> uuid.UUID | None:
    """Prove the address, and give its member; None when it no longer belongs to a member who may sign in with it."""
    owner_id = db.session.scalar(sa.select(Address.owner_id).where(Address.id == address_id))
    member = None if owner_id is None else locked_member(owner_id)
    # Locked, because the worker may be opting it out after a STOP at this moment.
    address = db.session.get(Address, address_id, with_for_update=True, populate_existing=True)
    if member is None or address is None or address.owner_id != member.id or is_unproved_extra(address):
        return None
    prove(address)
    db.session.flush()
    become_active(member)
    return member.id


def is_unproved_extra(address: Address) -> bool:
    """Whether the address is unproved and its owner has proved another one: only the signed-in owner may prove it.

    Anybody can put another person's number into their own application. A sign-in code sent there would let that
    person into the applicant's membership, and they would get warnings that they never asked for.
    """
    return address.state is not AddressState.PROVED and exists(
        Address.owner_id == address.owner_id, Address.id != address.id, Address.state == AddressState.PROVED
    )


def prove(address: Address) -> None:
    """Mark as proved, after the right code. This lifts an opt-out from e-mails; texts need START from the phone."""
    if address.state is AddressState.OPTED_OUT and address.channel is Channel.EMAIL:
        addresses.start_again(address)
    addresses.prove(address)


def locked_member(member_id: uuid.UUID) -> Member | None:
    """The member, locked until the end of the transaction, so that proving and vetting see each other's result."""
    # FOR NO KEY UPDATE lets others insert rows that refer to the member. A full lock would deadlock: here the member is
    # locked before the address, but a STOP locks the address first and then inserts the member's consent record.
    return db.session.get(Member, member_id, with_for_update={"key_share": True}, populate_existing=True)


def become_active(member: Member) -> None:
    """Make an accepted or lapsed member active if they have a proved address."""
    if member.state not in (MemberState.VETTED, MemberState.LAPSED):
        return
    if exists(Address.owner_id == member.id, Address.state == AddressState.PROVED):
        MEMBER_MOVES.move(member, MemberState.ACTIVE)
