"""What an application holds stands in one typed place: no string keys of ours in `app.extensions` beside it."""

import ast
from collections.abc import Iterator
from dataclasses import fields

import pytest

from tests.rules.project import ROOT, name_of, parsed, sources
from ugly_mugs.app import WIRING
from ugly_mugs.wiring import State

# What Flask's extensions keep there, under keys of their own.
OF_LIBRARIES = frozenset({"migrate", "sqlalchemy"})


def wrong_uses(tree: ast.Module) -> Iterator[int]:
    """The lines that use `.extensions` in any other way than by our one key or by a library's."""
    subscripted = {
        id(node.value): node.slice
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Attribute)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == "extensions" and not _is_known(subscripted, node):
            yield node.lineno


def _is_known(subscripted: dict[int, ast.expr], node: ast.Attribute) -> bool:
    key = subscripted.get(id(node))
    if isinstance(key, ast.Constant):
        return key.value in OF_LIBRARIES
    return isinstance(key, ast.Name) and key.id == "KEY"


def test_only_the_runtime_stands_in_the_extensions() -> None:
    files = [*sources(), *sorted((ROOT / "tests").rglob("*.py"))]
    wrong = [f"{name_of(file)}:{line}" for file in files for line in wrong_uses(parsed(file))]

    assert wrong == []


@pytest.mark.parametrize(
    "line",
    [
        'app.extensions["jobs"] = []',
        'current_app.extensions.setdefault("pages", {})',
        'current_app.extensions.get("desk key")',
        "known = app.extensions",
        "app.extensions[f'{name}']",
        "getattr(app.extensions, 'get')",
    ],
)
def test_any_other_use_would_be_found(line: str) -> None:
    assert list(wrong_uses(ast.parse(line))) == [1]


def test_each_class_has_one_object_in_each_application() -> None:
    class Tries:
        pass

    state = State()

    assert state.of(Tries) is state.of(Tries)
    assert state.of(Tries) is not State().of(Tries)


def test_an_object_that_needs_arguments_is_made_once() -> None:
    state = State()

    assert state.of(list, lambda: [1]) == [1]
    assert state.of(list, lambda: [2]) == [1]


def test_nothing_is_wired_twice() -> None:
    for field in fields(WIRING):
        given = getattr(WIRING, field.name)
        if isinstance(given, tuple):
            assert len({id(item) for item in given}) == len(given) > 0, field.name
    assert len({blueprint.name for blueprint in WIRING.blueprints}) == len(WIRING.blueprints)
    assert len({job.name for job in WIRING.jobs}) == len(WIRING.jobs)
