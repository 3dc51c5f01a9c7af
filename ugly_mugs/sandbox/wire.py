"""A small HTTP/1.1 server for loopback, fast enough to stand beside the program it is a load target for."""

import asyncio
import sys
import traceback
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import parse_qsl

MAX_HEAD = 16 * 1024
MAX_BODY = 256 * 1024
REASONS = {status.value: status.phrase for status in HTTPStatus}


@dataclass(slots=True)
class Request:
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes = b""

    def form(self) -> dict[str, str]:
        """The fields of the body; of a repeated one the last. Raises ValueError when it is no form."""
        return dict(
            parse_qsl(self.body.decode(), keep_blank_values=True, max_num_fields=200, errors="strict")
        )

    def asked(self) -> dict[str, str]:
        """The fields of the query string."""
        return dict(parse_qsl(self.query, keep_blank_values=True, max_num_fields=200))


@dataclass(slots=True)
class Reply:
    """`delay` is in seconds; `drop` closes the connection instead of answering."""

    status: int = 200
    body: bytes = b""
    kind: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    delay: float = 0.0
    drop: bool = False


Answer = Callable[[Request], Reply | Coroutine[Any, Any, Reply]]


class BadRequest(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(REASONS[status])
        self.status = status


class HttpConnection(asyncio.Protocol):
    """One kept connection: requests are answered strictly one after another, in the order they came."""

    def __init__(self, answer: Answer, connections: "set[asyncio.BaseTransport]") -> None:
        self._answer = answer
        self._connections = connections
        self._buffer = b""
        self._waiting_for_body: tuple[Request, int] | None = None
        self._busy = False
        self._paused = False
        self._keep = True
        self._head_only = False
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._connections.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data
        if not self._busy:
            self._read()
        elif len(self._buffer) > MAX_HEAD + MAX_BODY and not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def _read(self) -> None:
        while self._buffer and not self._busy and not self._transport.is_closing():
            try:
                request = self._next_request()
            except BadRequest as problem:
                self._keep = False
                self._send(Reply(problem.status, str(problem).encode(), "text/plain; charset=utf-8"))
                return
            if request is None:
                return
            self._busy = True
            self._head_only = request.method == "HEAD"
            self._handle(request)
        if self._paused and not self._busy:
            self._paused = False
            self._transport.resume_reading()

    def _next_request(self) -> Request | None:
        if self._waiting_for_body is None:
            end = self._buffer.find(b"\r\n\r\n", 0, MAX_HEAD)
            if end < 0:
                if len(self._buffer) >= MAX_HEAD:
                    raise BadRequest(431)
                return None
            self._waiting_for_body = self._parse_head(self._buffer[:end].decode("latin-1"))
            self._buffer = self._buffer[end + 4 :]
        request, length = self._waiting_for_body
        if len(self._buffer) < length:
            return None
        request.body, self._buffer = self._buffer[:length], self._buffer[length:]
        self._waiting_for_body = None
        return request

    def _parse_head(self, head: str) -> tuple[Request, int]:
        first, *lines = head.split("\r\n")
        words = first.split(" ")
        if len(words) != 3 or words[2] not in ("HTTP/1.1", "HTTP/1.0") or not words[1].startswith("/"):
            raise BadRequest(400)
        headers: dict[str, str] = {}
        for line in lines:
            name, colon, value = line.partition(":")
            name = name.lower()
            # A repeated length, or a space before the colon, is how one request is smuggled inside another.
            if (
                not colon
                or not name
                or name != name.strip()
                or (name in headers and name == "content-length")
            ):
                raise BadRequest(400)
            headers[name] = value.strip()
        if "transfer-encoding" in headers:
            raise BadRequest(501)
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()):
            raise BadRequest(400)
        if int(length) > MAX_BODY:
            raise BadRequest(413)
        if headers.get("expect", "").lower() == "100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._keep = words[2] == "HTTP/1.1" and headers.get("connection", "").lower() != "close"
        path, _, query = words[1].partition("?")
        return Request(words[0], path, query, headers), int(length)

    def _handle(self, request: Request) -> None:
        try:
            reply = self._answer(request)
        except Exception:
            self._send(_broken())
            return
        if not isinstance(reply, Reply):
            asyncio.ensure_future(self._wait_for(reply))  # noqa: RUF006 - it ends with its connection or the loop
        elif reply.delay:
            asyncio.get_running_loop().call_later(reply.delay, self._send_and_go_on, reply)
        else:
            self._send(reply)

    async def _wait_for(self, coming: Coroutine[Any, Any, Reply]) -> None:
        try:
            reply = await coming
        except Exception:
            reply = _broken()
        self._send_and_go_on(reply)

    def _send_and_go_on(self, reply: Reply) -> None:
        self._send(reply)
        self._read()

    def _send(self, reply: Reply) -> None:
        self._busy = False
        if self._transport.is_closing():
            return
        if reply.drop:
            self._transport.abort()
            return
        extra = "".join(f"{name}: {value}\r\n" for name, value in reply.headers)
        ending = "" if self._keep else "Connection: close\r\n"
        head = (
            f"HTTP/1.1 {reply.status} {REASONS[reply.status]}\r\nContent-Type: {reply.kind}\r\n"
            f"Content-Length: {len(reply.body)}\r\n{extra}{ending}\r\n"
        ).encode("latin-1")
        self._transport.write(head if self._head_only else head + reply.body)
        if not self._keep:
            self._transport.close()


def _broken() -> Reply:
    traceback.print_exc(file=sys.stderr)
    return Reply(500, b"The sandbox itself went wrong; its output says how.", "text/plain; charset=utf-8")
