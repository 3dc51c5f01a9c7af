"""Serves the sandbox in an event loop: its mail server, and Twilio's API, the control API and the page for people."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Handler

from ugly_mugs.sandbox.control_api import ControlApi
from ugly_mugs.sandbox.mail_server import MailServer
from ugly_mugs.sandbox.provider import Provider
from ugly_mugs.sandbox.settings import is_loopback
from ugly_mugs.sandbox.twilio.api import TwilioApi
from ugly_mugs.sandbox.twilio.messages import ROOT as TWILIO_ROOT
from ugly_mugs.sandbox.views import Views

# Requests under way get this many seconds to finish, twice; aiohttp takes 0 for "no limit".
STOP_WITHIN = 0.1
MAX_BODY = 256 * 1024


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


def build_application(provider: Provider) -> web.Application:
    views = Views(provider)
    application = web.Application(middlewares=[_only_this_machine, views.not_found], client_max_size=MAX_BODY)
    application.add_subapp(TWILIO_ROOT, TwilioApi(provider).application())
    application.add_subapp("/sandbox", ControlApi(provider).application())
    application.add_routes(views.routes())
    return application


@web.middleware
async def _only_this_machine(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Keeps pages of other sites from reading and changing anything; the API asks for credentials instead."""
    if request.path.startswith(TWILIO_ROOT) or _is_ours(request):
        return await handler(request)
    return web.Response(status=403, text="The sandbox answers to this machine's own pages only.")


def _is_ours(request: web.Request) -> bool:
    """False for a host name that a site has pointed at this machine, and for a form that another site posts."""
    host = request.headers.get("Host", "")
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    if not is_loopback(name):
        return False
    return request.method != "POST" or request.headers.get("Sec-Fetch-Site", "none") in (
        "same-origin",
        "none",
    )
