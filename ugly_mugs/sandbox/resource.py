"""A text as the provider's API shows it."""

from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Any

from ugly_mugs.sandbox.memory import Kind, Text
from ugly_mugs.sandbox.segments import count_segments

ERROR_MESSAGES = {
    30003: "Unreachable destination handset",
    30005: "Unknown destination handset",
    30006: "Landline or unreachable carrier",
    30007: "Message filtered",
    30008: "Unknown error",
}


def as_resource(text: Text, account_sid: str) -> dict[str, Any]:
    status = text.status()
    when = _rfc2822(int(text.accepted_at))
    uri = f"/2010-04-01/Accounts/{account_sid}/Messages/{text.sid}"
    code = text.error_code if status in ("undelivered", "failed") else None
    return {
        "account_sid": account_sid,
        "api_version": "2010-04-01",
        "body": "" if text.redacted else text.body,
        "date_created": when,
        "date_sent": None if status in ("accepted", "queued") else when,
        "date_updated": when,
        "direction": text.kind.value,
        "error_code": code,
        "error_message": ERROR_MESSAGES.get(code, "Unknown error") if code else None,
        "from": text.sender,
        "messaging_service_sid": text.service,
        "num_media": "0",
        "num_segments": str(count_segments(text.body)) if text.kind is Kind.SERVICE else "1",
        "price": None,
        "price_unit": "GBP",
        "sid": text.sid,
        "status": status,
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": text.to,
        "uri": f"{uri}.json",
    }


@lru_cache(maxsize=512)
def _rfc2822(seconds: int) -> str:
    return format_datetime(datetime.fromtimestamp(seconds, UTC))
