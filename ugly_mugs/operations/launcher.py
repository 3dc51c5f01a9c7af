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
READY_WITHIN = 60.0
STOPS_WITHIN = 15.0
_PR_SET_PDEATHSIG = 1


class CannotStart(Exception):
    """The message says what is in the way."""


@dataclass(frozen=True)
class TryOut:
    """Where a try-out keeps what it makes, and on which ports it answers."""

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
        """The settings of a try-out; what is set already wins, so that it can run on PostgreSQL too."""
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
            # A session of its own keeps the terminal's Ctrl-C from it: the launcher says in which order to stop.
            self.processes[name] = subprocess.Popen(  # nosec B603
                [sys.executable, *command],
                cwd=ROOT,
                env=self.try_out.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_end_with_me,
            )

    def ended(self) -> str | None:
        """The name of a process that has ended by itself, if any."""
        return next((name for name, process in self.processes.items() if process.poll() is not None), None)

    def stop(self) -> None:
        """Ask web and worker to finish what they are at, then the sandbox they talk to; then end what is left."""
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
class Asked:
    """What signals have asked for. They only set a mark, so that none can fall between a start and its noting."""

    stop: bool = False
    anew: bool = False

    def listen(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGHUP, self._anew)

    def _stop(self, number: int, frame: object) -> None:
        self.stop = True

    def _anew(self, number: int, frame: object) -> None:
        self.anew = True


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m ugly_mugs.operations.launcher", description=__doc__)
    parser.add_argument("what", choices=("run", "demo", "flask"))
    parser.add_argument("--port", type=int, default=8000, help="of the web; the next two are the sandbox's")
    parser.add_argument("--folder", type=Path, default=ROOT / "var", help="where everything it makes is kept")
    parser.add_argument("command", nargs="*", help="for flask: what to run with the settings of the try-out")
    given = parser.parse_args(arguments)
    try_out = TryOut(given.folder.absolute(), given.port)
    os.umask(0o077)
    try_out.folder.mkdir(parents=True, exist_ok=True)
    try:
        if given.what == "flask":
            return _flask(try_out, given.command)
        return demo(try_out) if given.what == "demo" else run(try_out)
    except CannotStart as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def run(try_out: TryOut) -> int:
    """Start everything, say where it is, and stay until it ends."""
    asked = Asked()
    with _only_one(try_out):
        asked.listen()
        _check_ports(try_out)
        print("Making keys, database and invented people. The first time this takes a moment …", flush=True)
        made = _flask(try_out, ["demo", "--once"])
        while made == 0 and not asked.stop:
            if _run_once(try_out, asked):
                asked.anew = False
                print("Inventing the demo data anew …", flush=True)
                made = _flask(try_out, ["demo"])
    if made != 0 and not asked.stop:
        raise CannotStart("The demo data could not be made; the reason stands above.")
    return 0


def demo(try_out: TryOut) -> int:
    """Reset the demo data: here, or by asking the try-out that is running, which has to begin anew with it."""
    before = _stamp(try_out.demo_file)
    try:
        with _only_one(try_out):
            return _flask(try_out, ["demo"])
    except _Running as running:
        os.kill(running.pid, signal.SIGHUP)
        until = time.monotonic() + READY_WITHIN
        while time.monotonic() < until:
            if _stamp(try_out.demo_file) not in (before, None) and _answers(f"{try_out.web}/readyz"):
                print(
                    "The demo data was invented anew, with new passphrases; the try-out that runs shows them."
                )
                return 0
            time.sleep(0.3)
        raise CannotStart(
            "The try-out that is running did not begin anew. Stop it with Ctrl-C first."
        ) from None


def _run_once(try_out: TryOut, asked: Asked) -> bool:
    """Everything from its start to its end; True when it is to begin anew with other data."""
    group = Group(try_out)
    try:
        group.start("sandbox", _sandbox_command(try_out))
        group.start("web", ["-m", "gunicorn", "--config", "deploy/gunicorn.conf.py", "wsgi:app"])
        group.start("worker", ["-m", "flask", "worker"])
        if _wait_until_ready(try_out, group, asked):
            print(_welcome(try_out), flush=True)
        while not (asked.stop or asked.anew):
            if name := group.ended():
                raise CannotStart(_why_ended(try_out, name))
            time.sleep(0.1)
    finally:
        print("Stopping …", flush=True)
        group.stop()
    return asked.anew and not asked.stop


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


def _wait_until_ready(try_out: TryOut, group: Group, asked: Asked) -> bool:
    """True once everything answers, False when it is to stop before."""
    until = time.monotonic() + READY_WITHIN
    while not (_answers(f"{try_out.web}/readyz") and _answers(try_out.sandbox)):
        if asked.stop:
            return False
        if name := group.ended():
            raise CannotStart(_why_ended(try_out, name))
        if time.monotonic() > until:
            raise CannotStart(f"Nothing answered within a minute. Look into {try_out.folder / 'log'}")
        time.sleep(0.1)
    return True


def _answers(url: str) -> bool:
    try:
        # The address is this machine's own, put together above.
        with urlopen(url, timeout=2) as answer:  # noqa: S310  # nosec B310
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def _why_ended(try_out: TryOut, name: str) -> str:
    file = try_out.folder / "log" / f"{name}.log"
    last = file.read_text("utf-8", "replace").splitlines()[-12:]
    return "\n".join([f"{name} has ended by itself, so everything was stopped. The end of {file}:", *last])


def _welcome(try_out: TryOut) -> str:
    people: dict[str, Any] = json.loads(try_out.demo_file.read_text("utf-8"))
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
    for person in people["staff"]:
        lines += [
            f"  {person['login']:<22} {person['passphrase']}",
            f"  {'':<22} ({', '.join(person['roles'])})",
        ]
    lines += ["", "  members sign in with"]
    lines += [f"  {member['phone'] or '':<22} {member['email'] or ''}" for member in people["members"]]
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
def _only_one(try_out: TryOut) -> Iterator[None]:
    """One run at a time in a folder; the lock goes with the process, however that ends."""
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


def _end_with_me() -> None:
    """In the child: the kernel ends it if the launcher is killed before it can say so (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _signal_group(process: subprocess.Popen[bytes], number: int, *, only_leader: bool = False) -> None:
    with contextlib.suppress(ProcessLookupError):
        if only_leader:
            process.send_signal(number)
        else:
            os.killpg(process.pid, number)


def _stamp(file: Path) -> int | None:
    try:
        return file.stat().st_mtime_ns
    except FileNotFoundError:
        return None


if __name__ == "__main__":
    sys.exit(main())
