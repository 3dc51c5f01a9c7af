"""What an approval binds: exactly these texts, this audience, these channels and these times, and nothing else."""

import json
from datetime import datetime
from uuid import UUID

from alerts.publishing.models import Change
from alerts.publishing.texts.contents import AlertContents, Texts
from ugly_mugs.vault import ServiceVault
from ugly_mugs.vault.encoding import from_text, to_text

HASH = 32


def hash_of(
    alert_id: UUID,
    *,
    change: Change,
    contents: AlertContents,
    texts: Texts,
    not_before: datetime | None,
    expires_at: datetime | None,
    vault: ServiceVault,
) -> bytes:
    """Changes with every letter of every text, and with everything that decides who gets it, how and when.

    The severity is part of the audience rule, because it decides who is woken; the change is, because a
    correction goes to everybody who may have got a former version.
    """
    rule = {
        "severity": contents.severity,
        "change": change,
        "channels": sorted(contents.sent_by()),
        "not_before": _moment(not_before),
        "expires_at": _moment(expires_at),
    }
    parts = [
        b"alert",
        alert_id.bytes,
        contents.audience().canonical(),
        json.dumps(rule, sort_keys=True, separators=(",", ":")).encode(),
    ]
    for key in sorted(texts):
        parts += ["\0".join(key).encode(), texts[key].encode()]
    return vault.approval_hash(parts)


def as_text(seen: bytes) -> str:
    """The hash as a page carries it."""
    return to_text(seen)


def from_page(text: str) -> bytes:
    """What a page carried; bytes that equal no hash when somebody changed it."""
    return from_text(text, HASH) or b""


def _moment(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp())
