"""What `make run` starts: web, worker and sandbox as one group on this machine, and never a process left behind.

It knows no feature and opens no database: it gives the others their settings, says where everything is, and stops
all of it when one of them ends or somebody presses Ctrl-C.
"""

import argparse
import contextlib
import ctypes
import fcntl
import json
import os
import signal
import socket
import subprocess  # nosec B404
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO
from urllib.error import URLError
from urllib.request import urlopen

from ugly_mugs.sandbox.settings import ACCOUNT_SID, AUTH_TOKEN
from ugly_mugs.vault import KeyFileProblem, ServiceVault
from ugly_mugs.vault.keys import keyfiles

ROOT = Path(__file__).parents[2]
DEMO_FILE = "demo.json"
HOST = "127.0.0.1"
# In seconds.
READY_WITHIN = 60.0
STOPS_WITHIN = 15.0
_PR_SET_PDEATHSIG = 1


class CannotStart(Exception):
    """The try-out cannot be started; the message says why."""


@dataclass(frozen=True)
class TryOut:
    """The folder and the ports of a try-out: web, sandbox (`port + 1`) and its SMTP server (`port + 2`)."""

    folder: Path
    port: int

    @property
    def web(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def sandbox(self) -> str:
        return f"http://{HOST}:{self.port + 1}"

    @property
    def keys(self) -> Path:
        return Path(os.environ.get("UGLY_MUGS_KEYS_DIR", self.folder / "keys"))

    @property
    def demo_file(self) -> Path:
        return self.keys / DEMO_FILE

    def environment(self) -> dict[str, str]:
        """The environment of a try-out. Variables already set take precedence, so it can run on PostgreSQL too."""
        defaults = {
            "UGLY_MUGS_DATABASE_URL": f"sqlite:///{self.folder / 'ugly-mugs.sqlite3'}",
            "UGLY_MUGS_KEYS_DIR": str(self.folder / "keys"),
            "UGLY_MUGS_TWILIO_ACCOUNT_SID": ACCOUNT_SID,
            "UGLY_MUGS_TWILIO_AUTH_TOKEN": AUTH_TOKEN,
            "UGLY_MUGS_TWILIO_FROM": "+447700900000",
            "UGLY_MUGS_TWILIO_API_URL": self.sandbox,
            "UGLY_MUGS_SMTP_URL": f"smtp://{HOST}:{self.port + 2}",
            "UGLY_MUGS_MAIL_FROM": "notices@example.org",
            "UGLY_MUGS_AUDIT_HEAD_FILE": str(self.folder / "audit-heads.jsonl"),
        }
        always = {
            "UGLY_MUGS_PUBLIC_URL": self.web,
            "FLASK_APP": str(ROOT / "wsgi.py"),
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "BIND": f"{HOST}:{self.port}",
        }
        return defaults | dict(os.environ) | always


@dataclass
class Group:
    """The processes of one run, in the order in which they were started."""

    try_out: TryOut
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, command: Sequence[str]) -> None:
        logs = self.try_out.folder / "log"
        logs.mkdir(exist_ok=True)
        with (logs / f"{name}.log").open("wb") as log:
            # In its own session it gets no Ctrl-C from the terminal: the launcher stops the processes in order.
            self.processes[name] = subprocess.Popen(  # nosec B603
                [sys.executable, *command],
                cwd=ROOT,
                env=self.try_out.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_end_with_launcher,
            )

    def ended(self) -> str | None:
        """The name of a process that has ended by itself, if any."""
        return next((name for name, process in self.processes.items() if process.poll() is not None), None)

    def stop(self) -> None:
        """Stop web and worker, then the sandbox they use, with SIGTERM; then kill the processes that remain."""
        for names in (("web", "worker"), ("sandbox",)):
            stopping = [self.processes[name] for name in names if name in self.processes]
            for process in stopping:
                _signal_group(process, signal.SIGTERM, only_leader=True)
            until = time.monotonic() + STOPS_WITHIN
            for process in stopping:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(max(0.1, until - time.monotonic()))
        for process in self.processes.values():
            _signal_group(process, signal.SIGKILL)
            process.wait()
        self.processes.clear()


@dataclass
class Signals:
    """Signals received so far. The handlers only set a flag, so a signal while a process starts is not lost."""

    stop: bool = False
    restart: bool = False

    def listen(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGHUP, self._restart)

    def _stop(self, number: int, frame: object) -> None:
        self.stop = True

    def _restart(self, number: int, frame: object) -> None:
        self.restart = True


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m ugly_mugs.operations.launcher", description=__doc__)
    parser.add_argument("what", choices=("run", "demo", "flask"))
    parser.add_argument("--port", type=int, default=8000, help="of the web; the next two are the sandbox's")
    parser.add_argument("--folder", type=Path, default=ROOT / "var", help="where everything it makes is kept")
    parser.add_argument("command", nargs="*", help="for flask: what to run with the settings of the try-out")
    options = parser.parse_args(arguments)
    try_out = TryOut(options.folder.absolute(), options.port)
    os.umask(0o077)
    try_out.folder.mkdir(parents=True, exist_ok=True)
    try:
        if options.what == "flask":
            return _flask(try_out, options.command)
        return demo(try_out) if options.what == "demo" else run(try_out)
    except CannotStart as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def run(try_out: TryOut) -> int:
    """Start everything, print the addresses and logins, and wait until the run ends."""
    signals = Signals()
    with _single_run(try_out):
        signals.listen()
        _check_ports(try_out)
        print("Making keys, database and invented people. The first time this takes a moment …", flush=True)
        status = _flask(try_out, ["demo", "--once"])
        while status == 0 and not signals.stop:
            if _run_once(try_out, signals):
                signals.restart = False
                print("Inventing the demo data anew …", flush=True)
                status = _flask(try_out, ["demo"])
    if status != 0 and not signals.stop:
        raise CannotStart("The demo data could not be made; the reason stands above.")
    return 0


def demo(try_out: TryOut) -> int:
    """Make the demo data again. A running try-out gets SIGHUP and does it itself, since it has to restart."""
    before = _modified_at(try_out.demo_file)
    try:
        with _single_run(try_out):
            return _flask(try_out, ["demo"])
    except _Running as running:
        os.kill(running.pid, signal.SIGHUP)
        until = time.monotonic() + READY_WITHIN
        while time.monotonic() < until:
            if _modified_at(try_out.demo_file) not in (before, None) and _answers(f"{try_out.web}/readyz"):
                print(
                    "The demo data was invented anew, with new passphrases; the try-out that runs shows them."
                )
                return 0
            time.sleep(0.3)
        raise CannotStart(
            "The try-out that is running did not begin anew. Stop it with Ctrl-C first."
        ) from None


def _run_once(try_out: TryOut, signals: Signals) -> bool:
    """Start all processes and wait until they are to stop; True if they are to start again with new data."""
    group = Group(try_out)
    try:
        group.start("sandbox", _sandbox_command(try_out))
        group.start("web", ["-m", "gunicorn", "--config", "deploy/gunicorn.conf.py", "wsgi:app"])
        group.start("worker", ["-m", "flask", "worker"])
        if _wait_until_ready(try_out, group, signals):
            print(_welcome(try_out), flush=True)
        while not (signals.stop or signals.restart):
            if name := group.ended():
                raise CannotStart(_why_ended(try_out, name))
            time.sleep(0.1)
    finally:
        print("Stopping …", flush=True)
        group.stop()
    return signals.restart and not signals.stop


def _sandbox_command(try_out: TryOut) -> list[str]:
    try:
        token = ServiceVault(keyfiles.load_service(try_out.keys)).path_token("webhook")
    except KeyFileProblem as problem:
        raise CannotStart(str(problem)) from None
    return [
        *("-m", "ugly_mugs.sandbox"),
        *("--port", str(try_out.port + 1), "--smtp-port", str(try_out.port + 2)),
        *("--message-webhook", f"{try_out.web}/webhooks/twilio/{token}/message"),
        *("--demo-file", str(try_out.demo_file)),
    ]


def _wait_until_ready(try_out: TryOut, group: Group, signals: Signals) -> bool:
    """True once everything answers, False if a stop was requested before."""
    until = time.monotonic() + READY_WITHIN
    while not (_answers(f"{try_out.web}/readyz") and _answers(try_out.sandbox)):
        if signals.stop:
            return False
        if name := group.ended():
            raise CannotStart(_why_ended(try_out, name))
        if time.monotonic() > until:
            raise CannotStart(f"Nothing answered within a minute. Look into {try_out.folder / 'log'}")
        time.sleep(0.1)
    return True


def _answers(url: str) -> bool:
    try:
        # `url` is always one of this machine, made by `TryOut`.
        with urlopen(url, timeout=2) as response:  # noqa: S310  # nosec B310
            return bool(response.status == 200)
    except (URLError, OSError):
        return False


def _why_ended(try_out: TryOut, name: str) -> str:
    file = try_out.folder / "log" / f"{name}.log"
    last = file.read_text("utf-8", "replace").splitlines()[-12:]
    return "\n".join([f"{name} has ended by itself, so everything was stopped. The end of {file}:", *last])


def _welcome(try_out: TryOut) -> str:
    demo_data: dict[str, Any] = json.loads(try_out.demo_file.read_text("utf-8"))
    lines = [
        "",
        "The try-out is running. Everybody in it is invented, and nothing leaves this machine.",
        "",
        f"  the service            {try_out.web}",
        f"  the desk               {try_out.web}/desk",
        f"  phones and inboxes     {try_out.sandbox}   (and the six-digit codes for the desk)",
        "",
        "  who                    passphrase",
    ]
    for person in demo_data["staff"]:
        lines += [
            f"  {person['login']:<22} {person['passphrase']}",
            f"  {'':<22} ({', '.join(person['roles'])})",
        ]
    lines += ["", "  members sign in with"]
    lines += [f"  {member['phone'] or '':<22} {member['email'] or ''}" for member in demo_data["members"]]
    lines += [
        "",
        f"Logs are in {try_out.folder / 'log'}. Ctrl-C stops everything; make demo begins anew.",
        "",
    ]
    return "\n".join(lines)


def _flask(try_out: TryOut, command: Sequence[str]) -> int:
    return subprocess.call(  # nosec B603
        [sys.executable, "-m", "flask", *command], cwd=ROOT, env=try_out.environment()
    )


def _check_ports(try_out: TryOut) -> None:
    taken = []
    for port in (try_out.port, try_out.port + 1, try_out.port + 2):
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((HOST, port))
            except OSError:
                taken.append(str(port))
    if taken:
        raise CannotStart(
            f"Something else on this machine uses port {' and '.join(taken)}. Choose three others: make run PORT=9000"
        )


class _Running(CannotStart):
    def __init__(self, pid: int) -> None:
        super().__init__("A try-out is running here already. Stop it with Ctrl-C first.")
        self.pid = pid


@contextlib.contextmanager
def _single_run(try_out: TryOut) -> Iterator[None]:
    """Allow one run at a time in a folder; the kernel releases the lock when the process ends in any way."""
    lock: BinaryIO
    with (try_out.folder / "run.lock").open("a+b") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise _Running(int(lock.read() or b"0")) from None
        lock.truncate(0)
        lock.write(str(os.getpid()).encode())
        lock.flush()
        yield


def _end_with_launcher() -> None:
    """Runs in the child: on Linux the kernel sends it SIGTERM when the launcher dies, even by SIGKILL."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _signal_group(process: subprocess.Popen[bytes], number: int, *, only_leader: bool = False) -> None:
    with contextlib.suppress(ProcessLookupError):
        if only_leader:
            process.send_signal(number)
        else:
            os.killpg(process.pid, number)


def _modified_at(file: Path) -> int | None:
    try:
        return file.stat().st_mtime_ns
    except FileNotFoundError:
        return None


if __name__ == "__main__":
    sys.exit(main())
