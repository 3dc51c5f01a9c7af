"""A whole installation as real processes: web, worker, sandbox, and keys made by the real commands, in its own folder.

It is not a try-out: keys, passphrases and the provider's credentials are made for this one run, and the recovery
words stay in the memory of the test.
"""

import contextlib
import os
import secrets
import signal
import socket
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.make.processes.forking import Command, Forked, run
from tests.make.processes.sandbox_reader import Sandbox
from ugly_mugs.vault import ServiceVault
from ugly_mugs.vault.keys import keyfiles

ROOT = Path(__file__).parents[3]
HOST = "127.0.0.1"
SENDER = "+447700900000"
# Nothing here depends on how fast the machine is just now.
GIVES_UP_AFTER = 180.0
LOOKS_EVERY = 0.05

# Paces and waiting times for a test. Timeouts are long, so that a busy machine cannot change what happens.
QUICK = {
    "SMS_PACE": "200",
    "MAIL_PACE": "200",
    "SMS_TIMEOUT": "60",
    "CLAIM_LEASE": "70",
    "UNKNOWN_WAIT": "2",
    "UNKNOWN_GIVE_UP": "120",
}

T = TypeVar("T")


def eventually(check: Callable[[], T]) -> T:
    """What `check` gives as soon as that is true; a failed assertion when it has not become true for minutes."""
    until = time.monotonic() + GIVES_UP_AFTER
    while True:
        found = check()
        if found:
            return found
        assert time.monotonic() < until, f"still {found!r} after {GIVES_UP_AFTER} seconds"
        time.sleep(LOOKS_EVERY)


@dataclass(frozen=True)
class Databases:
    """The same database as the three who use it reach it; on SQLite they all hold the same file."""

    owner: str
    web: str
    worker: str


@dataclass
class Stack:
    """One installation. `environment` is what its web is started with, `worker_environment` its worker."""

    folder: Path
    kind: str
    databases: Databases
    settings: Mapping[str, str] = field(default_factory=dict)
    recovery_words: str = field(default="", repr=False)
    sandbox: Sandbox = field(init=False)
    sandbox_arguments: Sequence[str] = ()
    _processes: dict[str, Forked] = field(default_factory=dict, repr=False)
    _account: str = field(default_factory=lambda: "AC" + secrets.token_hex(16), repr=False)
    _token: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
    _port: int = field(default_factory=lambda: free_port())

    @property
    def web(self) -> str:
        """The address of the service."""
        return f"http://{HOST}:{self._port}"

    @property
    def keys(self) -> Path:
        return self.folder / "keys"

    @property
    def logs(self) -> Path:
        return self.folder / "log"

    @property
    def temporary(self) -> Path:
        """Where its processes put what they put into a temporary folder."""
        return self.folder / "tmp"

    @property
    def vault(self) -> ServiceVault:
        """What somebody with the service's key file holds."""
        return ServiceVault(keyfiles.load_service(self.keys))

    def environment(self) -> dict[str, str]:
        """Of the web, which knows the number that texts come from, and nothing else of the providers."""
        return self._environment(self.databases.web, TWILIO_FROM=SENDER)

    def worker_environment(self) -> dict[str, str]:
        """Of a worker; a test may start one of its own with it."""
        return self._environment(
            self.databases.worker,
            TWILIO_ACCOUNT_SID=self._account,
            TWILIO_AUTH_TOKEN=self._token,
            TWILIO_FROM=SENDER,
            TWILIO_API_URL=self.sandbox.url,
            SMTP_URL=self.sandbox.smtp_url,
            MAIL_FROM="notices@example.org",
        )

    def _environment(self, database: str, **more: str) -> dict[str, str]:
        ours = {
            "DATABASE_URL": database,
            "KEYS_DIR": str(self.keys),
            "PUBLIC_URL": self.web,
            "AUDIT_HEAD_FILE": str(self.folder / "audit-heads.jsonl"),
            **QUICK,
            **more,
            **self.settings,
        }
        # Nothing set outside, such as settings of whoever runs the tests, finds its way in.
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return {
            **kept,
            **{f"UGLY_MUGS_{name}": value for name, value in ours.items()},
            "FLASK_APP": str(ROOT / "wsgi.py"),
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "TMPDIR": str(self.temporary),
            "BIND": f"{HOST}:{self._port}",
            "WEB_CONCURRENCY": "2",
        }

    def flask(self, *command: str, typed: str = "") -> str:
        """Run a command of the service as the operator does; gives what it said."""
        environment = self._environment(self.databases.owner)
        status, said = run(Command("flask", command, environment, ROOT, typed), self.logs / "commands.log")
        assert status == 0, f"flask {' '.join(command)}: {said}\n{self.log('commands')}"
        return said

    def install(self) -> None:
        """The first start: tables, keys, and ten words that would stand on paper."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.logs.mkdir(exist_ok=True)
        self.temporary.mkdir(exist_ok=True)
        self.flask("db", "upgrade")
        self.recovery_words = self.flask("keys", "init").splitlines()[-1].strip()

    def invite(self, login: str, *roles: str) -> str:
        """The code an invited person types into /desk/join."""
        chosen = [part for role in roles for part in ("--role", role)]
        return self.flask("staff", "invite", login, *chosen).strip().rpartition(" ")[2]

    def admit(self, login: str) -> str:
        """Admit whoever has enrolled with the words on paper, which are new ones after that; gives what was said."""
        said = self.flask("staff", "admit", login, typed=self.recovery_words + "\n")
        self.recovery_words = said.splitlines()[-1].strip()
        return said

    def start(self) -> None:
        """Web, worker and sandbox, in the order in which they need each other."""
        self.start_sandbox()
        self.start_web()
        self.start_worker()

    def start_sandbox(self) -> None:
        webhook = f"{self.web}/webhooks/twilio/{self.vault.path_token('webhook')}/message"
        arguments = [
            "--account-sid",
            self._account,
            "--auth-token",
            self._token,
            "--message-webhook",
            webhook,
        ]
        settings = ["--port", "0", "--smtp-port", "0", "--callback-delay-ms", "50", *self.sandbox_arguments]
        self._spawn("sandbox", "ugly_mugs.sandbox", [*arguments, *settings], self._bare())
        said = eventually(self._announced)
        self.sandbox = Sandbox(url=said["page"], smtp_url=said["mail"])

    def _bare(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "TMPDIR": str(self.temporary)}

    def _announced(self) -> dict[str, str]:
        self._must_run("sandbox")
        pairs = [line.split(": ", 1) for line in self.log("sandbox").splitlines() if ": " in line]
        said = {name.removeprefix("Sandbox "): value.rstrip("/") for name, value in pairs}
        return said if {"page", "mail"} <= said.keys() else {}

    def start_web(self) -> None:
        arguments = ["--config", "deploy/gunicorn.conf.py", "wsgi:app"]
        self._spawn("web", "gunicorn", arguments, self.environment())

    def start_worker(self) -> None:
        self._spawn("worker", "flask", ["worker"], self.worker_environment())

    def kill_worker(self) -> None:
        """SIGKILL, as a power cut would: nothing is finished and nothing is said."""
        worker = self._processes.pop("worker")
        worker.kill_group()
        worker.wait()

    def wait_for_web(self) -> None:
        """Until web and database are well, whether or not anything else has been started."""

        def answers() -> bool:
            self._must_run("web")
            return _answers(f"{self.web}/healthz")

        eventually(answers)

    def wait_ready(self) -> None:
        """Until web and database are well and the worker has been seen."""

        def ready() -> bool:
            for name in self._processes:
                self._must_run(name)
            return _answers(f"{self.web}/readyz") and _answers(self.sandbox.url + "/")

        eventually(ready)

    def stop(self) -> None:
        """Ask web and worker to finish, then the sandbox; whatever is left after that is ended."""
        for names in (("web", "worker"), ("sandbox",)):
            asked = [self._processes[name] for name in names if name in self._processes]
            for process in asked:
                process.send_signal(signal.SIGTERM)
            until = time.monotonic() + GIVES_UP_AFTER
            for process in asked:
                process.wait(max(0.1, until - time.monotonic()))
        for process in self._processes.values():
            process.kill_group()
            process.wait()
        self._processes.clear()

    def pid(self, name: str) -> int:
        """The process of this name that runs now; what it started are its children."""
        return self._processes[name].pid

    def log(self, name: str) -> str:
        """What a process has said so far, over all its starts."""
        file = self.logs / f"{name}.log"
        return file.read_text("utf-8", "replace") if file.exists() else ""

    def _spawn(
        self, name: str, module: str, arguments: Sequence[str], environment: Mapping[str, str]
    ) -> None:
        assert name not in self._processes, f"{name} runs already"
        log = self.logs / f"{name}.log"
        self._processes[name] = Forked(Command(module, arguments, environment, ROOT), log)

    def _must_run(self, name: str) -> None:
        process = self._processes[name]
        if process.poll() is not None:
            last = "\n".join(self.log(name).splitlines()[-20:])
            pytest.fail(f"{name} has ended by itself, with {process.returncode}:\n{last}")


@contextlib.contextmanager
def installed(
    kind: str, folder: Path, *, postgresql_server: str = "", settings: Mapping[str, str] | None = None
) -> Iterator[Stack]:
    """An installation with tables and keys and nothing started; nothing of it is left running afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    with _database(kind, folder, postgresql_server) as databases:
        stack = Stack(folder, kind, databases, settings or {})
        try:
            stack.install()
            yield stack
        finally:
            stack.stop()


@contextlib.contextmanager
def _database(kind: str, folder: Path, server: str) -> Iterator[Databases]:
    if kind == "sqlite":
        url = f"sqlite:///{folder / 'database.sqlite3'}"
        yield Databases(url, url, url)
        return
    name = f"stack_{uuid.uuid4().hex}"
    web, worker = f"{name}_web", f"{name}_worker"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        # The two who log in, each with nothing but the rights of its role, as the operator is told to make them.
        for user, role in ((web, "ugly_mugs_web"), (worker, "ugly_mugs_worker")):
            _make_role(connection, role)
            connection.execute(f'CREATE ROLE "{user}" LOGIN IN ROLE {role}')
    try:
        yield Databases(*(_as(server, name, user) for user in ("postgres", web, worker)))
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
            connection.execute(f'DROP ROLE "{web}", "{worker}"')


def _make_role(connection: "psycopg.Connection[tuple[object, ...]]", role: str) -> None:
    """Roles belong to the whole server; another test may have made them."""
    if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone() is None:
        connection.execute(f"CREATE ROLE {role} NOLOGIN")


def _as(server: str, name: str, user: str) -> str:
    return f"postgresql://{user}@/{name}?{urlsplit(server).query}"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return int(listener.getsockname()[1])


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
