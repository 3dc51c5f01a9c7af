"""The two key files of an installation: `service.key` for web and worker, `worker.key` for the worker alone."""

import base64
import json
import os
import secrets
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from ugly_mugs.vault.errors import KeyFileProblem, VaultError
from ugly_mugs.vault.hybrid import SEED, PrivateKey, PublicKey

SERVICE_FILE, WORKER_FILE = "service.key", "worker.key"
_SERVICE_MODE, _WORKER_MODE, _FOLDER_MODE = 0o640, 0o600, 0o750
_FORMAT = 1
_ROOT_KEY = 32
_File = TypeVar("_File")


@dataclass(frozen=True)
class EpochMark:
    """Number and fingerprint of an epoch's public key, kept out of reach of somebody who can write the database."""

    number: int
    fingerprint: bytes


@dataclass(repr=False)
class ServiceFile:
    """Shared by web and worker: the service root (highest id is current) and the dispatch key's public half."""

    ring: dict[int, bytes]
    dispatch_public: bytes
    epochs: dict[str, list[EpochMark]] = field(default_factory=dict)
    demo: bool = False


@dataclass(repr=False)
class WorkerFile:
    """For the worker only: the worker root and the dispatch key's seed."""

    ring: dict[int, bytes]
    dispatch_seed: bytes


def create(folder: Path, *, demo: bool = False) -> tuple[ServiceFile, WorkerFile]:
    """Write new keys into the folder.

    KeyFileProblem if either file exists: without the old keys nothing sealed could be opened again.
    """
    for name in (SERVICE_FILE, WORKER_FILE):
        if (folder / name).exists():
            raise KeyFileProblem(
                f"{folder / name} is there already. Keys are never overwritten; move it away first."
            )
    dispatch = PrivateKey.generate()
    worker = WorkerFile(ring={1: secrets.token_bytes(_ROOT_KEY)}, dispatch_seed=dispatch.seed)
    service = ServiceFile(
        ring={1: secrets.token_bytes(_ROOT_KEY)}, dispatch_public=dispatch.public().raw, demo=demo
    )
    try:
        if not folder.exists():
            folder.mkdir(parents=True)
            folder.chmod(_FOLDER_MODE)
        _write(folder / WORKER_FILE, _worker_json(worker), mode=_WORKER_MODE, replace=False)
        try:
            _write(folder / SERVICE_FILE, _service_json(service), mode=_SERVICE_MODE, replace=False)
        except BaseException:
            # One file alone is useless, and the next attempt would refuse to overwrite it.
            (folder / WORKER_FILE).unlink()
            raise
    except OSError as error:
        raise _cannot_write(folder, error) from None
    return service, worker


def load_service(folder: Path) -> ServiceFile:
    """The service file; KeyFileProblem when it is missing, damaged, or accessible beyond owner and group."""
    return _load(folder / SERVICE_FILE, "service", forbidden=0o007, advice="chmod 640", build=_service_from)


def load_worker(folder: Path) -> WorkerFile:
    """The worker's file; KeyFileProblem when it is missing, damaged, or accessible to anybody but its owner."""
    return _load(folder / WORKER_FILE, "worker", forbidden=0o077, advice="chmod 600", build=_worker_from)


def save_service(folder: Path, file: ServiceFile) -> None:
    """Replace the service file atomically, keeping its group; KeyFileProblem if it does not exist."""
    path = folder / SERVICE_FILE
    if not path.exists():
        raise KeyFileProblem(f"{path} is missing. Run 'flask keys init' first, or restore it from a backup.")
    try:
        _write(path, _service_json(file), mode=_SERVICE_MODE, replace=True)
    except OSError as error:
        raise _cannot_write(folder, error) from None


def mark_epoch(folder: Path, *, name: str, number: int, fingerprint: bytes) -> ServiceFile:
    """Add a new epoch ("desk" or "vetting") to the service file and return the file."""
    file = load_service(folder)
    file.epochs.setdefault(name, []).append(EpochMark(number, fingerprint))
    save_service(folder, file)
    return file


def worker_file_readable(folder: Path) -> bool:
    """Whether this process can read the worker's keys, which a production web must not."""
    try:
        with (folder / WORKER_FILE).open("rb"):
            return True
    except OSError:
        return False


def _write(path: Path, content: dict[str, Any], *, mode: int, replace: bool) -> None:
    """Write atomically, also if the machine stops: to a temporary file, fsync, then rename or link."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            json.dump(content, file, indent=1, sort_keys=True)
            file.write("\n")
            file.flush()
            if replace:
                # Web and worker read this file through its group, which a new file does not have.
                os.fchown(file.fileno(), -1, path.stat().st_gid)
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        if replace:
            temporary.replace(path)
        else:
            # Unlike a rename, a link fails if another process has created the file meanwhile.
            os.link(temporary, path)
    except FileExistsError:
        raise KeyFileProblem(
            f"{path} is there already. Keys are never overwritten; move it away first."
        ) from None
    finally:
        temporary.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _cannot_write(folder: Path, error: OSError) -> KeyFileProblem:
    return KeyFileProblem(
        f"Keys cannot be written to {folder} ({error.strerror}). Check its owner and free space."
    )


def _load(
    path: Path, kind: str, *, forbidden: int, advice: str, build: Callable[[dict[str, Any]], _File]
) -> _File:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        content = path.read_text("utf-8")
    except FileNotFoundError:
        raise KeyFileProblem(
            f"{path} is missing. Run 'flask keys init', or restore it from a backup."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileProblem(
            f"{path} cannot be read ({type(error).__name__}). Check its owner and group."
        ) from None
    if mode & forbidden:
        raise KeyFileProblem(f"{path} can be read by people who must not. Run: {advice} {path}")
    try:
        values = json.loads(content)
        if values["kind"] != kind or values["format"] != _FORMAT:
            raise ValueError
        return build(values)
    # `from None`, because the text of the cause could quote a part of the file.
    except (ValueError, KeyError, TypeError, AttributeError, VaultError):
        raise KeyFileProblem(f"{path} is damaged, or no {kind} key file. Restore it from a backup.") from None


def _service_json(file: ServiceFile) -> dict[str, Any]:
    epochs = {
        name: [{"number": mark.number, "fingerprint": mark.fingerprint.hex()} for mark in marks]
        for name, marks in file.epochs.items()
    }
    return {
        "kind": "service",
        "format": _FORMAT,
        "ring": _ring_json(file.ring),
        "dispatch_public": base64.b64encode(file.dispatch_public).decode(),
        "epochs": epochs,
        "demo": file.demo,
    }


def _worker_json(file: WorkerFile) -> dict[str, Any]:
    seed = base64.b64encode(file.dispatch_seed).decode()
    return {"kind": "worker", "format": _FORMAT, "ring": _ring_json(file.ring), "dispatch_seed": seed}


def _ring_json(ring: dict[int, bytes]) -> dict[str, str]:
    return {str(ring_id): base64.b64encode(key).decode() for ring_id, key in ring.items()}


def _service_from(values: dict[str, Any]) -> ServiceFile:
    epochs = {
        name: [EpochMark(int(mark["number"]), bytes.fromhex(mark["fingerprint"])) for mark in marks]
        for name, marks in values["epochs"].items()
    }
    public = PublicKey(base64.b64decode(values["dispatch_public"], validate=True))
    if not isinstance(values["demo"], bool):
        raise TypeError
    return ServiceFile(_ring_from(values["ring"]), public.raw, epochs, values["demo"])


def _worker_from(values: dict[str, Any]) -> WorkerFile:
    seed = base64.b64decode(values["dispatch_seed"], validate=True)
    if len(seed) != SEED:
        raise ValueError
    return WorkerFile(_ring_from(values["ring"]), seed)


def _ring_from(values: dict[str, str]) -> dict[int, bytes]:
    ring = {int(ring_id): base64.b64decode(key, validate=True) for ring_id, key in values.items()}
    if not ring or any(not 1 <= ring_id <= 255 or len(key) != _ROOT_KEY for ring_id, key in ring.items()):
        raise ValueError
    return ring
