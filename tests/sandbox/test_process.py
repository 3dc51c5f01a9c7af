"""The sandbox as its own process: it says where it listens, keeps to this machine, and ends when it is told to."""

import signal
import smtplib
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Far less than the time for which an open connection would keep it: that has no limit.
ENDS_WITHIN = 180
ANY_PORT = ("--port", "0", "--smtp-port", "0")


def started(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "ugly_mugs.sandbox", *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def process() -> Iterator[subprocess.Popen[str]]:
    process = started(*ANY_PORT)
    yield process
    process.kill()
    process.communicate()


def announced(process: subprocess.Popen[str]) -> dict[str, str]:
    assert process.stdout is not None
    lines = [process.stdout.readline().strip() for _ in range(3)]
    return dict(line.removeprefix("Sandbox ").split(": ", 1) for line in lines)


def interrupted(process: subprocess.Popen[str]) -> str:
    """Press Ctrl-C until it ends, and give what it printed on standard error.

    The interpreter can lose an interrupt that arrives while it starts, before any of our code runs.
    """
    for _ in range(60):
        process.send_signal(signal.SIGINT)
        try:
            return process.communicate(timeout=2)[1]
        except subprocess.TimeoutExpired:
            continue
    raise AssertionError("it does not end, however often it is interrupted")


class TestProcess:
    def test_it_says_where_it_listens_and_listens_there(self, process: subprocess.Popen[str]) -> None:
        said = announced(process)

        assert set(said) == {"page", "mail", "account"}
        with urllib.request.urlopen(said["page"]) as page:
            assert b"<h1>Sandbox</h1>" in page.read()
        with smtplib.SMTP("127.0.0.1", int(said["mail"].rpartition(":")[2])) as smtp:
            assert smtp.noop()[0] == 250

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_a_signal_ends_it_at_once_without_a_word_even_with_connections_open(
        self, process: subprocess.Popen[str], number: signal.Signals
    ) -> None:
        said = announced(process)
        web = socket.create_connection(("127.0.0.1", int(said["page"].strip("/").rpartition(":")[2])))
        mail = socket.create_connection(("127.0.0.1", int(said["mail"].rpartition(":")[2])))

        process.send_signal(number)
        _, problems = process.communicate(timeout=ENDS_WITHIN)

        assert (process.returncode, problems) == (0, "")
        web.close()
        mail.close()

    @pytest.mark.parametrize("delay", [0.05, 0.1, 0.2, 0.4])
    def test_an_interrupt_while_its_parts_are_loaded_leaves_no_traceback(self, delay: float) -> None:
        process = started(*ANY_PORT)
        time.sleep(delay)

        problems = interrupted(process)

        assert "sandbox/process.py" not in problems

    @pytest.mark.parametrize(
        ("arguments", "word"),
        [
            (("--host", "0.0.0.0"), "this machine only"),
            (("--host", "example.org"), "this machine only"),
            (("--message-webhook", "nonsense"), "not a web address"),
            (("--latency-ms", "-5"), "milliseconds"),
        ],
    )
    def test_a_wrong_start_is_refused_in_words(self, arguments: tuple[str, ...], word: str) -> None:
        process = started(*ANY_PORT, *arguments)

        _, problems = process.communicate(timeout=ENDS_WITHIN)

        assert process.returncode == 2
        assert word in problems and "Traceback" not in problems

    @pytest.mark.parametrize("option", ["--port", "--smtp-port"])
    def test_a_taken_port_is_said(self, option: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            process = started(*ANY_PORT, option, str(taken.getsockname()[1]))
            _, problems = process.communicate(timeout=ENDS_WITHIN)

        assert process.returncode == 1
        assert "did not start" in problems and "Traceback" not in problems
