"""Listens for web requests and mail until told to stop, and then ends every connection at once."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from ugly_mugs.sandbox.front import Front
from ugly_mugs.sandbox.mailserver import MailServer
from ugly_mugs.sandbox.service import Service
from ugly_mugs.sandbox.wire import HttpConnection


@dataclass(frozen=True, slots=True)
class Addresses:
    host: str
    port: int
    smtp_port: int

    @property
    def url(self) -> str:
        return f"http://{_bracketed(self.host)}:{self.port}"

    @property
    def smtp_url(self) -> str:
        return f"smtp://{_bracketed(self.host)}:{self.smtp_port}"


async def serve(service: Service, stop: asyncio.Event, ready: Callable[[Addresses], None]) -> None:
    """Listen until told to stop; raises OSError when a port is taken."""
    loop = asyncio.get_running_loop()
    settings = service.settings
    front = Front(service)
    open_ones: set[asyncio.BaseTransport] = set()
    web = await loop.create_server(
        lambda: HttpConnection(front.answer, open_ones), settings.host, settings.port, backlog=1024
    )
    try:
        mail = MailServer(settings.host, settings.smtp_port, service.memory, service.behaviour)
        try:
            service.caller.start()
            ready(Addresses(settings.host, _port(web), mail.port))
            await stop.wait()
        finally:
            mail.close()
            await service.caller.stop()
    finally:
        web.close()
        # Kept connections would hold the loop open for as long as a client likes.
        for transport in list(open_ones):
            if isinstance(transport, asyncio.Transport):
                transport.abort()


def _port(server: asyncio.Server) -> int:
    return int(server.sockets[0].getsockname()[1])


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
