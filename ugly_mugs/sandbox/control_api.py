"""JSON for tests, under /sandbox/: read what was received (newest first), reply from a phone, set the behaviour."""

import json
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from ugly_mugs.sandbox.mail_reader import read_mail
from ugly_mugs.sandbox.memory import Kind, Mail, Text
from ugly_mugs.sandbox.provider import Provider
from ugly_mugs.sandbox.twilio.replies import CannotReply
from ugly_mugs.sandbox.twilio.segments import count_segments


class ControlApi:
    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def application(self) -> web.Application:
        application = web.Application(middlewares=[_answer])
        application.add_routes(
            [
                web.get("/messages.json", self._messages),
                web.get("/mails.json", self._mails),
                web.get("/phones/{phone}.json", self._phone),
                web.post("/phones/{phone}/reply", self._reply),
                web.get("/inboxes/{address}.json", self._inbox),
                web.get("/callbacks.json", self._callbacks),
                web.get("/behaviour", self._behaviour),
                web.post("/behaviour", self._change_behaviour),
                web.post("/reset", self._reset),
            ]
        )
        return application

    async def _messages(self, request: web.Request) -> web.Response:
        memory, limit = self._provider.memory, _limit(request)
        texts: list[Text] = []
        for text in reversed(memory.texts if limit != 0 else []):
            if text.kind is Kind.SERVICE:
                texts.append(text)
                if len(texts) == limit:
                    break
        messages = [text_as_json(text) for text in texts]
        return web.json_response({"count": memory.from_service, "messages": messages})

    async def _mails(self, request: web.Request) -> web.Response:
        memory = self._provider.memory
        mails = [mail_as_json(mail) for mail in memory.mails(_limit(request))]
        return web.json_response({"count": memory.mail_count, "mails": mails})

    async def _phone(self, request: web.Request) -> web.Response:
        memory, phone = self._provider.memory, request.match_info["phone"]
        thread = list(reversed(memory.phones.get(phone, [])))
        return web.json_response(
            {
                "phone": phone,
                "stopped": sorted(sender for sender, stopped in memory.blocks if stopped == phone),
                "messages": [text_as_json(text) for text in thread if text.kind is Kind.SERVICE],
                "thread": [text_as_json(text) for text in thread],
            }
        )

    async def _reply(self, request: web.Request) -> web.Response:
        wish = await _json_object(request)
        body, to = wish.get("body"), wish.get("to")
        if not isinstance(body, str) or not (to is None or isinstance(to, str)):
            raise CannotReply("A reply needs a body, and may say to which number it goes.")
        text, status = self._provider.replies.send(request.match_info["phone"], body, to)
        return web.json_response(text_as_json(text) | {"webhook_status": await status if status else None})

    async def _inbox(self, request: web.Request) -> web.Response:
        address = request.match_info["address"]
        mails = [mail_as_json(mail) for mail in self._provider.memory.inbox(address)]
        return web.json_response({"address": address, "count": len(mails), "mails": mails})

    async def _callbacks(self, request: web.Request) -> web.Response:
        answers = dict(self._provider.web_client.answers)
        return web.json_response({"waiting": self._provider.waiting, "answers": answers})

    async def _behaviour(self, request: web.Request) -> web.Response:
        return web.json_response(self._provider.behaviour.as_json())

    async def _change_behaviour(self, request: web.Request) -> web.Response:
        self._provider.behaviour.change(await _json_object(request))
        return web.json_response(self._provider.behaviour.as_json())

    async def _reset(self, request: web.Request) -> web.Response:
        self._provider.reset()
        return web.json_response({})


@web.middleware
async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        response = await handler(request)
    except ValueError as problem:
        response = web.json_response({"problem": str(problem)}, status=400)
    except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
        response = web.json_response({"problem": "The sandbox has nothing there."}, status=404)
    response.headers["Cache-Control"] = "no-store"
    return response


def text_as_json(text: Text) -> dict[str, Any]:
    """A text as it reached the phone; emptying or deleting it at the provider does not change that."""
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
    letter = read_mail(mail)
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


async def _json_object(request: web.Request) -> dict[str, Any]:
    # A page of another site can post a form here, but not JSON: a browser asks first, and gets no permission.
    if request.content_type != "application/json":
        raise ValueError("Send application/json.")
    content = json.loads(await request.read())
    if not isinstance(content, dict):
        raise ValueError("Send a JSON object.")
    return content


def _limit(request: web.Request) -> int | None:
    limit = request.query.get("limit")
    if limit is None:
        return None
    if not (limit.isascii() and limit.isdigit()):
        raise ValueError("limit is a number.")
    return int(limit)


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat()
