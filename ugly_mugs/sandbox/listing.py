"""The provider's list of messages: filtered, newest first, in pages that stay put while new texts arrive."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from ugly_mugs.sandbox.errors import refusal
from ugly_mugs.sandbox.memory import Memory, Text
from ugly_mugs.sandbox.resource import as_resource
from ugly_mugs.sandbox.wire import Reply, Request

FILTERS = frozenset(("To", "From", "DateSent", "DateSent<", "DateSent>"))
PAGING = frozenset(("PageSize", "Page", "PageToken"))


def list_page(memory: Memory, account_sid: str, request: Request) -> Reply:
    asked = request.asked()
    try:
        keeps = _date_filters(asked)
        size = min(max(int(asked.get("PageSize", "50")), 1), 1000)
        page = int(asked.get("Page", "0"))
        before = int(asked["PageToken"].removeprefix("PASM"), 16) if "PageToken" in asked else None
    except ValueError:
        return refusal(400, 20001, request.query)
    if not asked.keys() <= FILTERS | PAGING:
        return refusal(400, 20001, ", ".join(sorted(asked.keys() - FILTERS - PAGING)))

    found: list[Text] = []
    for text in _candidates(memory, asked):
        if before is not None and text.place >= before:
            continue
        if not text.deleted and all(keep(text) for keep in keeps):
            found.append(text)
            if len(found) > size:
                break

    path = f"/2010-04-01/Accounts/{account_sid}/Messages.json"
    chosen = {name: value for name, value in asked.items() if name in FILTERS} | {"PageSize": str(size)}
    following = None
    if len(found) > size:
        found.pop()
        token = {"Page": str(page + 1), "PageToken": f"PASM{found[-1].place:x}"}
        following = f"{path}?{urlencode(chosen | token)}"
    content = {
        "first_page_uri": f"{path}?{urlencode(chosen | {'Page': '0'})}",
        "next_page_uri": following,
        "previous_page_uri": None,
        "uri": f"{path}?{request.query}" if request.query else path,
        "page": page,
        "page_size": size,
        "start": page * size,
        "end": page * size + max(len(found) - 1, 0),
        "messages": [as_resource(text, account_sid) for text in found],
    }
    return Reply(200, json.dumps(content).encode())


def _candidates(memory: Memory, asked: dict[str, str]) -> Iterator[Text]:
    """The texts of one phone when a filter names one, otherwise all of them, newest first."""
    to, sender = asked.get("To"), asked.get("From")
    thread = memory.texts
    for phone in (to, sender):
        if phone in memory.phones:
            thread = memory.phones[phone]
            break
    return (text for text in reversed(thread) if to in (None, text.to) and sender in (None, text.sender))


def _date_filters(asked: dict[str, str]) -> list[Callable[[Text], bool]]:
    keeps: list[Callable[[Text], bool]] = []
    if "DateSent" in asked:
        start, length = _moment(asked["DateSent"])
        end = start + length
        keeps.append(lambda text: start <= text.accepted_at < end)
    if "DateSent<" in asked:
        latest, second = _moment(asked["DateSent<"])
        # A bare day means its midnight; a second is meant to its end, as dates carry no fraction.
        limit = latest + (second if second == 1 else 0)
        keeps.append(lambda text: text.accepted_at < limit)
    if "DateSent>" in asked:
        earliest, _ = _moment(asked["DateSent>"])
        keeps.append(lambda text: text.accepted_at >= earliest)
    return keeps


def _moment(written: str) -> tuple[float, float]:
    """The start, in seconds since 1970, and the length of the day or second that is written there."""
    if len(written) == 10:
        return datetime.strptime(written, "%Y-%m-%d").replace(tzinfo=UTC).timestamp(), 86_400.0
    moment = datetime.fromisoformat(written)
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.timestamp(), timedelta(seconds=1).total_seconds()
