"""Twilio's Messages resource: create, list, read, redact and delete, as twilio-python calls them."""

import hmac
import json
import re
from base64 import b64encode
from collections.abc import Callable
from urllib.parse import unquote

from ugly_mugs.sandbox.behaviour import Behaviour, Final, Rule
from ugly_mugs.sandbox.caller import is_well_formed
from ugly_mugs.sandbox.errors import refusal, usual_code
from ugly_mugs.sandbox.listing import list_page
from ugly_mugs.sandbox.memory import Kind, Memory, Text
from ugly_mugs.sandbox.resource import as_resource
from ugly_mugs.sandbox.wire import Reply, Request

ROOT = "/2010-04-01/Accounts/"
# A messaging service draws a number of its own pool; this one has a pool of one, from Ofcom's drama range.
POOL_NUMBER = "+447700900999"

PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
SHORT_CODE = re.compile(r"[0-9]{3,6}")
ALPHANUMERIC = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 +_&-]{1,11}")
PUNCTUATION = str.maketrans("", "", " -().")
USUAL_ERRORS = {Final.UNDELIVERED: 30003, Final.FAILED: 30008}

UNDERSTOOD = frozenset(
    "To From Body MessagingServiceSid StatusCallback ValidityPeriod RiskCheck MaxPrice ProvideFeedback Attempt "
    "SmartEncoded ForceDelivery ContentRetention AddressRetention ShortenUrls TrafficType".split()
)


class Api:
    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        memory: Memory,
        behaviour: Behaviour,
        accepted: Callable[[Text], None],
    ) -> None:
        self._account_sid = account_sid
        self._key = b"Basic " + b64encode(f"{account_sid}:{auth_token}".encode())
        self._memory = memory
        self._behaviour = behaviour
        self._accepted = accepted
        self._collection = f"{ROOT}{account_sid}/Messages.json"
        self._member = f"{ROOT}{account_sid}/Messages/"

    def answer(self, request: Request) -> Reply:
        reply = self._answer(request)
        reply.delay = self._behaviour.latency_ms / 1000
        return reply

    def _answer(self, request: Request) -> Reply:
        given = request.headers.get("authorization", "").encode("latin-1")
        if not hmac.compare_digest(given, self._key):
            return refusal(401, 20003)
        if request.path == self._collection:
            if request.method == "POST":
                return self._create(request)
            if request.method == "GET":
                return list_page(self._memory, self._account_sid, request)
            return refusal(405, 20405)
        if request.path.startswith(self._member) and request.path.endswith(".json"):
            return self._one(request, unquote(request.path[len(self._member) : -len(".json")]))
        if request.path == f"{ROOT}{self._account_sid}.json" and request.method == "GET":
            return _json(
                200,
                {"sid": self._account_sid, "friendly_name": "Sandbox", "status": "active", "type": "Full"},
            )
        return refusal(404, 20404, request.path)

    def _create(self, request: Request) -> Reply:
        try:
            form = request.form()
        except ValueError:
            return refusal(400, 20001, "the body is not a form")
        to = form.get("To", "").translate(PUNCTUATION)
        rule = self._behaviour.rule_for(to)
        if rule is not None and rule.final is None and not rule.after_accepting:
            return _failure(rule)
        problem = self._problem(form, to)
        if problem is not None:
            return problem
        text = self._accept(form, to, rule)
        if rule is not None and rule.final is None:
            return _failure(rule)
        return _json(201, as_resource(text, self._account_sid))

    def _problem(self, form: dict[str, str], to: str) -> Reply | None:
        if not form.keys() <= UNDERSTOOD:
            return refusal(400, 20001, ", ".join(sorted(form.keys() - UNDERSTOOD)))
        if not to:
            return refusal(400, 21604)
        if not PHONE.fullmatch(to):
            return refusal(400, 21211, form["To"])
        sender = _sender(form)
        if not sender:
            return refusal(400, 21603)
        if not (PHONE.fullmatch(sender) or SHORT_CODE.fullmatch(sender) or ALPHANUMERIC.fullmatch(sender)):
            return refusal(400, 21212, sender)
        if sender == to:
            return refusal(400, 21266)
        body = form.get("Body", "")
        if not body.strip():
            return refusal(400, 21602)
        if len(body) > 1600:
            return refusal(400, 21617)
        callback = form.get("StatusCallback")
        if callback and not is_well_formed(callback):
            return refusal(400, 21609, callback)
        validity = form.get("ValidityPeriod", "1")
        if not (validity.isascii() and validity.isdigit() and 1 <= int(validity) <= 36_000):
            return refusal(400, 90007, validity)
        if (sender, to) in self._memory.blocks:
            return refusal(400, 21610)
        return None

    def _accept(self, form: dict[str, str], to: str, rule: Rule | None) -> Text:
        behaviour = self._behaviour
        final, code = behaviour.final, behaviour.error_code
        if rule is not None and rule.final is not None:
            final, code = rule.final, rule.code
        validity = form.get("ValidityPeriod")
        text = self._memory.add(
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
        self._accepted(text)
        return text

    def _one(self, request: Request, sid: str) -> Reply:
        text = self._memory.find(sid)
        if text is None:
            return refusal(404, 20404, request.path)
        match request.method:
            case "GET":
                return _json(200, as_resource(text, self._account_sid))
            case "DELETE":
                if not text.is_settled():
                    return refusal(409, 20009)
                text.deleted = True
                return Reply(204)
            case "POST":
                # An empty body is the provider's way of saying: forget what it said.
                if request.body != b"Body=":
                    return refusal(400, 20001, "a message can only be changed to an empty Body")
                if not text.is_settled():
                    return refusal(400, 20009)
                text.redacted = True
                return _json(200, as_resource(text, self._account_sid))
        return refusal(405, 20405)


def _sender(form: dict[str, str]) -> str:
    sender = form.get("From", "")
    if not sender:
        return POOL_NUMBER if form.get("MessagingServiceSid") else ""
    return sender.translate(PUNCTUATION) if sender.startswith("+") else sender


def _failure(rule: Rule) -> Reply:
    if rule.drop:
        return Reply(drop=True)
    if rule.nonsense:
        return Reply(200, b"<html><body>It works!</body></html>", "text/html")
    status = rule.status or 500
    return refusal(status, rule.code or usual_code(status))


def _json(status: int, content: object) -> Reply:
    return Reply(status, json.dumps(content).encode())
