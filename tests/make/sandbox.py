"""The sandbox as the provider of an installation under test: the real wire, on this machine."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import pytest

from tests.make.databases import settings_for
from ugly_mugs.sandbox.control_api import mail_as_json, text_as_json
from ugly_mugs.sandbox.memory import Kind
from ugly_mugs.sandbox.provider import Provider
from ugly_mugs.sandbox.server import Addresses, serve
from ugly_mugs.sandbox.settings import ACCOUNT_SID, AUTH_TOKEN, SandboxSettings
from ugly_mugs.settings import Settings

# Not one of the numbers that tests write to: nobody can text themselves.
SENDER = "+442079460000"


Result = TypeVar("Result")
# Seconds; a busy machine may need many.
START_WITHIN = 180.0


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


@pytest.fixture(scope="session")
def running_sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running_sandbox: Sandbox) -> Sandbox:
    running_sandbox.reset()
    running_sandbox.behave(callbacks="off", callback_delay_ms=0)
    return running_sandbox


def sandbox_settings(url: str, keys: Path, sandbox: Sandbox, **changes: str) -> Settings:
    """Settings of an installation that sends through this sandbox."""
    return settings_for(
        url,
        keys,
        **{
            "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
            "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
            "TWILIO_FROM": SENDER,
            "TWILIO_API_URL": sandbox.url,
            "SMTP_URL": sandbox.smtp_url,
            **changes,
        },
    )
