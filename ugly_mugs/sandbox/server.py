"""Starts and stops the sandbox: `serve` in an event loop, `Sandbox` in a thread of its own for tests."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

from aiohttp import web

from ugly_mugs.sandbox.application import build_application
from ugly_mugs.sandbox.control_api import mail_as_json, text_as_json
from ugly_mugs.sandbox.mail_server import MailServer
from ugly_mugs.sandbox.memory import Kind
from ugly_mugs.sandbox.provider import Provider
from ugly_mugs.sandbox.settings import SandboxSettings

Result = TypeVar("Result")
START_WITHIN = 10.0
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


class Sandbox:
    """`with Sandbox(SandboxSettings(...)) as sandbox:` runs a sandbox for the length of the block."""

    def __init__(self, settings: SandboxSettings | None = None) -> None:
        self.settings = settings or SandboxSettings()
        self._provider = Provider(self.settings)
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop
        self._stop: asyncio.Event
        self._started = threading.Event()
        self._problem: OSError | None = None
        self.addresses: Addresses

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return self.addresses.url

    @property
    def port(self) -> int:
        return self.addresses.port

    @property
    def smtp_port(self) -> int:
        return self.addresses.smtp_port

    @property
    def smtp_url(self) -> str:
        return self.addresses.smtp_url

    def start(self) -> None:
        """Returns when both ports listen; raises OSError when one is taken."""
        self._thread = threading.Thread(target=self._run, name="sandbox", daemon=True)
        self._thread.start()
        if not self._started.wait(START_WITHIN):
            raise OSError("The sandbox did not start in time.")
        if self._problem is not None:
            raise self._problem

    def stop(self) -> None:
        """Ends all connections; stopping twice is harmless."""
        if self._thread is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()

    def texts_to(self, phone: str) -> list[dict[str, Any]]:
        """What the service sent to this phone, newest first."""
        return self._call(lambda: [
            text_as_json(text)
            for text in reversed(self._provider.memory.phones.get(phone, []))
            if text.kind is Kind.SERVICE
        ])  # fmt: skip

    def thread_of(self, phone: str) -> list[dict[str, Any]]:
        """Everything on this phone, replies and Twilio's own answers included, newest first."""
        return self._call(
            lambda: [text_as_json(text) for text in reversed(self._provider.memory.phones.get(phone, []))]
        )

    def mails_to(self, address: str) -> list[dict[str, Any]]:
        """What arrived in this inbox, newest first."""
        return self._call(lambda: [mail_as_json(mail) for mail in self._provider.memory.inbox(address)])

    def text_count(self) -> int:
        return self._call(lambda: self._provider.memory.from_service)

    def mail_count(self) -> int:
        return self._call(lambda: self._provider.memory.mail_count)

    def waiting(self) -> int:
        """The number of callbacks and replies that the web has not been told yet."""
        return self._call(lambda: self._provider.waiting)

    def reply(self, phone: str, body: str, to: str | None = None) -> int | None:
        """Reply from a phone; the web's HTTP status (0 for no answer), or None when no webhook is set."""

        async def send() -> int | None:
            _, status = self._provider.replies.send(phone, body, to)
            return await status if status else None

        return asyncio.run_coroutine_threadsafe(send(), self._loop).result()

    def behave(self, **changes: object) -> None:
        """Change what is named, as POST /sandbox/behaviour does; raises WrongBehaviour."""
        self._call(lambda: self._provider.behaviour.change(changes))

    def behaviour(self) -> dict[str, Any]:
        return self._call(self._provider.behaviour.as_json)

    def call_answers(self) -> dict[str, int]:
        """How often the web gave each HTTP status, was "unanswered", or was "elsewhere" and so not called."""
        return self._call(lambda: dict(self._provider.web_client.answers))

    def reset(self) -> None:
        self._call(self._provider.reset)

    def _call(self, function: Callable[[], Result]) -> Result:
        """Run a function in the sandbox's event loop, where nothing else runs meanwhile."""

        async def call() -> Result:
            return function()

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except OSError as problem:
            self._problem = problem
            self._started.set()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        await serve(self._provider, self._stop, self._listens)

    def _listens(self, addresses: Addresses) -> None:
        self.addresses = addresses
        self._started.set()
