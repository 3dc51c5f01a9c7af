"""Twilio's Messages API: create, list, read, empty and delete a text, as twilio-python calls them."""

import asyncio
import hmac
import re
from base64 import b64encode

from aiohttp import web
from aiohttp.typedefs import Handler

from ugly_mugs.sandbox.behaviour import Final, Rule
from ugly_mugs.sandbox.callbacks import is_well_formed
from ugly_mugs.sandbox.memory import Kind, Text
from ugly_mugs.sandbox.provider import Provider
from ugly_mugs.sandbox.twilio.errors import TwilioError, usual_code
from ugly_mugs.sandbox.twilio.messages import UnknownFilter, message_as_json, message_page
from ugly_mugs.sandbox.twilio.replies import PHONE

# A messaging service sends from a number of its pool. This pool has one, from Ofcom's range for drama.
POOL_NUMBER = "+447700900999"

SHORT_CODE = re.compile(r"[0-9]{3,6}")
ALPHANUMERIC = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 +_&-]{1,11}")
PUNCTUATION = str.maketrans("", "", " -().")
USUAL_ERRORS = {Final.UNDELIVERED: 30003, Final.FAILED: 30008}

PARAMETERS = frozenset(
    "To From Body MessagingServiceSid StatusCallback ValidityPeriod RiskCheck MaxPrice ProvideFeedback Attempt "
    "SmartEncoded ForceDelivery ContentRetention AddressRetention ShortenUrls TrafficType".split()
)


class ConnectionDropped(Exception):
    """A rule says that this request gets no answer."""


class TwilioApi:
    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._account_sid = provider.settings.account_sid
        credentials = f"{self._account_sid}:{provider.settings.auth_token}"
        self._authorization = b"Basic " + b64encode(credentials.encode())

    def application(self) -> web.Application:
        account = f"/{self._account_sid}"
        application = web.Application(middlewares=[self._answer])
        application.add_routes(
            [
                web.get(f"{account}.json", self._account, allow_head=False),
                web.post(f"{account}/Messages.json", self._create),
                web.get(f"{account}/Messages.json", self._list, allow_head=False),
                web.get(f"{account}/Messages/{{sid}}.json", self._read, allow_head=False),
                web.post(f"{account}/Messages/{{sid}}.json", self._empty),
                web.delete(f"{account}/Messages/{{sid}}.json", self._delete),
            ]
        )
        return application

    @web.middleware
    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Check the credentials, turn errors into Twilio's, and answer after the latency that was set."""
        response: web.StreamResponse
        dropped = False
        try:
            given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
            if not hmac.compare_digest(given, self._authorization):
                raise TwilioError(401, 20003)
            response = await handler(request)
        except TwilioError as error:
            response = error.as_response()
        except web.HTTPNotFound:
            response = TwilioError(404, 20404, request.path).as_response()
        except web.HTTPMethodNotAllowed:
            response = TwilioError(405, 20405).as_response()
        except ConnectionDropped:
            response, dropped = web.Response(), True
        if self._provider.behaviour.latency_ms:
            await asyncio.sleep(self._provider.behaviour.latency_ms / 1000)
        if dropped and request.transport is not None:
            request.transport.abort()
        return response

    async def _account(self, request: web.Request) -> web.Response:
        return web.json_response(
            {"sid": self._account_sid, "friendly_name": "Sandbox", "status": "active", "type": "Full"}
        )

    async def _create(self, request: web.Request) -> web.Response:
        form = await _form(request)
        to = form.get("To", "").translate(PUNCTUATION)
        rule = self._provider.behaviour.rule_for(to)
        if rule is not None and rule.final is None and not rule.after_accepting:
            return _failure(rule)
        self._check(form, to)
        text = self._accept(form, to, rule)
        if rule is not None and rule.final is None:
            return _failure(rule)
        return self._resource(text, status=201)

    async def _list(self, request: web.Request) -> web.Response:
        try:
            page = message_page(self._provider.memory, self._account_sid, dict(request.query))
        except UnknownFilter as problem:
            raise TwilioError(400, 20001, str(problem)) from None
        return web.json_response(page)

    async def _read(self, request: web.Request) -> web.Response:
        return self._resource(self._text(request))

    async def _empty(self, request: web.Request) -> web.Response:
        """An empty body removes a settled text's words; Twilio allows no other change."""
        text = self._text(request)
        if await _form(request) != {"Body": ""}:
            raise TwilioError(400, 20001, "a message can only be changed to an empty Body")
        if not text.is_settled():
            raise TwilioError(400, 20009)
        text.redacted = True
        return self._resource(text)

    async def _delete(self, request: web.Request) -> web.Response:
        text = self._text(request)
        if not text.is_settled():
            raise TwilioError(409, 20009)
        text.deleted = True
        return web.Response(status=204)

    def _text(self, request: web.Request) -> Text:
        text = self._provider.memory.find(request.match_info["sid"])
        if text is None:
            raise TwilioError(404, 20404, request.path)
        return text

    def _resource(self, text: Text, status: int = 200) -> web.Response:
        return web.json_response(message_as_json(text, self._account_sid), status=status)

    def _check(self, form: dict[str, str], to: str) -> None:
        """Raises the error that Twilio answers to a text that it would not send."""
        unknown = form.keys() - PARAMETERS
        if unknown:
            raise TwilioError(400, 20001, ", ".join(sorted(unknown)))
        if not to:
            raise TwilioError(400, 21604)
        if not PHONE.fullmatch(to):
            raise TwilioError(400, 21211, form["To"])
        sender = _sender(form)
        if not sender:
            raise TwilioError(400, 21603)
        if not (PHONE.fullmatch(sender) or SHORT_CODE.fullmatch(sender) or ALPHANUMERIC.fullmatch(sender)):
            raise TwilioError(400, 21212, sender)
        if sender == to:
            raise TwilioError(400, 21266)
        body = form.get("Body", "")
        if not body.strip():
            raise TwilioError(400, 21602)
        if len(body) > 1600:
            raise TwilioError(400, 21617)
        callback = form.get("StatusCallback")
        if callback and not is_well_formed(callback):
            raise TwilioError(400, 21609, callback)
        validity = form.get("ValidityPeriod", "1")
        if not (validity.isascii() and validity.isdigit() and 1 <= int(validity) <= 36_000):
            raise TwilioError(400, 90007, validity)
        if (sender, to) in self._provider.memory.blocks:
            raise TwilioError(400, 21610)

    def _accept(self, form: dict[str, str], to: str, rule: Rule | None) -> Text:
        behaviour = self._provider.behaviour
        final, code = behaviour.final, behaviour.error_code
        if rule is not None and rule.final is not None:
            final, code = rule.final, rule.code
        validity = form.get("ValidityPeriod")
        text = self._provider.memory.add_text(
            kind=Kind.SERVICE,
            to=to,
            sender=_sender(form),
            body=form["Body"],
            step=behaviour.callback_delay_ms / 1000,
            final=final,
            error_code=None if final is Final.DELIVERED else code or USUAL_ERRORS[final],
            service=form.get("MessagingServiceSid"),
            callback=form.get("StatusCallback"),
            validity=int(validity) if validity else None,
        )
        self._provider.callbacks.schedule(text, behaviour.callbacks)
        return text


async def _form(request: web.Request) -> dict[str, str]:
    try:
        fields = await request.post()
    except ValueError:
        raise TwilioError(400, 20001, "the body is not a form") from None
    return {name: value for name, value in fields.items() if isinstance(value, str)}


def _sender(form: dict[str, str]) -> str:
    sender = form.get("From", "")
    if not sender:
        return POOL_NUMBER if form.get("MessagingServiceSid") else ""
    return sender.translate(PUNCTUATION) if sender.startswith("+") else sender


def _failure(rule: Rule) -> web.Response:
    if rule.drop:
        raise ConnectionDropped
    if rule.nonsense:
        return web.Response(text="<html><body>It works!</body></html>", content_type="text/html")
    status = rule.status or 500
    raise TwilioError(status, rule.code or usual_code(status))
