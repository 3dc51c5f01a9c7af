"""A running sandbox, a real Twilio client pointed at it, and a small web that remembers what it was told."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

import pytest
from twilio.rest import Client
from twilio.rest.api.v2010.account.message import MessageInstance

from tests.make.sandbox import Sandbox
from ugly_mugs.sandbox.settings import ACCOUNT_SID, AUTH_TOKEN, SandboxSettings

SENDER = "+447700900900"
ASH = "+447700900111"
BRIAR = "+447700900112"


@dataclass(frozen=True)
class Heard:
    path: str
    headers: dict[str, str]
    fields: dict[str, str]

    @property
    def status(self) -> str:
        return self.fields["MessageStatus"]


@dataclass
class Web:
    url: str = ""
    heard: list[Heard] = field(default_factory=list)
    answers: int = 204
    closes_without_notice: bool = False

    def statuses(self) -> list[str]:
        return [heard.status for heard in self.heard]


def web_server(web: Web, port: int = 0) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            heard = Heard(self.path, dict(self.headers), dict(parse_qsl(body, keep_blank_values=True)))
            web.heard.append(heard)
            self.send_response(web.answers)
            self.send_header("Content-Length", "0")
            self.end_headers()
            self.close_connection = web.closes_without_notice

        def log_message(self, format: str, *args: object) -> None:
            """Tests are quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    web.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    return server


@pytest.fixture
def web() -> Iterator[Web]:
    web = Web()
    server = web_server(web)
    yield web
    server.shutdown()
    server.server_close()


@pytest.fixture
def sandbox(web: Web) -> Iterator[Sandbox]:
    settings = SandboxSettings(
        callback_delay_ms=20, message_webhook=f"{web.url}/webhooks/twilio/token/message"
    )
    with Sandbox(settings) as sandbox:
        yield sandbox


@pytest.fixture
def client(sandbox: Sandbox) -> Client:
    return twilio_client(sandbox)


def send(client: Client, to: str = ASH, **fields: Any) -> MessageInstance:
    """Send a text as a correct sender does; `fields` replace or add what it says."""
    return client.messages.create(**{"to": to, "from_": SENDER, "body": "New notice 4F7K.", **fields})


def twilio_client(sandbox: Sandbox, token: str = AUTH_TOKEN) -> Client:
    client = Client(ACCOUNT_SID, token)
    client.api.base_url = sandbox.url
    return client


def wait_until(holds: Callable[[], object], within: float = 30.0) -> None:
    end = time.monotonic() + within
    while not holds():
        assert time.monotonic() < end, "It did not happen in time."
        time.sleep(0.005)
