"""The SMS provider's webhooks, which are handed over to the worker, and the opt-out page."""

import base64
import hmac

from flask import Blueprint, Response, make_response, render_template, request

from ugly_mugs.accounts.guard import machine
from ugly_mugs.database.engine import db
from ugly_mugs.errors import NotThere, or_not_there
from ugly_mugs.outbox import optouts
from ugly_mugs.outbox.inbound.handovers import hand_over
from ugly_mugs.outbox.models import Address, HandoverKind
from ugly_mugs.outbox.registry import registry
from ugly_mugs.runtime import runtime

outbox = Blueprint("outbox", __name__)

LARGEST_POST = 64 * 1024
LONGEST_QUERY = 2_000
LONGEST_SIGNATURE = 200


@outbox.post("/webhooks/twilio/<path_token>/status")
@machine
def status(path_token: str) -> Response:
    return _hand_over_request(path_token, HandoverKind.STATUS_CAME)


@outbox.post("/webhooks/twilio/<path_token>/message")
@machine
def message(path_token: str) -> Response:
    return _hand_over_request(path_token, HandoverKind.MESSAGE_CAME)


def _hand_over_request(path_token: str, kind: HandoverKind) -> Response:
    """Check path token and size; the worker checks the signature, because only it has the provider's token."""
    vault = runtime().vault
    if not hmac.compare_digest(path_token.encode("utf-8", "replace"), vault.path_token("webhook").encode()):
        raise NotThere
    request.max_content_length = LARGEST_POST
    body = request.get_data(cache=False)
    query = request.query_string.decode("latin-1")[:LONGEST_QUERY]
    signature = request.headers.get("X-Twilio-Signature", "")[:LONGEST_SIGNATURE]
    payload = {"query": query, "body": base64.b64encode(body).decode("ascii"), "signature": signature}
    hand_over(vault=vault, kind=kind, payload=payload, now=runtime().clock.now())
    db.session.commit()
    return make_response("", 204)


@outbox.get("/opt-out/<token>")
@machine
def ask_opt_out(token: str) -> str:
    """Asks for confirmation, because some mail programs fetch every link of a mail."""
    _opt_out_address(token)
    return render_template("outbox/opt_out.html")


@outbox.post("/opt-out/<token>")
@machine
def opt_out(token: str) -> str:
    """One-click opt-out (RFC 8058), without cookie or sign-in. Repeating it changes nothing."""
    now = runtime().clock.now()
    address = _opt_out_address(token)
    if address is not None and optouts.close(registry=registry(), address=address, now=now):
        payload = {"owner_id": address.owner_id.hex, "channel": address.channel.value}
        hand_over(vault=runtime().vault, kind=HandoverKind.OPTED_OUT, payload=payload, now=now)
        db.session.commit()
    return render_template("outbox/opted_out.html")


def _opt_out_address(token: str) -> Address | None:
    """The address of this link; None when it was deleted. NotThere for an invalid token."""
    return db.session.get(Address, or_not_there(runtime().vault.read_opt_out_token(token)))
