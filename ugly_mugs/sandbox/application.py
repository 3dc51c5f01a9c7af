"""The sandbox's web application: Twilio's API, the control API for tests, and the page for people."""

from aiohttp import web
from aiohttp.typedefs import Handler

from ugly_mugs.sandbox.control_api import ControlApi
from ugly_mugs.sandbox.provider import Provider
from ugly_mugs.sandbox.settings import is_loopback
from ugly_mugs.sandbox.twilio.api import TwilioApi
from ugly_mugs.sandbox.twilio.messages import ROOT as TWILIO_ROOT
from ugly_mugs.sandbox.views import Views

MAX_BODY = 256 * 1024


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
