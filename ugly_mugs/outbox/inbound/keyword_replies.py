"""What we answer when somebody texts STOP or HELP, where the provider has not answered already.

On a number the provider answers its own keywords by itself, and a second answer would only confuse. It matches
whole messages, though: "stop please" or "parar" reach only us, stop everything here, and deserve one short word
that they did.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

import sqlalchemy as sa
from flask import render_template

from ugly_mugs.database.engine import db
from ugly_mugs.outbox import ledger, segments
from ugly_mugs.outbox.models import AddressState, Channel, Delivery, MessageKind
from ugly_mugs.outbox.registry import Claimed, MessageKindSpec, Priority, Words
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import WorkerVault
from ugly_mugs.web.languages import in_language

# An answer that comes later than this answers nothing any more.
LIFE = timedelta(minutes=10)
ONE_EACH = timedelta(hours=1)


def queue_stop_answer(
    *, vault: WorkerVault, subject_id: uuid.UUID, recipient_id: uuid.UUID, now: datetime
) -> None:
    """Tell somebody that nothing more will come; the caller commits it with the opt-out itself."""
    _queue(MessageKind.STOP_ANSWER, vault, subject_id, recipient_id, now)


def queue_help_answer(
    *, vault: WorkerVault, subject_id: uuid.UUID, recipient_id: uuid.UUID, now: datetime
) -> None:
    """Say who writes and how to stop it; the caller commits."""
    _queue(MessageKind.HELP_ANSWER, vault, subject_id, recipient_id, now)


def _queue(
    kind: MessageKind, vault: WorkerVault, subject_id: uuid.UUID, recipient_id: uuid.UUID, now: datetime
) -> None:
    lately = sa.exists(Delivery.id).where(
        Delivery.recipient_id == recipient_id, Delivery.kind == kind, Delivery.not_before > now - ONE_EACH
    )
    if db.session.scalar(sa.select(lately)):
        # A phone that answers by itself would otherwise talk with us for ever.
        return
    ledger.enqueue(
        kind=kind,
        subject_id=subject_id,
        recipient_id=recipient_id,
        channel=Channel.SMS,
        priority=Priority.FIRST,
        not_before=now,
        expires_at=now + LIFE,
        body=kind.value.encode(),
        vault=vault,
    )


def _words(template: str, claimed: Sequence[Claimed]) -> Mapping[uuid.UUID, Words | None]:
    link = runtime().settings.link_url
    said: dict[str, Words] = {}
    for language in {each.language for each in claimed}:
        with in_language(language):
            text = " ".join(render_template(template, link=link).split())
        said[language] = Words(text=segments.downgrade(text, language))
    # Its gate asks nothing, so only what the worker itself has queued may leave: the body is its seal.
    return {
        each.id: said[each.language] if each.body == each.kind.value.encode() else None for each in claimed
    }


STOP_ANSWER = MessageKindSpec(
    kind=MessageKind.STOP_ANSWER,
    gate=sa.true,
    words=partial(_words, "messages/stop_answer.txt"),
    first_class=True,
    # The one message that may follow an opt-out, and only because it was asked for that very moment.
    reaches=frozenset({AddressState.OPTED_OUT}),
)

HELP_ANSWER = MessageKindSpec(
    kind=MessageKind.HELP_ANSWER,
    gate=sa.true,
    words=partial(_words, "messages/help_answer.txt"),
    first_class=True,
    reaches=frozenset({AddressState.UNPROVED, AddressState.PROVED}),
)
