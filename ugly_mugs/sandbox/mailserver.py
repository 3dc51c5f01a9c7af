"""The mail server's sockets. Each connection has a thread of its own.

SMTP is one short question and answer after another, and there a blocking socket costs a quarter of what an
event loop does (10 against 40 µs a turn), which is what the benchmarks beside it would otherwise measure.
"""

import contextlib
import socket
import threading

from ugly_mugs.sandbox.behaviour import Behaviour
from ugly_mugs.sandbox.memory import Memory
from ugly_mugs.sandbox.smtp import SmtpSession


class MailServer:
    def __init__(self, host: str, port: int, memory: Memory, behaviour: Behaviour) -> None:
        """Listens at once; raises OSError when the port is taken."""
        self._memory = memory
        self._behaviour = behaviour
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listening = socket.create_server((host, port), family=family, backlog=256)
        self.port = int(self._listening.getsockname()[1])
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        threading.Thread(target=self._accept, name="sandbox-mail", daemon=True).start()

    def close(self) -> None:
        """End all connections at once; their threads end with them."""
        with self._open_lock:
            for each in (self._listening, *self._open):
                # A listening socket is woken by a shutdown, but says that it is not connected.
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
            self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), name="sandbox-mail", daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with self._open_lock:
            self._open.add(connection)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        session = SmtpSession(self._memory, self._behaviour)
        # A client may go at any moment, and this server too: neither is an error.
        with contextlib.suppress(OSError), connection:
            connection.sendall(session.greeting)
            while not session.ended:
                data = connection.recv(65_536)
                if not data:
                    break
                with self._memory.mail_lock:
                    answer = session.receive(data)
                if answer:
                    connection.sendall(answer)
        with self._open_lock:
            self._open.discard(connection)
