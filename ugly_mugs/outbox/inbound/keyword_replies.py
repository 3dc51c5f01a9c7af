"""Replies to STOP and HELP where the provider has not replied already.

The provider replies to its own keywords, and a second reply would confuse. But it matches whole messages only:
"stop please" or "parar" reach us unanswered, stop everything here, and get one short confirmation.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

import sqlalchemy as sa
from flask import render_template

from ugly_mugs.database.statements import exists
from ugly_mugs.outbox import ledger, segments
from ugly_mugs.outbox.models import AddressState, Channel, Delivery, MessageKind
from ugly_mugs.outbox.registry import Claimed, MessageKindSpec, MessageText, Priority
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import WorkerVault
from ugly_mugs.web.page_language import in_language

# A reply that is later than this is not sent.
LIFE = timedelta(minutes=10)
ONE_EACH = timedelta(hours=1)


def queue(
    kind: MessageKind, *, vault: WorkerVault, subject_id: uuid.UUID, recipient_id: uuid.UUID, now: datetime
) -> None:
    """Queue a reply. The caller commits, that to STOP together with the opt-out."""
    recent = Delivery.not_before > now - ONE_EACH
    if exists(Delivery.recipient_id == recipient_id, Delivery.kind == kind, recent):
        # Prevents an endless exchange with a phone that replies automatically.
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


def _texts_of(template: str, claimed: Sequence[Claimed]) -> Mapping[uuid.UUID, MessageText | None]:
    link = runtime().settings.link_url
    by_language: dict[str, MessageText] = {}
    for language in {delivery.language for delivery in claimed}:
        with in_language(language):
            text = " ".join(render_template(template, link=link).split())
        by_language[language] = MessageText(text=segments.downgrade(text, language))
    # The gate of these kinds is always true. The sealed body proves that the worker queued the delivery: the web
    # cannot seal one (see `queue`).
    return {
        delivery.id: by_language[delivery.language] if delivery.body == delivery.kind.value.encode() else None
        for delivery in claimed
    }


STOP_ANSWER = MessageKindSpec(
    kind=MessageKind.STOP_ANSWER,
    gate=sa.true,
    texts_of=partial(_texts_of, "messages/stop_answer.txt"),
    first_class=True,
    # The only message that may be sent after an opt-out: it confirms it.
    reaches=frozenset({AddressState.OPTED_OUT}),
)

HELP_ANSWER = MessageKindSpec(
    kind=MessageKind.HELP_ANSWER,
    gate=sa.true,
    texts_of=partial(_texts_of, "messages/help_answer.txt"),
    first_class=True,
    reaches=frozenset({AddressState.UNPROVED, AddressState.PROVED}),
)
