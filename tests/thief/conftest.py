"""The scenes, each made once in a run: see `tests/make/sharing.py`."""

from collections.abc import Iterator

import pytest

from tests.make.databases import Templates
from tests.make.processes import postgresql
from tests.thief import scenes
from tests.thief.scenes import Looted, Scene


@pytest.fixture
def scene(database_kind: str, request: pytest.FixtureRequest) -> Looted:
    found: Looted = request.getfixturevalue(f"{database_kind}_scene")
    return found


@pytest.fixture
def twin(database_kind: str, request: pytest.FixtureRequest) -> Scene:
    found: Scene = request.getfixturevalue(f"{database_kind}_twin")
    return found


@pytest.fixture(scope="session")
def sqlite_scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Looted]:
    with scenes.looted("sqlite", tmp_path_factory.mktemp("scene"), "") as scene:
        yield scene


@pytest.fixture(scope="session")
def sqlite_twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with scenes.twin("sqlite", tmp_path_factory.mktemp("twin"), "") as twin:
        yield twin


@pytest.fixture(scope="session")
def scenes_server(postgresql_templates: Templates) -> Iterator[str]:
    """A PostgreSQL server for the scenes alone, so that nothing that other tests write is taken for loot."""
    with postgresql.running(copy_of=postgresql_templates.server) as address:
        yield address


@pytest.fixture(scope="session")
def postgresql_scene(tmp_path_factory: pytest.TempPathFactory, scenes_server: str) -> Iterator[Looted]:
    with scenes.looted("postgresql", tmp_path_factory.mktemp("scene"), scenes_server) as scene:
        yield scene


@pytest.fixture(scope="session")
def postgresql_twin(tmp_path_factory: pytest.TempPathFactory, scenes_server: str) -> Iterator[Scene]:
    with scenes.twin("postgresql", tmp_path_factory.mktemp("twin"), scenes_server) as twin:
        yield twin
