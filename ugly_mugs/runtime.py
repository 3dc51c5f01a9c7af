"""What a running process holds: settings, clock, vault, wiring and state, in one place per application."""

from threading import Lock
from typing import cast

from flask import Flask, current_app

from ugly_mugs.clock import Clock
from ugly_mugs.settings import Settings
from ugly_mugs.vault import ServiceVault, WorkerVault
from ugly_mugs.vault.keys import keyfiles
from ugly_mugs.wiring import State, Wiring

# The only key of ours in `app.extensions`.
KEY = "ugly_mugs"


class Runtime:
    """The vault is loaded at first use, because `flask keys init` runs before keys exist."""

    def __init__(self, settings: Settings, clock: Clock, wiring: Wiring) -> None:
        self.settings = settings
        self.clock = clock
        self.wiring = wiring
        self.process_state = State()
        self._vault: ServiceVault | None = None
        self._lock = Lock()

    @property
    def vault(self) -> ServiceVault:
        """The service's keys; KeyFileProblem if they are missing or unreadable."""
        with self._lock:
            if self._vault is None:
                self._vault = ServiceVault(keyfiles.load_service(self.settings.keys_dir))
            return self._vault

    @property
    def worker_vault(self) -> WorkerVault:
        """The vault with the worker's keys; RuntimeError before `become_worker`."""
        if not isinstance(self._vault, WorkerVault):
            raise RuntimeError("this process has not become a worker")
        return self._vault

    def become_worker(self) -> WorkerVault:
        """Load the worker's key file too; for the worker and for commands that do its work."""
        with self._lock:
            if not isinstance(self._vault, WorkerVault):
                folder = self.settings.keys_dir
                self._vault = WorkerVault(keyfiles.load_service(folder), keyfiles.load_worker(folder))
            return self._vault

    def forget_keys(self) -> None:
        """Make the next use read the key files again, after a command has changed them."""
        with self._lock:
            self._vault = None

    def install(self, app: Flask) -> None:
        app.extensions[KEY] = self


def runtime(app: Flask | None = None) -> Runtime:
    """What this application holds; without one named, the running one."""
    return cast(Runtime, (app or current_app).extensions[KEY])
