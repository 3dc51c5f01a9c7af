"""Handlers of what the SMS provider posts: status callbacks, and replies of people.

The web has checked the secret path and the size, and sealed the rest. Here the provider's signature over the whole
post is verified before anything in it is used.
"""

import base64
import binascii
import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, parse_qsl

from twilio.request_validator import RequestValidator
from werkzeug.datastructures import MultiDict

from ugly_mugs.outbox import addresses, optouts
from ugly_mugs.outbox.inbound import keyword_replies, status_updates
from ugly_mugs.outbox.inbound.status_updates import STATES, StatusUpdate
from ugly_mugs.outbox.inbound.stopwords import Reply, understood
from ugly_mugs.outbox.models import Address, Channel, MessageKind
from ugly_mugs.outbox.registry import OpenedHandover, Refused, Registry
from ugly_mugs.settings import Settings
from ugly_mugs.text.identifiers import IdentifierKind, NotAnIdentifier, normalise
from ugly_mugs.vault import WorkerVault

log = logging.getLogger(__name__)

MOST_FIELDS = 100
STATUS, MESSAGE = "status", "message"

# Values of OptOutType: with Advanced Opt-Out the provider says what it understood, and has replied already.
_UNDERSTOOD_BY_PROVIDER = {"STOP": Reply.STOP, "START": Reply.START, "HELP": Reply.HELP}
# Whole messages that the provider replies to by default.
_REPLIED_BY_PROVIDER = frozenset(
    "STOP STOPALL UNSUBSCRIBE CANCEL END QUIT OPTOUT REVOKE START YES UNSTOP HELP INFO".split()
)


class Inbound:
    """The handlers of STATUS_CAME and MESSAGE_CAME."""

    def __init__(self, *, registry: Registry, vault: WorkerVault, settings: Settings) -> None:
        self._registry = registry
        self._vault = vault
        self._account = settings.twilio_account_sid
        self._base = f"{settings.public_url}/webhooks/twilio/{vault.path_token('webhook')}"
        self._validators = [RequestValidator(token.value) for token in settings.twilio_auth_token]

    def status_came(self, handover: OpenedHandover) -> None:
        """Apply a status callback; the token in its URL names the delivery and the attempt."""
        query, fields = self._verified(handover, STATUS)
        token = self._vault.read_delivery_token((parse_qs(query).get("d") or [""])[0])
        if token is None:
            raise Refused("a callback that names no delivery")
        state = STATES.get(fields.get("MessageStatus", "").lower())
        if state is None:
            raise Refused("a callback without a known status")
        code = fields.get("ErrorCode", "")
        update = StatusUpdate(
            delivery_id=token[0],
            attempt=token[1],
            state=state,
            provider_id=fields.get("MessageSid") or None,
            error_code=int(code) if code.isascii() and code.isdigit() and len(code) < 7 else None,
        )
        status_updates.apply(self._registry, update, now=handover.now)

    def message_came(self, handover: OpenedHandover) -> None:
        """Act upon STOP, START and HELP. Any other reply is dropped: nobody reads it and it is not stored."""
        _, fields = self._verified(handover, MESSAGE)
        try:
            phone = normalise(IdentifierKind.PHONE, fields.get("From", ""))
        except NotAnIdentifier:
            return
        address = addresses.find(vault=self._vault, channel=Channel.SMS, address=phone)
        if address is None:
            return
        body, by_provider = fields.get("Body", ""), fields.get("OptOutType", "").upper()
        meant = _UNDERSTOOD_BY_PROVIDER.get(by_provider) or understood(body)
        if meant is not None:
            is_replied = bool(by_provider) or body.strip().upper() in _REPLIED_BY_PROVIDER
            self._acts[meant](self, handover, address, is_replied)

    def _stop(self, handover: OpenedHandover, address: Address, is_replied: bool) -> None:
        closed = optouts.opt_out(
            registry=self._registry, owner_id=address.owner_id, channel=address.channel, now=handover.now
        )
        if closed and not is_replied:
            self._reply(MessageKind.STOP_ANSWER, handover, address)

    def _start(self, handover: OpenedHandover, address: Address, is_replied: bool) -> None:
        optouts.start_again(registry=self._registry, address=address, now=handover.now)

    def _help(self, handover: OpenedHandover, address: Address, is_replied: bool) -> None:
        if not is_replied:
            self._reply(MessageKind.HELP_ANSWER, handover, address)

    def _reply(self, kind: MessageKind, handover: OpenedHandover, address: Address) -> None:
        keyword_replies.queue(
            kind, vault=self._vault, subject_id=handover.id, recipient_id=address.owner_id, now=handover.now
        )

    _acts: dict[Reply, Callable[["Inbound", OpenedHandover, Address, bool], None]] = {
        Reply.STOP: _stop,
        Reply.START: _start,
        Reply.HELP: _help,
    }

    def _verified(self, handover: OpenedHandover, path: str) -> tuple[str, "MultiDict[str, str]"]:
        """Query and form fields of a post that the provider signed; raises Refused for any other."""
        query, body, signature = _parts(handover.payload)
        try:
            fields = MultiDict(
                parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
            )
        except ValueError:
            raise Refused("a post that is no form") from None
        # The URL is built from our settings, because whoever posts chooses the Host header.
        url = f"{self._base}/{path}" + (f"?{query}" if query else "")
        if not any(validator.validate(url, fields, signature) for validator in self._validators):
            raise Refused("a wrong signature")
        if fields.get("AccountSid") != self._account:
            raise Refused("a post for another account")
        return query, fields


def _parts(payload: Any) -> tuple[str, bytes, str]:
    try:
        query, body, signature = payload["query"], payload["body"], payload["signature"]
        if not all(isinstance(part, str) for part in (query, body, signature)):
            raise TypeError
        return query, base64.b64decode(body, validate=True), signature
    except (KeyError, TypeError, binascii.Error, ValueError):
        raise Refused("a post without its parts") from None
