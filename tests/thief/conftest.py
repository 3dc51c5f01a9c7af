"""The scenes, each made once in a run: all tests that look at those of one kind of database share a process."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache

import pytest

from tests.thief.scenes import Looted, Scene, Scenes


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Before xdist looks for the groups."""
    for item in items:
        if isinstance(item, pytest.Function) and "scenes" in item.fixturenames:
            item.add_marker(pytest.mark.xdist_group(f"thief-{item.callspec.params['database_kind']}"))


@pytest.fixture(scope="session")
def scenes_of(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Callable[[str], Scenes]]:
    """Of a kind of database."""
    with ExitStack() as made:

        @cache
        def scenes_of(kind: str) -> Scenes:
            prepared = (
                request.getfixturevalue("postgresql_templates").server if kind == "postgresql" else None
            )
            scenes = Scenes(kind, tmp_path_factory.mktemp(f"thief-{kind}"), prepared)
            made.callback(scenes.close)
            return scenes

        yield scenes_of


@pytest.fixture
def scenes(database_kind: str, scenes_of: Callable[[str], Scenes]) -> Scenes:
    return scenes_of(database_kind)


@pytest.fixture
def scene(scenes: Scenes) -> Looted:
    return scenes.first


@pytest.fixture
def twin(scenes: Scenes) -> Scene:
    return scenes.twin
