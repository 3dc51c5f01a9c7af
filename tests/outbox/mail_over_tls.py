"""A mail server that speaks TLS with a certificate of its own making, and writes down every line it is told."""

import contextlib
import datetime
import socket
import ssl
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HERE = "localhost"
USER, PASSWORD = "notices", "open-sesame"


def certificate_for(name: str, folder: Path) -> Path:
    """A file with a key and a certificate for that name, signed by nobody but itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    called = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(called)
        .issuer_name(called)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{name}.pem"
    file.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return file


class MailOverTls:
    """`with MailOverTls("smtps", certificate) as server:` takes any login and any mail until the end."""

    def __init__(self, scheme: str, certificate: Path, *, offers_tls: bool = True) -> None:
        self._scheme = scheme
        self._offers_tls = offers_tls
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._port = int(self._listening.getsockname()[1])
        self.heard: list[str] = []

    @property
    def url(self) -> str:
        return f"{self._scheme}://{USER}:{PASSWORD}@{HERE}:{self._port}"

    @property
    def verbs(self) -> set[str]:
        """The first word of everything that was said."""
        return {line.split(" ")[0].upper() for line in self.heard}

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A listening socket is woken by a shutdown, but says that it is not connected.
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._welcome, args=(connection,), daemon=True).start()

    def _welcome(self, connection: socket.socket) -> None:
        # Whoever does not trust the certificate goes in the middle of a sentence.
        with contextlib.suppress(OSError):
            secure = self._scheme == "smtps"
            self._talk(self._over_tls(connection) if secure else connection, greets=True, secure=secure)

    def _over_tls(self, connection: socket.socket) -> socket.socket:
        return self._context.wrap_socket(connection, server_side=True)

    def _talk(self, connection: socket.socket, *, greets: bool, secure: bool) -> None:
        offers = "" if secure or not self._offers_tls else "STARTTLS"
        with connection, connection.makefile("rb") as lines:
            if greets:
                connection.sendall(b"220 here\r\n")
            for line in lines:
                said = line.decode().strip()
                self.heard.append(said)
                if said.upper() == "STARTTLS":
                    connection.sendall(b"220 go on\r\n")
                    self._talk(self._over_tls(connection), greets=False, secure=True)
                    return
                connection.sendall(self._answer(said.split(" ")[0].upper(), offers))

    def _answer(self, verb: str, offers: str) -> bytes:
        if verb == "EHLO":
            return f"250-here\r\n250-AUTH PLAIN\r\n250 {offers or 'HELP'}\r\n".encode()
        return {"AUTH": b"235 welcome\r\n", "DATA": b"354 go on\r\n", "QUIT": b"221 bye\r\n"}.get(
            verb, b"250 fine\r\n"
        )
