"""The signature that Twilio puts on every webhook, as its documentation describes it."""

import hmac
from base64 import b64encode
from collections.abc import Mapping


def sign(auth_token: str, url: str, fields: Mapping[str, str]) -> str:
    """HMAC-SHA1 over the full URL followed by each field's name and value in the order of the names."""
    text = url + "".join(name + fields[name] for name in sorted(fields))
    return b64encode(hmac.digest(auth_token.encode(), text.encode(), "sha1")).decode()
