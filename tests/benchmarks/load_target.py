"""A provider that does as little as it can, so that the benchmarks measure the worker and not the other side.

It takes texts as Twilio does and mails as an SMTP server does, believes whatever it is sent, and counts. The sandbox
checks, keeps and shows everything, and on its libraries a mail costs it several times as much CPU time (decision 5).
"""

import asyncio
import json
import re
import socket
import sys
import threading
from urllib.parse import parse_qsl

from ugly_mugs.sandbox.memory import Kind, Memory
from ugly_mugs.sandbox.settings import ACCOUNT_SID
from ugly_mugs.sandbox.twilio.messages import message_as_json

HOST = "127.0.0.1"
CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
ANSWERS = {
    b"EHLO": b"250-load-target\r\n250-PIPELINING\r\n250 8BITMIME\r\n",
    b"DATA": b"354 Go on\r\n",
    b"QUIT": b"221 Goodbye\r\n",
}
END_OF_MAIL = b"\r\n.\r\n"


class Target:
    """What it has been sent, and how long it takes to answer."""

    def __init__(self) -> None:
        self.memory = Memory()
        self.latency = 0.0

    def answer(self, method: bytes, path: bytes, body: bytes) -> tuple[int, object, float]:
        """The status, the JSON, and the seconds to wait before it is sent."""
        if path.endswith(b"/Messages.json") and method == b"POST":
            form = dict(parse_qsl(body.decode()))
            text = self.memory.add_text(
                kind=Kind.SERVICE, to=form["To"], sender=form["From"], body=form["Body"]
            )
            return 201, message_as_json(text, ACCOUNT_SID), self.latency
        if path == b"/latency":
            self.latency = json.loads(body)["milliseconds"] / 1000
            return 200, {}, 0.0
        if path == b"/count":
            return 200, {"count": self.memory.from_service}, 0.0
        return 404, {"code": 20404, "message": "Not found", "status": 404}, self.latency


class HttpConnection(asyncio.Protocol):
    """One request after another; a client that sends the next before it has its answer is not served."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._buffer = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        length = CONTENT_LENGTH.search(self._buffer, 0, end)
        body = self._buffer[end + 4 :]
        if length and len(body) < int(length[1]):
            return
        method, path, _ = self._buffer[: self._buffer.index(b"\r\n")].split(b" ")
        self._buffer = b""
        status, content, wait = self._target.answer(method, path, body)
        if wait:
            asyncio.get_running_loop().call_later(wait, self._send, status, content)
        else:
            self._send(status, content)

    def _send(self, status: int, content: object) -> None:
        body = json.dumps(content).encode()
        head = f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self._transport.write(head.encode() + body)


def serve_mail(listener: socket.socket) -> None:
    """A thread for each connection: for SMTP's short turns that is faster than an event loop."""
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_take_mails, args=(connection,), daemon=True).start()


def _take_mails(connection: socket.socket) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(b"220 load-target\r\n")
    buffer, in_mail = b"", False
    while data := connection.recv(65_536):
        buffer += data
        answers = b""
        while (end := buffer.find(END_OF_MAIL if in_mail else b"\r\n")) >= 0:
            if in_mail:
                buffer, in_mail = buffer[end + len(END_OF_MAIL) :], False
                answers += b"250 Taken\r\n"
                continue
            verb, buffer = buffer[:4].upper(), buffer[end + 2 :]
            answers += ANSWERS.get(verb, b"250 OK\r\n")
            if verb == b"DATA":
                # So that a mail without a line ends at a line break, a dot and a line break too.
                buffer, in_mail = b"\r\n" + buffer, True
        if answers:
            connection.sendall(answers)


async def main() -> None:
    """Says on two lines where it listens, and runs until it is ended."""
    target = Target()
    listener = socket.create_server((HOST, 0), backlog=256)
    threading.Thread(target=serve_mail, args=(listener,), daemon=True).start()
    server = await asyncio.get_running_loop().create_server(
        lambda: HttpConnection(target), HOST, 0, backlog=1024
    )
    sys.stdout.write(f"Texts: http://{HOST}:{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.write(f"Mails: smtp://{HOST}:{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
