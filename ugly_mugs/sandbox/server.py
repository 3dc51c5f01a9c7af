"""Serves the sandbox in an event loop: its HTTP application and its mail server."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from ugly_mugs.sandbox.application import build_application
from ugly_mugs.sandbox.mail_server import MailServer
from ugly_mugs.sandbox.provider import Provider

# Requests under way get this many seconds to finish, twice; aiohttp takes 0 for "no limit".
STOP_WITHIN = 0.1


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


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


async def serve(provider: Provider, stop: asyncio.Event, ready: Callable[[Addresses], None]) -> None:
    """Listen until `stop` is set, then end all connections; raises OSError when a port is taken."""
    settings = provider.settings
    runner = web.AppRunner(build_application(provider), access_log=None, shutdown_timeout=STOP_WITHIN)
    mail_server = MailServer(provider.memory, provider.behaviour)
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.host, settings.port, backlog=1024).start()
        smtp_port = await mail_server.start(settings.host, settings.smtp_port)
        await provider.web_client.start()
        ready(Addresses(settings.host, int(runner.addresses[0][1]), smtp_port))
        await stop.wait()
    finally:
        mail_server.stop()
        await provider.web_client.stop()
        await runner.cleanup()
