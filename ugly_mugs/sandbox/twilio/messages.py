"""A text as Twilio's API shows it, and the list of texts: filtered, newest first, in pages.

A page token names the last text shown, so the pages stay the same while new texts arrive.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from ugly_mugs.sandbox.memory import Kind, Memory, Text
from ugly_mugs.sandbox.twilio.segments import count_segments

ROOT = "/2010-04-01/Accounts"
FILTERS = frozenset(("To", "From", "DateSent", "DateSent<", "DateSent>"))
PAGING = frozenset(("PageSize", "Page", "PageToken"))
ERROR_MESSAGES = {
    30003: "Unreachable destination handset",
    30005: "Unknown destination handset",
    30006: "Landline or unreachable carrier",
    30007: "Message filtered",
    30008: "Unknown error",
}


class UnknownFilter(ValueError):
    """The list was asked for something that the sandbox does not imitate."""


def message_as_json(text: Text, account_sid: str) -> dict[str, Any]:
    status = text.status()
    when = _rfc2822(int(text.accepted_at))
    uri = f"{ROOT}/{account_sid}/Messages/{text.sid}"
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


def message_page(memory: Memory, account_sid: str, query: Mapping[str, str]) -> dict[str, Any]:
    """One page of the list; raises UnknownFilter for a query that the sandbox does not understand."""
    unknown = query.keys() - FILTERS - PAGING
    if unknown:
        raise UnknownFilter(", ".join(sorted(unknown)))
    try:
        date_filters = _date_filters(query)
        size = min(max(int(query.get("PageSize", "50")), 1), 1000)
        page = int(query.get("Page", "0"))
        before = int(query["PageToken"].removeprefix("PASM"), 16) if "PageToken" in query else None
    except ValueError:
        raise UnknownFilter(urlencode(query)) from None

    texts: list[Text] = []
    for text in _candidates(memory, query):
        if before is not None and text.place >= before:
            continue
        if not text.deleted and all(matches(text) for matches in date_filters):
            texts.append(text)
            if len(texts) > size:
                break
    return _page_as_json(texts, account_sid, query, size=size, page=page)


def _page_as_json(
    texts: list[Text], account_sid: str, query: Mapping[str, str], *, size: int, page: int
) -> dict[str, Any]:
    """`texts` may hold one more than the page, which shows that another page follows."""
    path = f"{ROOT}/{account_sid}/Messages.json"
    filters = {name: value for name, value in query.items() if name in FILTERS} | {"PageSize": str(size)}
    following = None
    if len(texts) > size:
        texts = texts[:size]
        token = {"Page": str(page + 1), "PageToken": f"PASM{texts[-1].place:x}"}
        following = f"{path}?{urlencode(filters | token)}"
    return {
        "first_page_uri": f"{path}?{urlencode(filters | {'Page': '0'})}",
        "next_page_uri": following,
        "previous_page_uri": None,
        "uri": f"{path}?{urlencode(query)}" if query else path,
        "page": page,
        "page_size": size,
        "start": page * size,
        "end": page * size + max(len(texts) - 1, 0),
        "messages": [message_as_json(text, account_sid) for text in texts],
    }


def _candidates(memory: Memory, query: Mapping[str, str]) -> Iterator[Text]:
    """Newest first: the texts of one phone when a filter names one, otherwise all of them."""
    to, sender = query.get("To"), query.get("From")
    texts = memory.texts
    for phone in (to, sender):
        if phone in memory.phones:
            texts = memory.phones[phone]
            break
    return (text for text in reversed(texts) if to in (None, text.to) and sender in (None, text.sender))


def _date_filters(query: Mapping[str, str]) -> list[Callable[[Text], bool]]:
    filters: list[Callable[[Text], bool]] = []
    if "DateSent" in query:
        start, length = _moment(query["DateSent"])
        end = start + length
        filters.append(lambda text: start <= text.accepted_at < end)
    if "DateSent<" in query:
        latest, length = _moment(query["DateSent<"])
        # A date means its midnight; a second is included whole, as Twilio's dates carry no fraction.
        limit = latest + (length if length == 1 else 0)
        filters.append(lambda text: text.accepted_at < limit)
    if "DateSent>" in query:
        earliest, _ = _moment(query["DateSent>"])
        filters.append(lambda text: text.accepted_at >= earliest)
    return filters


def _moment(written: str) -> tuple[float, float]:
    """When a written date or second begins (seconds since 1970), and how many seconds it lasts."""
    if len(written) == 10:
        return datetime.strptime(written, "%Y-%m-%d").replace(tzinfo=UTC).timestamp(), 86_400.0
    moment = datetime.fromisoformat(written)
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.timestamp(), 1.0
