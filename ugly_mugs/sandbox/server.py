"""A sandbox in a thread, for tests: started, stopped, asked and told what to do from outside its loop."""

import asyncio
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeVar

from ugly_mugs.sandbox.controls import mail_as_json, text_as_json
from ugly_mugs.sandbox.listening import Addresses, serve
from ugly_mugs.sandbox.memory import Kind
from ugly_mugs.sandbox.service import Service
from ugly_mugs.sandbox.settings import SandboxSettings

Result = TypeVar("Result")
START_WITHIN = 10.0


class Sandbox:
    """`with Sandbox(SandboxSettings(...)) as sandbox:` listens within and is gone after."""

    def __init__(self, settings: SandboxSettings | None = None) -> None:
        self.settings = settings or SandboxSettings()
        self._service = Service(self.settings)
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
        """Ends all connections at once; stopping twice is harmless."""
        if self._thread is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()

    def texts_to(self, phone: str) -> list[dict[str, Any]]:
        """What the service sent to this phone, newest first."""
        return self._ask(lambda: [
            text_as_json(text)
            for text in reversed(self._service.memory.phones.get(phone, []))
            if text.kind is Kind.SERVICE
        ])  # fmt: skip

    def thread_of(self, phone: str) -> list[dict[str, Any]]:
        """Everything on this phone, replies and the provider's own texts included, newest first."""
        return self._ask(
            lambda: [text_as_json(text) for text in reversed(self._service.memory.phones.get(phone, []))]
        )

    def mails_to(self, address: str) -> list[dict[str, Any]]:
        """What arrived in this inbox, newest first."""
        return self._ask(lambda: [
            mail_as_json(mail) for mail in self._service.memory.inbox(address)
        ])  # fmt: skip

    def text_count(self) -> int:
        return self._ask(lambda: self._service.memory.from_service)

    def mail_count(self) -> int:
        return self._ask(lambda: self._service.memory.mail_count)

    def waiting(self) -> int:
        """Callbacks and replies that the web has not been told yet."""
        return self._ask(lambda: self._service.waiting)

    def reply(self, phone: str, body: str, to: str | None = None) -> int | None:
        """Answer from a phone; the web's HTTP status (0: nobody answered), None when no webhook is set."""

        async def send() -> int | None:
            _, answered = self._service.replies.send(phone, body, to)
            return await answered if answered else None

        return asyncio.run_coroutine_threadsafe(send(), self._loop).result()

    def behave(self, **wishes: object) -> None:
        """Change what is named, as POST /sandbox/behaviour does; raises WrongBehaviour."""
        self._ask(lambda: self._service.behaviour.change(wishes))

    def behaviour(self) -> dict[str, Any]:
        return self._ask(self._service.behaviour.as_json)

    def call_answers(self) -> dict[str, int]:
        """How often the web gave each HTTP status, "unanswered", or was "elsewhere" and so never called."""
        return self._ask(lambda: dict(self._service.caller.answers))

    def reset(self) -> None:
        self._ask(self._service.reset)

    def _ask(self, question: Callable[[], Result]) -> Result:
        async def answer() -> Result:
            return question()

        return asyncio.run_coroutine_threadsafe(answer(), self._loop).result()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except OSError as problem:
            self._problem = problem
            self._started.set()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        await serve(self._service, self._stop, self._listens)

    def _listens(self, addresses: Addresses) -> None:
        self.addresses = addresses
        self._started.set()
