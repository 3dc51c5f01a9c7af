"""Filing a report: whole flows (form, sent form, receipt) a second, beside a bare Flask application.

Both run under the same gunicorn, two processes, with durable commits, and the load comes from the same machine.
"""

import os
import re
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from flask.testing import FlaskClient

from tests.benchmarks.figures import Figure
from tests.benchmarks.questions import names_in
from tests.make.databases import make_tables, settings_for
from tests.make.installation import install
from tests.make.processes.stack import free_port
from ugly_mugs.app import create_app
from ugly_mugs.clock import SystemClock

PROJECT = Path(__file__).parent.parent.parent
SECONDS = 4.0
ROUNDS = 3
FLOWS_BAR, SHARE_BAR, P95_BAR_MS, PAGE_BAR = 300, 0.75, 120, 40_000

ACCOUNT = (
    "He came at eight and was polite at first. Then he became angry, shouted and would not let me leave until a "
    "friend knocked. He used the name Example and drove a grey car. He wrote from 07700 900123 before. "
    "Later he sent messages and said that he knew where I work. I think that he has done this to others too, "
    "because he was so calm about it. I did not tell the police. Please warn the others about him. "
)
ANSWERS = {
    "happened.account": ACCOUNT,
    "happened.types": "threats",
    "offenders-0.names": "Example",
    "offenders-0.phones": "07700 900456",
    "place.place": "Leeds",
    "place.premises": "hotel",
    "when.roughly": "last week",
    "warn_others.warn_others": "yes",
    "warn_others.when": "asap",
}
_TOKEN = re.compile(rb'name="token" value="([^"]+)"')
_RECEIPT = re.compile(rb'class="receipt"><p>([a-z ]+)</p>')


@dataclass
class Run:
    """What one run of so many visitors at once came to."""

    flows: int = 0
    refused: int = 0
    seconds: float = 0.0
    waits: list[float] = field(default_factory=list)
    receipts: list[bytes] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return self.flows / self.seconds

    @property
    def p95_ms(self) -> float:
        return statistics.quantiles(self.waits, n=20)[-1] * 1_000


class Visitor:
    """A browser as light as it can be: one kept connection, and no more of HTTP than is needed."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._left = b""

    def get(self, path: str) -> tuple[int, bytes]:
        return self._ask(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())

    def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        )
        return self._ask(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)

    def _ask(self, request: bytes) -> tuple[int, bytes]:
        try:
            return self._exchange(request)
        except (ConnectionError, ValueError):
            # The server ends a kept connection now and then, which a browser answers with a new one.
            self._socket.close()
            self._socket, self._left = socket.create_connection(("127.0.0.1", self._port)), b""
            return self._exchange(request)

    def _exchange(self, request: bytes) -> tuple[int, bytes]:
        self._socket.sendall(request)
        data = self._left
        while b"\r\n\r\n" not in data:
            data += self._received()
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(re.search(rb"(?i)content-length: (\d+)", head).group(1))  # type: ignore[union-attr]
        pieces, have = [body], len(body)
        while have < length:
            pieces.append(self._received())
            have += len(pieces[-1])
        body = b"".join(pieces)
        self._left = body[length:]
        return int(head[9:12]), body[:length]

    def _received(self) -> bytes:
        data = self._socket.recv(65_536)
        if not data:
            raise ConnectionError
        return data

    def close(self) -> None:
        self._socket.close()


@contextmanager
def served(application: str, environment: dict[str, str]) -> Iterator[int]:
    """The application under gunicorn as it is shipped, with two processes, until the block ends; gives the port."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--config", "deploy/gunicorn.conf.py", application]
    process = subprocess.Popen(
        command,
        cwd=PROJECT,
        env={**os.environ, "BIND": f"127.0.0.1:{port}", "WEB_CONCURRENCY": "2", **environment},
        stdout=subprocess.DEVNULL,
    )
    try:
        _wait_for(port)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _wait_for(port: int) -> None:
    for _try in range(300):
        try:
            visitor = Visitor(port)
            status, _body = visitor.get("/report")
            visitor.close()
            if status == 200:
                return
        except (ConnectionError, OSError):
            pass
        time.sleep(0.1)
    raise RuntimeError("the server did not start")


def answers_of(form: str) -> dict[str, str]:
    """What a browser sends: every question of the page, most of them empty."""
    return {**{name: "" for name in names_in(form) if name != "token"}, **ANSWERS}


def load(port: int, *, at_once: int, answers: bytes, seconds: float = SECONDS) -> Run:
    """So many visitors, each filing one report after another."""
    run, lock = Run(), threading.Lock()
    end = time.perf_counter() + seconds

    def visit() -> None:
        visitor, waits, receipts, refused = Visitor(port), list[float](), list[bytes](), 0
        while time.perf_counter() < end:
            begun = time.perf_counter()
            status, page = visitor.get("/report")
            waits.append(time.perf_counter() - begun)
            token = _TOKEN.search(page)
            body = b"token=" + (token.group(1) if token else b"bare") + b"&" + answers
            begun = time.perf_counter()
            answer, page = visitor.post("/report", body)
            waits.append(time.perf_counter() - begun)
            refused += (status, answer) != (200, 200)
            receipt = _RECEIPT.search(page)
            receipts.append(receipt.group(1) if receipt else page)
        visitor.close()
        with lock:
            run.flows += len(receipts)
            run.waits += waits
            run.receipts += receipts
            run.refused += refused

    visitors = [threading.Thread(target=visit) for _ in range(at_once)]
    begun = time.perf_counter()
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    run.seconds = time.perf_counter() - begun
    return run


@contextmanager
def installation(folder: Path) -> Iterator[dict[str, str]]:
    """A fresh installation of the whole application on an embedded database; gives its environment."""
    url = f"sqlite:///{folder / 'database.sqlite3'}"
    make_tables(url, folder / "none")
    install(settings_for(url, folder / "keys"), SystemClock())
    yield {
        "UGLY_MUGS_DATABASE_URL": url,
        "UGLY_MUGS_KEYS_DIR": str(folder / "keys"),
        "UGLY_MUGS_LOG_LEVEL": "ERROR",
    }


def _bare_environment(folder: Path, form: bytes) -> dict[str, str]:
    (folder / "form.html").write_bytes(form)
    return {"BARE_FORM": str(folder / "form.html"), "BARE_DATABASE": str(folder / "bare.sqlite3")}


def flows() -> Iterator[Figure]:
    """Flows a second at 8 and at 32 at once, their share of the bare application's, what is lost, and waiting times."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with installation(folder) as environment, served("wsgi:app", environment) as port:
            form = Visitor(port).get("/report")[1]
            with served("tests.benchmarks.bare:app", _bare_environment(folder, form)) as bare_port:
                answers = urlencode(answers_of(form.decode())).encode()
                runs, bare_runs = _side_by_side(port, bare_port, answers)
        with sqlite3.connect(folder / "database.sqlite3") as database:
            kept = database.execute("SELECT count(*) FROM reports").fetchone()[0]
    for at_once, ours in runs.items():
        rate = statistics.median(run.rate for run in ours)
        bare = statistics.median(run.rate for run in bare_runs[at_once])
        name = f"filing a report, {at_once} at once"
        yield Figure(name, round(rate, 1), "flows/s", f"≥ {FLOWS_BAR}", rate >= FLOWS_BAR)
        yield Figure(
            f"{name}, share of a bare Flask application ({bare:.0f} flows/s)",
            round(rate / bare, 3), "ratio", f"≥ {SHARE_BAR}", rate / bare >= SHARE_BAR,
        )  # fmt: skip
        p95 = statistics.median(run.p95_ms for run in ours)
        if at_once == 8:
            yield Figure(
                f"{name}, p95 of a request", round(p95, 1), "ms", f"≤ {P95_BAR_MS}", p95 <= P95_BAR_MS
            )
    every = [run for ours in runs.values() for run in ours]
    receipts = [receipt for run in every for receipt in run.receipts]
    wrong = sum(run.refused for run in every) + abs(kept - len(receipts)) + len(receipts) - len(set(receipts))
    yield Figure(f"reports refused, lost or doubled of {len(receipts)}", wrong, "reports", "0", wrong == 0)


def _side_by_side(
    port: int, bare_port: int, answers: bytes
) -> tuple[dict[int, list[Run]], dict[int, list[Run]]]:
    """Rounds of ours and the bare one's by turns, so that a slow moment of the machine hits both."""
    ours: dict[int, list[Run]] = {8: [], 32: []}
    bare: dict[int, list[Run]] = {8: [], 32: []}
    for _round in range(ROUNDS):
        for at_once in ours:
            ours[at_once].append(load(port, at_once=at_once, answers=answers))
            bare[at_once].append(load(bare_port, at_once=at_once, answers=answers))
    return ours, bare


def page_weight() -> Iterator[Figure]:
    """The fresh report page and everything it loads, as they go over the wire to a browser, heads included."""
    with tempfile.TemporaryDirectory() as name, installation(Path(name)) as environment:
        settings = settings_for(
            environment["UGLY_MUGS_DATABASE_URL"], Path(environment["UGLY_MUGS_KEYS_DIR"])
        )
        weight = weigh(create_app(settings).test_client())
    yield Figure("report page, everything included", weight, "bytes", f"≤ {PAGE_BAR}", weight <= PAGE_BAR)


def weigh(client: FlaskClient, path: str = "/report") -> int:
    """Bytes of the page and of each file it names."""
    page = client.get(path).text
    files = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
    answers = [client.get(each, headers={"Accept-Encoding": "gzip"}) for each in (path, *files)]
    return sum(len(str(answer.headers)) + len(answer.data) for answer in answers)


def figures() -> Iterator[Figure]:
    yield from flows()
    yield from page_weight()


if __name__ == "__main__":
    for figure in figures():
        print(figure)
