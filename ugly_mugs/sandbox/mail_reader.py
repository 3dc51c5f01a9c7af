"""A received mail as a person reads it; it is parsed when somebody looks, not when it arrives."""

import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage, MIMEPart
from functools import lru_cache

from ugly_mugs.sandbox.memory import Mail

LINK = re.compile(r"<(https?://[^<>\s]+)>")


@dataclass(frozen=True, slots=True)
class Letter:
    subject: str
    sender: str
    to: str
    text: str
    headers: tuple[tuple[str, str], ...]

    def header(self, name: str) -> str | None:
        return next((value for known, value in self.headers if known.lower() == name.lower()), None)

    @property
    def unsubscribe_link(self) -> str | None:
        link = LINK.search(self.header("List-Unsubscribe") or "")
        return link[1] if link else None

    @property
    def is_one_click(self) -> bool:
        """Whether a mail program may unsubscribe its reader by itself (RFC 8058)."""
        post = self.header("List-Unsubscribe-Post") or ""
        return self.unsubscribe_link is not None and post.strip() == "List-Unsubscribe=One-Click"


def read_mail(mail: Mail) -> Letter:
    return _parse(mail.raw)


@lru_cache(maxsize=256)
def _parse(raw: bytes) -> Letter:
    message = message_from_bytes(raw, _class=EmailMessage, policy=policy.default)
    headers = tuple((name, _header(message, name, source)) for name, source in message.raw_items())
    known = {name.lower(): value for name, value in reversed(headers)}
    body = message.get_body(("plain", "html"))
    return Letter(
        subject=known.get("subject", ""),
        sender=known.get("from", ""),
        to=known.get("to", ""),
        text=_text(body) if body is not None else "",
        headers=headers,
    )


def _header(message: EmailMessage, name: str, source: str) -> str:
    """A header as text. Python's parser does not decode plain UTF-8 in a header, which SMTPUTF8 allows."""
    if source.isascii():
        return str(message.policy.header_fetch_parse(name, source))
    return "".join(source.encode("ascii", "surrogateescape").decode("utf-8", "replace").splitlines())


def _text(part: MIMEPart) -> str:
    try:
        content = part.get_content()
    except (LookupError, KeyError):
        content = part.get_payload(decode=True)
    text = content.decode("utf-8", "replace") if isinstance(content, bytes) else str(content)
    return text.replace("\r\n", "\n")
