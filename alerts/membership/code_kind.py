"""Sign-in codes as a kind of message: sent only to the address typed, while the code is valid."""

import uuid
from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from flask import render_template

from alerts.membership.models import SignInCode
from ugly_mugs.outbox import segments
from ugly_mugs.outbox.models import Address, AddressState, Channel, Delivery, MessageKind
from ugly_mugs.outbox.registry import CLAIM_TIME, Claimed, MessageKindSpec, MessageText
from ugly_mugs.web.page_language import in_language


def gate() -> sa.ColumnElement[bool]:
    """The code is still valid, and its address is still the one that this delivery would reach."""
    return sa.exists().where(
        SignInCode.id == Delivery.subject_id,
        SignInCode.expires_at > CLAIM_TIME,
        SignInCode.tries_left > 0,
        Address.id == SignInCode.address_id,
        Address.owner_id == Delivery.recipient_id,
        Address.channel == Delivery.channel,
        # After STOP no texts at all; an e-mail address has no way back but a code.
        sa.or_(Address.state != AddressState.OPTED_OUT, Address.channel == Channel.EMAIL),
    )


def texts_of(claimed: Sequence[Claimed]) -> Mapping[uuid.UUID, MessageText | None]:
    """The message of each code; None when its digits are gone."""
    return {delivery.id: _text_of(delivery) for delivery in claimed}


def segments_of(digits: str, language: str) -> int:
    return segments.count(_sms(digits, language)).segments


def _text_of(claimed: Claimed) -> MessageText | None:
    if claimed.body is None:
        return None
    digits = claimed.body.decode()
    if claimed.channel is Channel.SMS:
        return MessageText(text=_sms(digits, claimed.language))
    with in_language(claimed.language):
        return MessageText(
            text=render_template("messages/code_mail.txt", code=_spaced(digits)).strip() + "\n",
            subject=render_template("messages/code_mail_subject.txt").strip(),
        )


def _sms(digits: str, language: str) -> str:
    with in_language(language):
        text = " ".join(render_template("messages/code.txt", code=_spaced(digits)).split())
    return segments.downgrade(text, language)


def _spaced(digits: str) -> str:
    """The digits in two groups, which are easier to remember while typing."""
    return f"{digits[:3]} {digits[3:]}"


CODE = MessageKindSpec(
    kind=MessageKind.CODE,
    gate=gate,
    texts_of=texts_of,
    first_class=True,
    # A code proves an address, so it may go to addresses that nothing else may be sent to.
    reaches=frozenset({AddressState.UNPROVED, AddressState.PROVED, AddressState.OPTED_OUT}),
)
