"""The hash that an approval binds: the texts, the audience, the channels and the times of a version."""

import json
from datetime import datetime

from alerts.publishing.models import Alert
from alerts.publishing.texts.contents import AlertContents, SealingKey, Texts, open_contents, open_texts
from ugly_mugs.vault import ServiceVault
from ugly_mugs.vault.encoding import from_text

HASH = 32


def hash_of(alert: Alert, contents: AlertContents, texts: Texts, *, vault: ServiceVault) -> bytes:
    """HMAC over every text and over everything that decides who gets it, how and when.

    The severity is included because it decides who is woken, and the change because a correction goes to everybody
    who may have got a former version.
    """
    rule = {
        "severity": contents.severity,
        "change": alert.change,
        "channels": sorted(contents.sent_by()),
        "not_before": _moment(alert.not_before),
        "expires_at": _moment(alert.expires_at),
    }
    parts = [
        b"alert",
        alert.id.bytes,
        contents.audience().canonical(),
        json.dumps(rule, sort_keys=True, separators=(",", ":")).encode(),
    ]
    for key in sorted(texts):
        parts += ["\0".join(key).encode(), texts[key].encode()]
    return vault.approval_hash(parts)


def current_hash(alert: Alert, sealing_key: SealingKey, *, vault: ServiceVault) -> bytes:
    """The approval hash of a version as it is stored now."""
    return hash_of(alert, open_contents(alert, sealing_key), open_texts(alert, sealing_key), vault=vault)


def draft_mark(alert: Alert, *, vault: ServiceVault) -> bytes:
    """Changes with every save of a draft, even when no text changes, because sealing is randomised."""
    return vault.approval_hash([b"draft", alert.id.bytes, alert.contents])


def from_page(text: str) -> bytes:
    """The hash that a page sent back; empty bytes, which equal no hash, when it is malformed."""
    return from_text(text, HASH) or b""


def _moment(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp())
