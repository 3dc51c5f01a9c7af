"""What is made once in a run and used by every process of it."""

import fcntl
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class SharedFolder:
    """A folder that all processes of one test run share."""

    path: Path

    def once(self, name: str, make: Callable[[Path], None]) -> Path:
        """The folder of this name. The first process that asks for it fills it; others wait for that, then read."""
        place, unfinished = self.path / name, self.path / f"{name}.unfinished"
        with (self.path / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not place.exists():
                shutil.rmtree(unfinished, ignore_errors=True)
                unfinished.mkdir()
                make(unfinished)
                unfinished.rename(place)
        return place


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> SharedFolder:
    own = tmp_path_factory.getbasetemp()
    # Each process of xdist has a folder of its own within the folder of the run.
    return SharedFolder(own.parent if "PYTEST_XDIST_WORKER" in os.environ else own)
