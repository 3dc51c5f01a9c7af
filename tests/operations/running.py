"""Starts a try-out as a person does, and observes its processes."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psutil

from tests.rules.project import ROOT

# In seconds. The first start installs the environment, and the machine may be busy.
PATIENCE = 600


def three_free_ports() -> int:
    """The first of three consecutive free ports."""
    for port in range(20_000 + os.getpid() % 20_000, 60_000, 7):
        if all(_is_free(port + step) for step in range(3)):
            return port
    raise AssertionError("no three free ports")


def _is_free(port: int) -> bool:
    with closing(socket.socket()) as listener:
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def wait_for(condition: Callable[[], object], *, what: str) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until, what
        time.sleep(0.1)


class Run:
    """`make run`, or the launcher itself, in its own session, as in a terminal."""

    def __init__(self, command: Sequence[str], *, cwd: Path, folder: Path, port: int, output: Path) -> None:
        self.folder, self.port, self.output = folder, port, output
        environment = {name: value for name, value in os.environ.items() if not name.startswith("UGLY_MUGS_")}
        # `make test` exports its own flags, which must not reach the `make` under test.
        for name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "VIRTUAL_ENV", "PYTEST_CURRENT_TEST"):
            environment.pop(name, None)
        with output.open("wb") as out:
            self.process = subprocess.Popen(
                command,
                cwd=cwd,
                env=environment,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        # psutil.Process objects, because a bare process id may be reused by another process.
        self.family: set[psutil.Process] = {psutil.Process(self.process.pid)}

    def printed(self) -> str:
        return self.output.read_text("utf-8")

    def until_it_runs(self) -> None:
        def running() -> bool:
            assert self.process.poll() is None, self.printed()
            return "The try-out is running" in self.printed()

        wait_for(running, what=self.printed())
        self.note_family()

    def note_family(self) -> None:
        """Add all descendants to `family`, so that processes that outlive the run can be found."""
        self.family |= set(psutil.Process(self.process.pid).children(recursive=True))

    def interrupt(self) -> None:
        """Ctrl-C: like a terminal, send SIGINT to the foreground process group only."""
        self.note_family()
        os.killpg(self.process.pid, signal.SIGINT)
        self.process.wait(timeout=PATIENCE)

    def survivors(self) -> list[str]:
        """Command lines of the processes of this run that are still running."""
        survivors = []
        for process in self.family:
            try:
                if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                    survivors.append(" ".join(process.cmdline()))
            except psutil.NoSuchProcess:
                continue
        return survivors

    def end(self) -> None:
        """End the processes that the test left running; only those it started."""
        if self.process.poll() is None:
            self.note_family()
            os.killpg(self.process.pid, signal.SIGINT)
            try:
                self.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
        for process in self.family:
            with suppress(psutil.NoSuchProcess):
                process.kill()

    def demo(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.folder / "keys" / "demo.json").read_text("utf-8"))
        return content

    def status(self, path: str, *, step: int = 0) -> int:
        with urllib.request.urlopen(
            f"http://127.0.0.1:{self.port + step}{path}", timeout=PATIENCE
        ) as response:
            return int(response.status)


def launcher(what: str, *, folder: Path, port: int, output: Path) -> Run:
    command = [
        sys.executable,
        "-m",
        "ugly_mugs.operations.launcher",
        what,
        "--port",
        str(port),
        "--folder",
        str(folder),
    ]
    return Run(command, cwd=ROOT, folder=folder, port=port, output=output)
