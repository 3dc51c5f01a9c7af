"""Starts processes of the project from one that has imported it already: importing is most of what a start costs.

What runs is what `python -m` runs, in a process of its own with its own environment. Starting from nothing is tested
with `make run` and the launcher.
"""

import contextlib
import ctypes
import io
import multiprocessing
import os
import runpy
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext, ForkServerProcess
from multiprocessing.reduction import DupFd
from pathlib import Path

_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Command:
    """`python -m module arguments`, with nothing in its environment but this one."""

    module: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    typed: str = ""


class Forked:
    """A running process. What it says and its errors are added to the file `log`, or what it says goes to `output`."""

    def __init__(self, command: Command, log: Path, output: int | None = None) -> None:
        context = _context()
        passed = None if output is None else DupFd(output)
        # As a daemon it is ended, not waited for, when the test run ends before it.
        self._process: ForkServerProcess = context.Process(
            target=_run, args=(command, log, passed), daemon=True
        )
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int | None:
        """Its exit status, or None when it still runs after so many seconds."""
        self._process.join(timeout)
        return self.poll()

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill_group(self) -> None:
        """SIGKILL to it and to whatever it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)


def run(command: Command, log: Path) -> tuple[int | None, str]:
    """Run it to its end; gives its exit status and what it said, which is written to no file."""
    readable, writable = os.pipe()
    with os.fdopen(readable, encoding="utf-8") as output:
        process = Forked(command, log, writable)
        os.close(writable)
        said = output.read()
    return process.wait(), said


def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    # Heeded by the first start, which also starts the server.
    context.set_forkserver_preload(["tests.make.processes.preloaded"])
    return context


def _run(command: Command, log: Path, output: "DupFd | None") -> None:
    """In the child."""
    # A group of its own, so that what it starts can be ended with it whatever becomes of itself.
    os.setsid()
    if sys.platform == "linux":
        # The kernel ends it if the test run is killed before it can say so.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    os.environ.clear()
    os.environ.update(command.environment)
    os.chdir(command.folder)
    errors = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    _redirect(command.typed, errors if output is None else output.detach(), errors)
    sys.argv = [command.module, *command.arguments]
    runpy.run_module(command.module, run_name="__main__", alter_sys=True)


def _redirect(typed: str, output: int, errors: int) -> None:
    readable, writable = os.pipe()
    os.write(writable, typed.encode())
    os.close(writable)
    for number, source in enumerate((readable, output, errors)):
        os.dup2(source, number)
    for source in {readable, output, errors}:
        os.close(source)
    # Of what these stood for before, they remember whether one can seek in it.
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout, sys.stderr = (_unbuffered(number) for number in (1, 2))


def _unbuffered(number: int) -> io.TextIOWrapper:
    return io.TextIOWrapper(os.fdopen(number, "wb", 0, closefd=False), "utf-8", write_through=True)
