"""Sends each request to the API, the controls or the page, and keeps other sites' pages out of the last two."""

from collections.abc import Coroutine
from typing import Any

from ugly_mugs.sandbox.api import ROOT as API_ROOT
from ugly_mugs.sandbox.controls import ROOT as CONTROLS_ROOT, Controls
from ugly_mugs.sandbox.service import Service
from ugly_mugs.sandbox.settings import is_loopback
from ugly_mugs.sandbox.views import Views
from ugly_mugs.sandbox.wire import Reply, Request


class Front:
    def __init__(self, service: Service) -> None:
        self._api = service.api
        self._controls = Controls(service)
        self._views = Views(service)

    def answer(self, request: Request) -> Reply | Coroutine[Any, Any, Reply]:
        if request.path.startswith(API_ROOT):
            return self._api.answer(request)
        if not is_ours(request):
            return Reply(
                403, b"The sandbox answers to this machine's own pages only.", "text/plain; charset=utf-8"
            )
        if request.method == "HEAD":
            request.method = "GET"
        if request.path.startswith(CONTROLS_ROOT):
            return self._controls.answer(request)
        return self._views.answer(request)


def is_ours(request: Request) -> bool:
    """Whether a page of another site is behind this request: by a rebound name, or by posting a form across."""
    host = request.headers.get("host", "")
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    if not is_loopback(name):
        return False
    return request.method != "POST" or request.headers.get("sec-fetch-site", "none") in (
        "same-origin",
        "none",
    )
