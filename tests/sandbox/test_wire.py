"""The small web server: careful with what it reads, whatever way it arrives."""

import http.client
import socket

import pytest

from ugly_mugs.sandbox.server import Sandbox
from ugly_mugs.sandbox.wire import MAX_BODY


def exchange(sandbox: Sandbox, *pieces: bytes) -> bytes:
    """Everything the server says to these bytes until it closes, or until it waits for more."""
    with socket.create_connection(("127.0.0.1", sandbox.port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            connection.sendall(piece)
        connection.settimeout(0.3)
        said = b""
        try:
            while data := connection.recv(65_536):
                said += data
        except TimeoutError:
            pass
        return said


GET = b"GET /sandbox/messages.json HTTP/1.1\r\nHost: localhost\r\n\r\n"


class TestReading:
    def test_two_requests_in_one_packet_get_two_answers_in_order(self, sandbox: Sandbox) -> None:
        other = GET.replace(b"messages.json", b"nothing")

        said = exchange(sandbox, GET + other)

        assert said.count(b"HTTP/1.1 ") == 2
        assert said.index(b"HTTP/1.1 200") < said.index(b"HTTP/1.1 404")

    def test_a_request_may_come_byte_by_byte(self, sandbox: Sandbox) -> None:
        said = exchange(sandbox, *(GET[n : n + 1] for n in range(len(GET))))

        assert said.startswith(b"HTTP/1.1 200")

    def test_a_connection_is_kept_unless_the_client_wants_it_closed(self, sandbox: Sandbox) -> None:
        kept = exchange(sandbox, GET)
        closed = exchange(sandbox, GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") + GET)
        old = exchange(sandbox, GET.replace(b"HTTP/1.1", b"HTTP/1.0") + GET)

        assert b"Connection: close" not in kept
        assert closed.count(b"HTTP/1.1 200") == old.count(b"HTTP/1.1 200") == 1
        assert b"Connection: close" in closed

    def test_a_head_request_gets_the_head_only(self, sandbox: Sandbox) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", sandbox.port)
        for _ in range(2):
            connection.request("HEAD", "/")
            answer = connection.getresponse()
            assert (answer.status, answer.read()) == (200, b"")
        connection.close()

    def test_a_client_that_asks_first_is_told_to_go_on(self, sandbox: Sandbox) -> None:
        head = b"POST /sandbox/reset HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"

        said = exchange(sandbox, head + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n", b"{}")

        assert said.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200")

    @pytest.mark.parametrize(
        ("request_bytes", "status"),
        [
            (b"NONSENSE\r\n\r\n", b"400"),
            (b"GET / HTTP/2.0\r\n\r\n", b"400"),
            (b"GET http://elsewhere/ HTTP/1.1\r\n\r\n", b"400"),
            (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", b"400"),
            (b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n", b"400"),
            (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"400"),
            (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", b"400"),
            (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"501"),
            (b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY + 1), b"413"),
            (b"GET / HTTP/1.1\r\nX: " + b"x" * 20_000, b"431"),
        ],
    )
    def test_what_it_cannot_read_safely_is_refused_and_closed(
        self, sandbox: Sandbox, request_bytes: bytes, status: bytes
    ) -> None:
        said = exchange(sandbox, request_bytes)

        assert said.startswith(b"HTTP/1.1 " + status)
        assert b"Connection: close" in said
        assert said.count(b"HTTP/1.1") == 1

    def test_many_requests_at_once_while_one_waits_are_answered_in_order(self, sandbox: Sandbox) -> None:
        sandbox.behave(latency_ms=50)
        slow = b"GET /2010-04-01/Accounts/none HTTP/1.1\r\nHost: localhost\r\n\r\n"

        said = exchange(sandbox, slow + GET * 3)

        assert said.count(b"HTTP/1.1 ") == 4
        assert said.startswith(b"HTTP/1.1 401")
