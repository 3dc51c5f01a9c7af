"""What is made once in a run and used by every process of it."""

import fcntl
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Run:
    """One run of the tests, on however many processes; `folder` is the same for all of them."""

    folder: Path

    def once(self, name: str, make: Callable[[Path], None]) -> Path:
        """The folder of this name. The first process that asks for it fills it; others wait for that, then read."""
        place, unfinished = self.folder / name, self.folder / f"{name}.unfinished"
        with (self.folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not place.exists():
                shutil.rmtree(unfinished, ignore_errors=True)
                unfinished.mkdir()
                make(unfinished)
                unfinished.rename(place)
        return place


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    own = tmp_path_factory.getbasetemp()
    # Each process of xdist has a folder of its own within the folder of the run.
    return Run(own.parent if "PYTEST_XDIST_WORKER" in os.environ else own)
