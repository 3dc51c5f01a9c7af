"""E-mails by SMTP: rendered once for everybody who gets the same text, sent over connections that are kept."""

import quopri
import re
import smtplib
import socket
import ssl
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from functools import cache, lru_cache
from urllib.parse import unquote, urlsplit

from flask import render_template

from ugly_mugs.clock import Clock
from ugly_mugs.outbox.gateways.transport import (
    Accepted,
    Ambiguous,
    BadAddress,
    Later,
    Never,
    NeverConnected,
    NotSent,
    Outgoing,
    SenderBroken,
    Untrusted,
)
from ugly_mugs.outbox.registry import MessageText
from ugly_mugs.settings import Settings
from ugly_mugs.vault import WorkerVault
from ugly_mugs.vault.encoding import to_text
from ugly_mugs.web.page_language import in_language

# Some mail servers limit the number of mails in one connection.
MAILS_PER_CONNECTION = 100
RENDERED_KEPT = 64
CLOSING = 421
GO_AHEAD = 354
UNSAFE = re.compile(r"[\s<>\x00-\x1f\x7f]|[^\x00-\x7f]")
MESSAGE_ID_LENGTH = 16
# RFC 5321, 4.5.3.1.1; `+` and the token of a return path take 49 octets.
LONGEST_LOCAL_PART = 64
LOCAL_PART_LEFT = LONGEST_LOCAL_PART - 49

# By whether the body is quoted-printable, where a space at the end of a line must be encoded.
SIGNATURE = {False: b"\r\n-- \r\n", True: b"\r\n--=20\r\n"}


class LocalPartTooLong(ValueError):
    """The sender address is too long for a return path of its own for each mail."""


@dataclass(frozen=True, slots=True)
class MailServer:
    scheme: str
    host: str
    port: int
    user: str
    password: str = field(repr=False)

    @classmethod
    def from_url(cls, url: str) -> "MailServer":
        parts = urlsplit(url)
        port = parts.port or {"smtps": 465, "smtp+starttls": 587}.get(parts.scheme, 25)
        return cls(
            parts.scheme,
            parts.hostname or "",
            port,
            unquote(parts.username or ""),
            unquote(parts.password or ""),
        )

    def connect(self, timeout: float) -> smtplib.SMTP:
        """Connect, greet and sign in; raises NeverConnected, Untrusted or SenderBroken."""
        try:
            connection = self._open(timeout)
            connection.ehlo_or_helo_if_needed()
            if self.user:
                connection.login(self.user, self.password)
        except (smtplib.SMTPAuthenticationError, smtplib.SMTPNotSupportedError) as problem:
            raise SenderBroken(getattr(problem, "smtp_code", None)) from None
        except ssl.SSLCertVerificationError:
            raise Untrusted from None
        except (smtplib.SMTPException, OSError) as problem:
            raise NeverConnected(getattr(problem, "smtp_code", None)) from None
        return connection

    def _open(self, timeout: float) -> smtplib.SMTP:
        """Connect. Without an SSL context of ours smtplib would accept any certificate."""
        name = _our_name()
        if self.scheme == "smtps":
            trusted = ssl.create_default_context()
            return smtplib.SMTP_SSL(
                self.host, self.port, local_hostname=name, timeout=timeout, context=trusted
            )
        connection = smtplib.SMTP(self.host, self.port, local_hostname=name, timeout=timeout)
        if self.scheme == "smtp+starttls":
            connection.starttls(context=ssl.create_default_context())
        return connection


@dataclass(frozen=True, slots=True)
class Rendered:
    """The part of a mail that is the same for all recipients: common header fields, body, and its encoding."""

    head: bytes = field(repr=False)
    body: bytes = field(repr=False)
    quoted: bool

    def for_person(self, lines: Mapping[str, str], ending: str) -> bytes:
        """The whole mail for one person. `lines` hold only values of our own and an address that was validated."""
        own = "".join(f"{name}: {value}\r\n" for name, value in lines.items()).encode()
        end = ending.encode()
        if self.quoted:
            end = quopri.encodestring(end)
        return b"".join(
            (own, self.head, b"\r\n", self.body, SIGNATURE[self.quoted], end.replace(b"\n", b"\r\n"))
        )


def render(text: MessageText, *, sender: str) -> Rendered:
    """The common part of a mail: plain text only, without images or anything else that reports back."""
    message = EmailMessage(policy=policy.SMTP)
    message["From"] = sender
    message["Subject"] = text.subject
    message["Auto-Submitted"] = "auto-generated"
    for name, value in text.headers.items():
        message[name] = value
    plain = text.text.isascii() and all(len(line) < 900 for line in text.text.splitlines())
    message.set_content(text.text, cte="7bit" if plain else "quoted-printable")
    head, _, body = message.as_bytes().partition(b"\r\n\r\n")
    return Rendered(head + b"\r\n", body, quoted=not plain)


class OwnConnection(threading.local):
    """The connection of the calling thread, and how many mails it has sent over it."""

    connection: smtplib.SMTP | None = None
    sent = 0


class MailGateway:
    """Sends mails; every sending thread has its own connection."""

    def __init__(self, settings: Settings, vault: WorkerVault, clock: Clock) -> None:
        if settings.smtp_url is None:
            raise ValueError("no mail server is set")
        self._server = MailServer.from_url(settings.smtp_url.value)
        self._timeout = settings.sms_timeout
        self._vault = vault
        self._clock = clock
        self._from = formataddr((settings.site_name, settings.mail_from))
        self._local, _, self._domain = settings.mail_from.rpartition("@")
        if len(self._local) > LOCAL_PART_LEFT:
            raise LocalPartTooLong(settings.mail_from)
        self._opt_out = f"{settings.public_url}/opt-out/"
        self._endings = {language: _ending(language) for language in settings.languages}
        self._default_ending = self._endings[settings.languages[0]]
        self._rendered: OrderedDict[int, tuple[MessageText, Rendered]] = OrderedDict()
        self._lock = threading.Lock()
        self._own = OwnConnection()

    def send(self, message: Outgoing) -> Accepted:
        """Send one mail. A 4xx raises Later, a 5xx Never, a connection lost after DATA Ambiguous."""
        mail = self._mail_for(message)
        connection = self._connection()
        if self._own.sent:
            try:
                self._hand_over(connection, message, mail)
            except NeverConnected:
                # The server had closed the kept connection and has nothing of this mail, so a new one may be tried.
                self._hand_over(self._connection(), message, mail)
        else:
            self._hand_over(connection, message, mail)
        self._own.sent += 1
        return Accepted(None)

    def _hand_over(self, connection: smtplib.SMTP, message: Outgoing, mail: bytes) -> None:
        # smtplib's own address parsing takes longer than all the rest. Addresses were validated when they were
        # given, and this check keeps them inside their angle brackets.
        if UNSAFE.search(message.to):
            raise BadAddress
        sender, recipient = f"FROM:<{self._return_path(message)}>", f"TO:<{message.to}>"
        body = mail.replace(b"\r\n.", b"\r\n..") + b".\r\n"
        may_be_accepted = False
        try:
            if connection.has_extn("pipelining"):
                # One packet instead of three; the replies come in the same order (RFC 2920).
                connection.send(f"MAIL {sender}\r\nRCPT {recipient}\r\nDATA\r\n".encode())
                replies = [connection.getreply()]
                while len(replies) < 3 and replies[-1][0] != CLOSING:
                    replies.append(connection.getreply())
                if replies[-1][0] == GO_AHEAD and any(code >= 400 for code, _ in replies):
                    # A server that asks for the mail although it refused the recipient gets an empty one.
                    connection.send(b".\r\n")
                    connection.getreply()
            else:
                replies = [connection.docmd("MAIL", sender)]
                replies += [connection.docmd("RCPT", recipient)] if replies[0][0] < 400 else []
                replies += [connection.docmd("DATA")] if replies[-1][0] < 400 else []
            for (code, _), refused in zip(replies, REFUSALS, strict=False):
                _check(code, refused=refused)
            # From here on the server may have accepted the mail although its reply is lost.
            may_be_accepted = True
            connection.send(body)
            code, _ = connection.getreply()
            _check(code, refused=Never)
        except (Later, Never) as refusal:
            if refusal.code == CLOSING:
                self.hang_up()
            else:
                self._reset(connection)
            raise
        except (smtplib.SMTPException, OSError):
            self._drop_connection()
            raise (Ambiguous() if may_be_accepted else NeverConnected()) from None

    def hang_up(self) -> None:
        """Close the calling thread's connection with QUIT."""
        connection, self._own.connection = self._own.connection, None
        if connection is not None:
            try:
                connection.quit()
            except (smtplib.SMTPException, OSError):
                connection.close()

    def _connection(self) -> smtplib.SMTP:
        if self._own.sent >= MAILS_PER_CONNECTION:
            self.hang_up()
        if self._own.connection is None:
            self._own.connection, self._own.sent = self._server.connect(self._timeout), 0
        return self._own.connection

    def _reset(self, connection: smtplib.SMTP) -> None:
        """Reset the connection after a refusal; drop it if it does not accept that."""
        try:
            connection.rset()
        except (smtplib.SMTPException, OSError):
            self._drop_connection()

    def _drop_connection(self) -> None:
        connection, self._own.connection = self._own.connection, None
        if connection is not None:
            connection.close()

    def _mail_for(self, message: Outgoing) -> bytes:
        link = self._opt_out + self._vault.opt_out_token(message.address_id)
        lines = {
            "To": message.to,
            "Date": _date(int(self._clock.now().timestamp())),
            "Message-ID": self._message_id(message),
            "List-Unsubscribe": f"<{link}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }
        ending = self._endings.get(message.language, self._default_ending)
        return self._rendered_of(message.text).for_person(lines, f"{ending}\n{link}\n")

    def _message_id(self, message: Outgoing) -> str:
        """The same for every attempt, so that a mailbox that gets the mail twice keeps one copy."""
        token = self._vault.keyed("rest", b"message-id", message.delivery_id.bytes)[:MESSAGE_ID_LENGTH]
        return f"<{to_text(token)}@{self._domain}>"

    def _return_path(self, message: Outgoing) -> str:
        """The envelope sender, different for each mail, so that a bounce names its delivery (VERP)."""
        return f"{self._local}+{self._vault.verp_token(message.delivery_id)}@{self._domain}"

    def _rendered_of(self, text: MessageText) -> Rendered:
        known = self._rendered.get(id(text))
        # The cache keeps the text itself, because the id of a deleted object can be used again.
        if known is not None and known[0] is text:
            return known[1]
        rendered = render(text, sender=self._from)
        with self._lock:
            self._rendered[id(text)] = (text, rendered)
            while len(self._rendered) > RENDERED_KEPT:
                self._rendered.popitem(last=False)
        return rendered


def _ending(language: str) -> str:
    with in_language(language):
        return render_template("messages/mail_ending.txt").strip()


@cache
def _our_name() -> str:
    """The name for EHLO; smtplib would ask a name server for it at every connection."""
    return socket.getfqdn()


@lru_cache(maxsize=4)
def _date(second: int) -> str:
    """The Date header field; thousands of mails have the same."""
    return format_datetime(datetime.fromtimestamp(second, UTC))


def _recipient_refused(code: int) -> Never:
    # 550, 551 and 553: there is no such mailbox. 552 and 554 may concern this mail only.
    return BadAddress(code) if code in (550, 551, 553) else Never(code)


def _check(code: int, *, refused: Callable[[int], NotSent]) -> None:
    """Raise Later for a 4xx, and what `refused` returns for a 5xx."""
    if code >= 500:
        raise refused(code)
    if code >= 400 or code < 0:
        raise Later(code)


# What a 5xx reply to MAIL, RCPT and DATA means.
REFUSALS: tuple[Callable[[int], NotSent], ...] = (SenderBroken, _recipient_refused, Never)
