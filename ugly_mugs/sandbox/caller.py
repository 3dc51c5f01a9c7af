"""Posts forms to the web as the provider does: signed, over a few kept connections, on this machine only."""

import asyncio
import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlencode, urlsplit

from ugly_mugs.sandbox.settings import is_loopback
from ugly_mugs.sandbox.signature import sign

LANES = 8
ANSWER_WITHIN = 15.0
RETRY_AFTER = (0.1, 0.3, 0.9, 2.0)

NO_ANSWER = 0


def is_well_formed(url: str) -> bool:
    """Whether a URL can be called at all; control characters in it would write headers of their own."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - reading it is the check
    except ValueError:
        return False
    plain = url.isascii() and url.isprintable() and " " not in url
    return plain and parts.scheme in ("http", "https") and bool(parts.hostname)


@dataclass(slots=True)
class Post:
    url: str
    fields: Mapping[str, str]
    signed: bool
    answered: "asyncio.Future[int] | None"


class Caller:
    """What has the same `order` key goes through the same lane, one after another."""

    def __init__(self, auth_token: str) -> None:
        self._auth_token = auth_token
        self._lanes = [Lane(self) for _ in range(LANES)]
        self._tasks: list[asyncio.Task[None]] = []
        self.answers: Counter[str] = Counter()

    def start(self) -> None:
        self._tasks = [asyncio.create_task(lane.run()) for lane in self._lanes]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for lane in self._lanes:
            lane.close()

    @property
    def waiting(self) -> int:
        return sum(lane.waiting for lane in self._lanes)

    def clear(self) -> None:
        for lane in self._lanes:
            lane.clear()
        self.answers.clear()

    def post(
        self, url: str, fields: Mapping[str, str], *, order: int, signed: bool = True,
        answered: "asyncio.Future[int] | None" = None,
    ) -> None:  # fmt: skip
        """Hand a form over; `answered` gets the HTTP status, or NO_ANSWER when nobody answered."""
        self._lanes[order % LANES].put(Post(url, fields, signed, answered))

    def encode(self, post: Post, host: str, target: str) -> bytes:
        body = urlencode(post.fields).encode()
        whose = ""
        if post.signed:
            whose = (
                f"User-Agent: TwilioProxy/1.1\r\nI-Twilio-Idempotency-Token: {secrets.token_hex(16)}\r\n"
                f"X-Twilio-Signature: {sign(self._auth_token, post.url, post.fields)}\r\n"
            )
        head = (
            f"POST {target} HTTP/1.1\r\nHost: {host}\r\nAccept: */*\r\n{whose}"
            "Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return head.encode("latin-1") + body


class Lane:
    """One kept connection to the web, and what still has to go over it."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._queue: asyncio.Queue[Post] = asyncio.Queue()
        self._connection: WebConnection | None = None
        self._address: tuple[str, int] | None = None
        self._was_refused = False
        self._under_way = 0

    @property
    def waiting(self) -> int:
        return self._queue.qsize() + self._under_way

    def put(self, post: Post) -> None:
        self._queue.put_nowait(post)

    def clear(self) -> None:
        while not self._queue.empty():
            _tell(self._queue.get_nowait(), NO_ANSWER)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    async def run(self) -> None:
        while True:
            post = await self._queue.get()
            self._under_way = 1
            status = await self._deliver(post)
            self._under_way = 0
            _tell(post, status)

    async def _deliver(self, post: Post) -> int:
        parts = urlsplit(post.url)
        if not is_well_formed(post.url) or parts.scheme != "http" or not is_loopback(parts.hostname or ""):
            self._caller.answers["elsewhere"] += 1
            return NO_ANSWER
        address = (parts.hostname or "", parts.port or 80)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        request = self._caller.encode(post, parts.netloc.rpartition("@")[2], target)
        # While nobody listens, each further post is tried once only: otherwise a web that is down
        # for a minute would leave hours of waiting behind it.
        for pause in (0.0,) if self._was_refused else (0.0, *RETRY_AFTER):
            await asyncio.sleep(pause)
            try:
                status = await self._exchange(address, request)
            except TimeoutError:
                # It may well have arrived, and the provider does not send such a one again either.
                self._forget()
                break
            except OSError:
                self._forget()
                continue
            self._was_refused = False
            self._caller.answers[str(status)] += 1
            return status
        self._was_refused = True
        self._caller.answers["unanswered"] += 1
        return NO_ANSWER

    def _forget(self) -> None:
        self.close()
        self._connection = None

    async def _exchange(self, address: tuple[str, int], request: bytes) -> int:
        async with asyncio.timeout(ANSWER_WITHIN):
            kept = self._connection
            if kept is not None and kept.is_open and self._address == address:
                try:
                    return await kept.exchange(request)
                except ConnectionError:
                    # The web closed a kept connection just as it was used; a fresh one tells more.
                    self._connection = None
            self.close()
            _, connection = await asyncio.get_running_loop().create_connection(WebConnection, *address)
            self._connection, self._address = connection, address
            return await connection.exchange(request)


class WebConnection(asyncio.Protocol):
    """Reads no more of an answer than its status and where it ends."""

    def __init__(self) -> None:
        self.is_open = False
        self._buffer = b""
        self._answer: asyncio.Future[int] | None = None
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.is_open = True

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(
                ConnectionResetError("The web closed the connection without an answer.")
            )

    def close(self) -> None:
        if self.is_open:
            self._transport.close()
            self.is_open = False

    async def exchange(self, request: bytes) -> int:
        self._buffer = b""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0 or self._answer is None or self._answer.done():
            return
        first, *lines = self._buffer[:end].decode("latin-1").lower().split("\r\n")
        headers = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
        status = first.split(" ")[1] if first.startswith("http/1.") else ""
        length = "0" if status in ("204", "304") else headers.get("content-length", "")
        if not status.isdigit():
            self._answer.set_exception(ConnectionResetError("What answered does not speak HTTP."))
            self.close()
        elif not length.isdigit() or headers.get("connection") == "close":
            # Nobody reads the body, so an answer without a length is finished once its head is here.
            self._answer.set_result(int(status))
            self.close()
        elif len(self._buffer) >= end + 4 + int(length):
            self._answer.set_result(int(status))


def _tell(post: Post, status: int) -> None:
    if post.answered is not None and not post.answered.done():
        post.answered.set_result(status)
