"""The SMS provider, spoken to by its own library over an HTTP client of ours.

The library's clients have no timeout, retry POSTs by themselves, or keep too few connections. Ours sends each
request exactly once, within a time, over as many connections as texts may be under way.
"""

import logging
import ssl
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

import urllib3
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.rest import Client
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, SSLError

from ugly_mugs.outbox.gateways.provider_codes import Action, action_for
from ugly_mugs.outbox.gateways.transport import (
    Accepted,
    Ambiguous,
    BadAddress,
    ContentRefused,
    Later,
    Never,
    NeverConnected,
    NotSent,
    OptedOut,
    Outgoing,
    SenderBroken,
    TooLate,
)
from ugly_mugs.settings import Settings
from ugly_mugs.vault import ServiceVault

log = logging.getLogger(__name__)

# What the provider takes for the life of a text, in seconds; below the first it might not leave at all.
SHORTEST_LIFE, LONGEST_LIFE = 10, 36_000
PAGE = 100
MOST_LISTED = 1_000
# Texts of unknown fate are looked up beside sending, this many at a time.
LOOKED_UP_AT_ONCE = 8
# So are settled texts forgotten.
FORGOTTEN_AT_ONCE = 8

# The provider's word for a message it does not have.
NO_SUCH_TEXT = 20404
# What can go wrong with a request that changes nothing or may be made twice, beside what nobody foresees.
_TROUBLES = (TwilioException, HTTPError, OSError, ValueError, TypeError, KeyError, AttributeError)

_RAISES: dict[Action, type[NotSent]] = {
    Action.OPT_OUT: OptedOut,
    Action.BAD_ADDRESS: BadAddress,
    Action.LATER: Later,
    Action.AGAIN_AFTER_ACCEPTANCE: Never,
    Action.AMBIGUOUS: Ambiguous,
    Action.CONTENT: ContentRefused,
    Action.SENDER: SenderBroken,
    Action.FALL_BACK_TO_SMS: Never,
    Action.EXPIRED: TooLate,
    Action.FINAL: Never,
}


class PooledHttpClient(HttpClient):  # type: ignore[misc]  # the library ships no types
    """Sends what the library asks for once, over a pool of kept connections, and never logs what it sends."""

    def __init__(self, *, connections: int, timeout: float) -> None:
        super().__init__(log, is_async=False, timeout=timeout)
        self._pool = urllib3.PoolManager(
            num_pools=4,
            maxsize=connections,
            retries=False,
            timeout=urllib3.Timeout(total=timeout),
        )
        self._authorization: dict[tuple[str, str], str] = {}
        # How far the provider's clock is ahead of ours, by the last answer that named its time.
        self.ahead = timedelta()

    def request(
        self,
        method: str,
        uri: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        headers = dict(headers or {})
        if auth:
            headers["Authorization"] = self._authorization_of(auth)
        if params:
            uri = f"{uri}?{urlencode(params, doseq=True)}"
        answer = self._pool.request(
            method,
            uri,
            body=urlencode(data, doseq=True) if data else None,
            headers=headers,
            redirect=False,
            retries=False,
        )
        if method == "GET":
            self._compare_clocks(answer.headers.get("Date"))
        return Response(answer.status, answer.data.decode("utf-8", "replace"), answer.headers)

    def _compare_clocks(self, date: str | None) -> None:
        try:
            theirs = parsedate_to_datetime(date) if date else None
        except ValueError:
            theirs = None
        if theirs is not None and theirs.tzinfo is not None:
            self.ahead = theirs - datetime.now(UTC)

    def _authorization_of(self, auth: tuple[str, str]) -> str:
        known = self._authorization.get(auth)
        if known is None:
            known = self._authorization[auth] = "Basic " + b64encode(":".join(auth).encode()).decode("ascii")
        return known


@dataclass(frozen=True, slots=True)
class Listed:
    """A text as the provider lists it."""

    provider_id: str
    body: str = field(repr=False)
    status: str
    error_code: int | None
    created_at: datetime


class TextGateway:
    """Texts by Twilio: `send` for each, `sent_to` to look one up whose fate is unknown, `forget` when it is over."""

    def __init__(self, settings: Settings, vault: ServiceVault) -> None:
        self._sender = settings.twilio_from
        self._vault = vault
        self._callback = f"{settings.public_url}/webhooks/twilio/{vault.path_token('webhook')}/status?d="
        self._client = client_for(settings)
        self._http: PooledHttpClient = self._client.http_client
        self._messages = self._client.messages

    def send(self, message: Outgoing) -> Accepted:
        """POST one text; a text that is neither surely taken nor surely refused raises Ambiguous."""
        life = LONGEST_LIFE if message.valid_for is None else message.valid_for
        try:
            answer = self._messages.create(
                to=message.to,
                from_=self._sender,
                body=message.words.text,
                status_callback=self._callback
                + self._vault.delivery_token(message.delivery_id, message.attempt),
                validity_period=min(max(life, SHORTEST_LIFE), LONGEST_LIFE),
                risk_check="disable",
            )
        except TwilioException as refusal:
            raise _not_sent(refusal) from None
        except (NewConnectionError, ConnectTimeoutError):
            raise NeverConnected from None
        except SSLError as problem:
            # A certificate is looked at before anything is sent.
            refused = any(isinstance(each, ssl.SSLCertVerificationError) for each in problem.args)
            raise (SenderBroken() if refused else Ambiguous()) from None
        except Exception as fault:
            # Once a request may have left, nothing that goes wrong proves that the text did not.
            log.warning("text of unknown fate", extra={"error": type(fault).__name__})
            raise Ambiguous from None
        if not answer.sid:
            raise Ambiguous
        return Accepted(answer.sid)

    def hang_up(self) -> None:
        """Connections are shared by all threads and kept."""

    def sent_to(self, phone: str, *, since: datetime) -> Iterator[Listed]:
        """Every text of ours to this phone since then; raises Later when the provider cannot tell just now.

        The provider can filter by the day a text was *sent*, which leaves out those still in its queue: they
        would be taken for absent and sent again. So only the phone is asked for, and the times are compared
        here, by the provider's clock: were ours ahead, every text would seem to be missing.
        """
        try:
            for each in self._messages.stream(to=phone, page_size=PAGE, limit=MOST_LISTED):
                created = _aware(each.date_created)
                if created is not None and created < since + min(self._http.ahead, timedelta()):
                    continue
                yield Listed(
                    provider_id=str(each.sid),
                    body=str(each.body or ""),
                    status=str(each.status),
                    error_code=int(each.error_code) if each.error_code else None,
                    created_at=created or since,
                )
        except _TROUBLES as problem:
            raise Later from problem

    def forget(self, provider_id: str) -> bool:
        """Have the provider empty a text: whether its words are gone there; Later when it cannot be asked just now.

        It empties only what it has finished with. A text it does not have says nothing any more.
        """
        try:
            emptied = self._messages(provider_id).update(body="")
        except TwilioRestException as refusal:
            if refusal.status == 404 and refusal.code == NO_SUCH_TEXT:
                return True
            if refusal.status in (400, 409):
                return False
            raise Later(refusal.code) from None
        except _TROUBLES as problem:
            raise Later from problem
        return not emptied.body


def client_for(settings: Settings) -> Client:
    """The library's client, pointed at the provider or at a stand-in for it."""
    http = PooledHttpClient(
        connections=settings.sms_in_flight + LOOKED_UP_AT_ONCE + FORGOTTEN_AT_ONCE,
        timeout=settings.sms_timeout,
    )
    # Of two tokens, while one is being rotated, the first is the one to sign in with.
    client = Client(settings.twilio_account_sid, settings.twilio_auth_token[0].value, http_client=http)
    if settings.twilio_api_url:
        client.api.base_url = settings.twilio_api_url
    return client


def _not_sent(refusal: TwilioException) -> NotSent:
    status: Any = getattr(refusal, "status", None)
    code: Any = getattr(refusal, "code", None)
    if not isinstance(status, int):
        return Ambiguous()
    if not isinstance(code, int) or code == status:
        # The library puts the HTTP status where the body named no code.
        code = None
    if 300 <= status < 400:
        return SenderBroken(status)
    return _RAISES[action_for(code, status)](code or status)


def _aware(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
