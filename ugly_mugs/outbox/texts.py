"""The texts of claimed deliveries, read from their kind; a subject that the kind calls unfit is stopped."""

import logging
import uuid
from collections.abc import Sequence

from ugly_mugs.database.engine import db
from ugly_mugs.outbox.registry import Claimed, MessageKindSpec, MessageText, Unfit

log = logging.getLogger(__name__)


def texts_of(spec: MessageKindSpec, claimed: Sequence[Claimed]) -> dict[uuid.UUID, MessageText]:
    """The texts of deliveries of one kind, by delivery id; those without an entry must not be sent.

    Reading and deciding are two transactions: the kind reads, then each subject that is unfit is stopped and that
    is committed. Whatever the kind raises is raised here.
    """
    try:
        texts = spec.texts_of(claimed)
    finally:
        # Kinds read through the session; no transaction may stay open while messages are sent.
        db.session.remove()
    reasons = {
        delivery.subject_id: text.reason
        for delivery in claimed
        if isinstance(text := texts.get(delivery.id), Unfit)
    }
    for subject_id, reason in reasons.items():
        log.error(
            "a subject is not fit to be sent and is stopped",
            extra={"kind": spec.kind.value, "reason": reason},
        )
        _stop(spec, subject_id)
    return {delivery_id: text for delivery_id, text in texts.items() if isinstance(text, MessageText)}


def _stop(spec: MessageKindSpec, subject_id: uuid.UUID) -> None:
    if spec.stop is None:
        return
    try:
        spec.stop(subject_id)
        # Committed here, because a subject stays stopped whatever becomes of the deliveries of this claim.
        db.session.commit()
    finally:
        db.session.remove()
