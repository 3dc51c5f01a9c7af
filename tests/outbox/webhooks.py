"""What the SMS provider posts to the web, signed as it signs."""

from urllib.parse import urlencode

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.outbox.posting import Post
from ugly_mugs.outbox import jobs
from ugly_mugs.runtime import runtime
from ugly_mugs.sandbox.settings import ACCOUNT_SID, AUTH_TOKEN
from ugly_mugs.sandbox.signature import sign

PUBLIC = "http://127.0.0.1:8000"


def path(what: str) -> str:
    return f"/webhooks/twilio/{runtime().vault.path_token('webhook')}/{what}"


def deliver(
    client: FlaskClient,
    url: str,
    fields: dict[str, str],
    *,
    token: str = AUTH_TOKEN,
    signature: str | None = None,
) -> TestResponse:
    """One post as the provider sends it; `url` without the scheme and host."""
    headers = {"X-Twilio-Signature": sign(token, PUBLIC + url, fields) if signature is None else signature}
    return client.post(
        url, data=urlencode(fields), headers=headers, content_type="application/x-www-form-urlencoded"
    )


def status(
    client: FlaskClient, delivery_token: str, state: str, *, sid: str = "SM1", code: int | None = None
) -> None:
    fields = {"AccountSid": ACCOUNT_SID, "MessageSid": sid, "MessageStatus": state}
    if code is not None:
        fields["ErrorCode"] = str(code)
    assert deliver(client, f"{path('status')}?d={delivery_token}", fields).status_code == 204


def text(client: FlaskClient, sender: str, body: str, **more: str) -> None:
    fields = {"AccountSid": ACCOUNT_SID, "MessageSid": "SM9", "From": sender, "Body": body, **more}
    assert deliver(client, path("message"), fields).status_code == 204


def apply(post: Post) -> None:
    """The worker's turn."""
    jobs.apply_handovers()
