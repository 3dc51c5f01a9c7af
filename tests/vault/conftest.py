"""Keys and places shared by the tests of the vault."""

from pathlib import Path
from uuid import UUID

import pytest

from ugly_mugs.vault import PrivateKey, ServiceFile, ServiceVault, Where, WorkerFile, WorkerVault
from ugly_mugs.vault.keys import keyfiles

ROW = UUID("6f2c1f4e-0000-4000-8000-000000000001")


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[ServiceFile, WorkerFile]:
    folder: Path = tmp_path_factory.mktemp("installation") / "keys"
    return keyfiles.create(folder)


@pytest.fixture(scope="session")
def service(files: tuple[ServiceFile, WorkerFile]) -> ServiceVault:
    return ServiceVault(files[0])


@pytest.fixture(scope="session")
def worker(files: tuple[ServiceFile, WorkerFile]) -> WorkerVault:
    return WorkerVault(*files)


@pytest.fixture(scope="session")
def private() -> PrivateKey:
    return PrivateKey.generate()


@pytest.fixture(scope="session")
def place() -> Where:
    return Where("reports", "text", ROW)
