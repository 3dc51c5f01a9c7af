"""The mail server: aiosmtpd with stricter checks, the refusals that a test asks for, and every mail kept."""

import asyncio
import logging
import re
from collections.abc import Sequence
from typing import AnyStr

from aiosmtpd.smtp import SMTP, Envelope, Session

from ugly_mugs.sandbox.behaviour import Behaviour
from ugly_mugs.sandbox.memory import Memory

MAX_SIZE = 10 * 1024 * 1024
MAX_RECIPIENTS = 1000
HANG_UP = 421
# aiosmtpd also takes an address without brackets, and bytes that are not UTF-8 (as U+DC80 to U+DCFF).
MAIL_PATH = re.compile(r"FROM: *<[^<>\s\udc80-\udcff]*>( .*)?", re.IGNORECASE)
RCPT_PATH = re.compile(
    r"TO: *<([^<>\s\udc80-\udcff]+@[^<>\s\udc80-\udcff]+|postmaster)>( .*)?", re.IGNORECASE
)
NULL_SENDER = "<>"


class MailServer:
    """Listens in the event loop that starts it."""

    def __init__(self, memory: Memory, behaviour: Behaviour) -> None:
        self._handler = MailHandler(memory, behaviour)
        self._connections: set[asyncio.BaseTransport] = set()
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """The port it listens on; raises OSError when that is taken."""
        # aiosmtpd logs every command at info level, into the log of the process that runs the sandbox.
        logging.getLogger("mail.log").setLevel(logging.WARNING)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: MailConnection(self._handler, self._connections), host, port, backlog=256
        )
        return int(self._server.sockets[0].getsockname()[1])

    def stop(self) -> None:
        """Stop listening and end every connection at once."""
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            if isinstance(connection, asyncio.Transport):
                connection.abort()


class MailConnection(SMTP):
    """One connection; aiosmtpd finds its commands by their names."""

    def __init__(self, handler: "MailHandler", connections: set[asyncio.BaseTransport]) -> None:
        super().__init__(
            handler,
            data_size_limit=MAX_SIZE,
            enable_SMTPUTF8=True,
            hostname="sandbox",
            ident="ESMTP, nothing leaves this machine",
            loop=asyncio.get_running_loop(),
        )
        self._connections = connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._connections.add(transport)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self.transport is not None:
            self._connections.discard(self.transport)
        super().connection_lost(error)

    async def push(self, status: AnyStr) -> None:
        """Send an answer; after 421 the server closes the connection (RFC 5321, 4.2.1)."""
        await super().push(status)
        if status[:3] in (b"421", "421") and self.transport is not None:
            self.transport.close()

    async def smtp_MAIL(self, arg: str | None) -> None:
        if arg is not None and not MAIL_PATH.fullmatch(arg):
            await self.push("501 5.5.4 MAIL FROM:<address>")
        else:
            await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg: str | None) -> None:
        # Without a sender the order of the commands is wrong, which aiosmtpd answers.
        if arg is not None and self.envelope and self.envelope.mail_from and not RCPT_PATH.fullmatch(arg):
            await self.push("501 5.1.3 RCPT TO:<address>")
        else:
            await super().smtp_RCPT(arg)

    async def smtp_AUTH(self, arg: str) -> None:
        await self.push("502 5.5.1 The sandbox does not do that")

    async def smtp_STARTTLS(self, arg: str) -> None:
        await self.smtp_AUTH(arg)


class MailHandler:
    """What happens at each command; aiosmtpd finds these methods by their names and sends what they return."""

    def __init__(self, memory: Memory, behaviour: Behaviour) -> None:
        self._memory = memory
        self._behaviour = behaviour

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        # aiosmtpd reads commands one by one from a buffer, so pipelining (RFC 2920) works; it only does not say so.
        return [responses[0], "250-PIPELINING", *responses[1:]]

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not (address.isascii() or envelope.smtp_utf8):
            return "553 5.6.7 Such an address needs SMTPUTF8"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not (address.isascii() or envelope.smtp_utf8):
            return "553 5.6.7 Such an address needs SMTPUTF8"
        if len(envelope.rcpt_tos) >= MAX_RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        refusal = self._refusal([address], "rcpt")
        if refusal:
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        raw = envelope.original_content or b""
        # A bare line feed can hide one mail inside another, so many servers refuse it (RFC 5321, 2.3.8).
        if not raw.count(b"\r\n") == raw.count(b"\n") == raw.count(b"\r"):
            return "550 5.5.2 Lines end with CR LF, always both"
        refusal = self._refusal(envelope.rcpt_tos, "data")
        if refusal:
            return refusal
        sender = envelope.mail_from if envelope.mail_from != NULL_SENDER else ""
        mail = self._memory.add_mail(sender or "", envelope.rcpt_tos, raw)
        return f"250 2.0.0 Kept as {mail.place}"

    def _refusal(self, addresses: Sequence[str], at: str) -> str | None:
        for address in addresses:
            rule = self._behaviour.mail_rule_for(address, at)
            if rule is not None and rule.code == HANG_UP:
                return "421 4.3.2 The sandbox was asked to hang up"
            if rule is not None:
                return f"{rule.code} {rule.code // 100}.0.0 The sandbox was asked to refuse"
        return None
