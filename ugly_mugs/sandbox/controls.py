"""JSON for tests: what was received, newest first, and how the stand-in is to behave."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from ugly_mugs.sandbox.behaviour import WrongBehaviour
from ugly_mugs.sandbox.memory import Kind, Mail, Text
from ugly_mugs.sandbox.reading import read
from ugly_mugs.sandbox.replies import CannotReply
from ugly_mugs.sandbox.segments import count_segments
from ugly_mugs.sandbox.service import Service
from ugly_mugs.sandbox.wire import Reply, Request

ROOT = "/sandbox/"


class Controls:
    def __init__(self, service: Service) -> None:
        self._service = service

    async def answer(self, request: Request) -> Reply:
        try:
            return await self._answer(request)
        except (WrongBehaviour, CannotReply, ValueError) as problem:
            return _json(400, {"problem": str(problem)})

    async def _answer(self, request: Request) -> Reply:
        service = self._service
        match request.method, [unquote(part) for part in request.path[len(ROOT) :].split("/")]:
            case "GET", ["messages.json"]:
                return _json(200, self._messages(_limit(request)))
            case "GET", ["mails.json"]:
                return _json(200, self._mails(_limit(request)))
            case "GET", ["phones", name] if name.endswith(".json"):
                return _json(200, self._phone(name.removesuffix(".json")))
            case "POST", ["phones", phone, "reply"]:
                return await self._reply(phone, _object(request))
            case "GET", ["inboxes", name] if name.endswith(".json"):
                return _json(200, self._inbox(name.removesuffix(".json")))
            case "GET", ["callbacks.json"]:
                return _json(200, {"waiting": service.waiting, "answers": dict(service.caller.answers)})
            case "GET", ["behaviour"]:
                return _json(200, service.behaviour.as_json())
            case "POST", ["behaviour"]:
                service.behaviour.change(_object(request))
                return _json(200, service.behaviour.as_json())
            case "POST", ["reset"]:
                service.reset()
                return _json(200, {})
        return _json(404, {"problem": "The sandbox has nothing there."})

    def _messages(self, limit: int | None) -> dict[str, Any]:
        memory = self._service.memory
        found: list[Text] = []
        for text in reversed(memory.texts if limit != 0 else []):
            if text.kind is Kind.SERVICE:
                found.append(text)
                if len(found) == limit:
                    break
        return {"count": memory.from_service, "messages": [text_as_json(text) for text in found]}

    def _mails(self, limit: int | None) -> dict[str, Any]:
        memory = self._service.memory
        return {"count": memory.mail_count, "mails": [mail_as_json(mail) for mail in memory.mails(limit)]}

    def _phone(self, phone: str) -> dict[str, Any]:
        memory = self._service.memory
        thread = list(reversed(memory.phones.get(phone, [])))
        return {
            "phone": phone,
            "stopped": sorted(sender for sender, stopped in memory.blocks if stopped == phone),
            "messages": [text_as_json(text) for text in thread if text.kind is Kind.SERVICE],
            "thread": [text_as_json(text) for text in thread],
        }

    async def _reply(self, phone: str, wish: dict[str, Any]) -> Reply:
        body, to = wish.get("body"), wish.get("to")
        if not isinstance(body, str) or not (to is None or isinstance(to, str)):
            raise CannotReply("A reply needs a body, and may say to which number it goes.")
        text, answered = self._service.replies.send(phone, body, to)
        return _json(200, text_as_json(text) | {"webhook_status": await answered if answered else None})

    def _inbox(self, address: str) -> dict[str, Any]:
        mails = [mail_as_json(mail) for mail in self._service.memory.inbox(address)]
        return {"address": address, "count": len(mails), "mails": mails}


def text_as_json(text: Text) -> dict[str, Any]:
    """A text as it reached the phone; redacting or deleting it at the provider does not unsend it."""
    return {
        "sid": text.sid,
        "kind": text.kind.name.lower(),
        "to": text.to,
        "from": text.sender,
        "body": text.body,
        "status": text.status(),
        "error_code": text.error_code,
        "segments": count_segments(text.body),
        "accepted_at": _iso(text.accepted_at),
        "status_callback": text.callback,
        "validity_period": text.validity,
        "messaging_service_sid": text.service,
        "redacted": text.redacted,
        "deleted": text.deleted,
    }


def mail_as_json(mail: Mail) -> dict[str, Any]:
    letter = read(mail)
    return {
        "envelope_from": mail.sender,
        "envelope_to": list(mail.recipients),
        "subject": letter.subject,
        "from": letter.sender,
        "to": letter.to,
        "text": letter.text,
        "headers": [list(header) for header in letter.headers],
        "list_unsubscribe": letter.header("List-Unsubscribe"),
        "list_unsubscribe_post": letter.header("List-Unsubscribe-Post"),
        "unsubscribe_link": letter.unsubscribe_link,
        "received_at": _iso(mail.received_at),
        "raw": mail.raw.decode("utf-8", "replace"),
    }


def _object(request: Request) -> dict[str, Any]:
    # A page of another site can post a form here, but not JSON: that takes a permission nobody gives.
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise ValueError("Send application/json.")
    content = json.loads(request.body)
    if not isinstance(content, dict):
        raise ValueError("Send a JSON object.")
    return content


def _limit(request: Request) -> int | None:
    limit = request.asked().get("limit")
    if limit is None:
        return None
    if not (limit.isascii() and limit.isdigit()):
        raise ValueError("limit is a number.")
    return int(limit)


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat()


def _json(status: int, content: object) -> Reply:
    return Reply(status, json.dumps(content).encode(), headers=(("Cache-Control", "no-store"),))
