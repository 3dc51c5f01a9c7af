"""SMS by Twilio's library, over an HTTP client of our own.

The library's own clients have no timeout, retry POSTs, or keep too few connections. Ours sends each request exactly
once, with a timeout, over as many connections as messages may be in flight.
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

# The range of `validity_period` in seconds; with less than the first, the provider may not send it at all.
SHORTEST_LIFE, LONGEST_LIFE = 10, 36_000
PAGE = 100
MOST_LISTED = 1_000
# Connections kept for looking up messages of unknown fate, and for emptying settled ones, beside those for sending.
LOOKED_UP_AT_ONCE = 8
FORGOTTEN_AT_ONCE = 8

# Twilio's code for "the requested resource was not found".
NO_SUCH_MESSAGE = 20404
# What is caught around requests that may safely be repeated.
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
    """Sends each request of the library once, over a pool of kept connections, and logs nothing of it."""

    def __init__(self, *, connections: int, timeout: float) -> None:
        super().__init__(log, is_async=False, timeout=timeout)
        self._pool = urllib3.PoolManager(
            num_pools=4,
            maxsize=connections,
            retries=False,
            timeout=urllib3.Timeout(total=timeout),
        )
        self._authorization: dict[tuple[str, str], str] = {}
        # How far the provider's clock is ahead of ours, by the Date header of the latest response.
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
        response = self._pool.request(
            method,
            uri,
            body=urlencode(data, doseq=True) if data else None,
            headers=headers,
            redirect=False,
            retries=False,
        )
        if method == "GET":
            self._compare_clocks(response.headers.get("Date"))
        return Response(response.status, response.data.decode("utf-8", "replace"), response.headers)

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
    provider_id: str
    body: str = field(repr=False)
    status: str
    error_code: int | None
    created_at: datetime


class TextGateway:
    """SMS by Twilio: `send`, `sent_to` to look up one of unknown fate, `forget` to have a settled one emptied."""

    def __init__(self, settings: Settings, vault: ServiceVault) -> None:
        self._sender = settings.twilio_from
        self._vault = vault
        self._callback = f"{settings.public_url}/webhooks/twilio/{vault.path_token('webhook')}/status?d="
        self._client = client_for(settings)
        self._http: PooledHttpClient = self._client.http_client
        self._messages = self._client.messages

    def send(self, message: Outgoing) -> Accepted:
        """POST one SMS. Raises Ambiguous when it is neither certainly accepted nor certainly refused."""
        life = LONGEST_LIFE if message.valid_for is None else message.valid_for
        try:
            accepted = self._messages.create(
                to=message.to,
                from_=self._sender,
                body=message.text.text,
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
            # The certificate is verified before anything is sent.
            is_untrusted = any(isinstance(cause, ssl.SSLCertVerificationError) for cause in problem.args)
            raise (SenderBroken() if is_untrusted else Ambiguous()) from None
        except Exception as fault:
            # The request may have been sent, so no error proves that the message was not accepted.
            log.warning("text of unknown fate", extra={"error": type(fault).__name__})
            raise Ambiguous from None
        if not accepted.sid:
            raise Ambiguous
        return Accepted(accepted.sid)

    def hang_up(self) -> None:
        """Nothing to do: all threads share the kept connections."""

    def sent_to(self, phone: str, *, since: datetime) -> Iterator[Listed]:
        """Every SMS of ours to this phone since then; raises Later when the provider cannot say just now.

        The provider's filter by date uses the date *sent*, which leaves out what is still in its queue; that would
        be taken for absent and sent again. So the filter is the phone alone, and times are compared here, by the
        provider's clock: if ours were ahead, every SMS would seem to be missing.
        """
        try:
            for listed in self._messages.stream(to=phone, page_size=PAGE, limit=MOST_LISTED):
                created = _aware(listed.date_created)
                if created is not None and created < since + min(self._http.ahead, timedelta()):
                    continue
                yield Listed(
                    provider_id=str(listed.sid),
                    body=str(listed.body or ""),
                    status=str(listed.status),
                    error_code=int(listed.error_code) if listed.error_code else None,
                    created_at=created or since,
                )
        except _TROUBLES as problem:
            raise Later from problem

    def forget(self, provider_id: str) -> bool:
        """Have the provider empty an SMS, and return whether it is empty; raises Later when that cannot be asked now.

        The provider empties only what it has finished with. One that it does not have counts as empty.
        """
        try:
            emptied = self._messages(provider_id).update(body="")
        except TwilioRestException as refusal:
            if refusal.status == 404 and refusal.code == NO_SUCH_MESSAGE:
                return True
            if refusal.status in (400, 409):
                return False
            raise Later(refusal.code) from None
        except _TROUBLES as problem:
            raise Later from problem
        return not emptied.body


def client_for(settings: Settings) -> Client:
    http = PooledHttpClient(
        connections=settings.sms_in_flight + LOOKED_UP_AT_ONCE + FORGOTTEN_AT_ONCE,
        timeout=settings.sms_timeout,
    )
    # While a token is being rotated there are two, and the first one is for signing in.
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
        # The library sets the HTTP status as code when the body has none.
        code = None
    if 300 <= status < 400:
        return SenderBroken(status)
    return _RAISES[action_for(code, status)](code or status)


def _aware(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
