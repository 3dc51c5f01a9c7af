"""States move only through their tables of moves: one rule over the syntax tree of the whole service.

A state is written in three ways, and each has its rule.
- A row is moved by `Moves.move`: nothing else assigns an attribute `state`, also not by `setattr`.
- A statement moves many rows: whoever writes `state` in an UPDATE asks `….sources(…)` for that very state.
- A row is created: in the state that its column has by default.
"""

import ast
import importlib
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

import pytest

from tests.rules.project import models_with_a_state, name_of, parsed, sources
from ugly_mugs.database.columns import Model

MOVES = "ugly_mugs.database.states"
# Its settings are set by name; nothing in it has a life cycle.
SETS_BY_NAME = "ugly_mugs.sandbox"
Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Module


def wrong(tree: ast.Module, names: Mapping[str, Any]) -> list[int]:
    """The lines that write a state past its table; `names` is what the module's names stand for."""
    initial = models_with_a_state()
    found: list[int] = []
    for function in _functions(tree):
        nodes = list(_own_nodes(function))
        asked = {
            ast.dump(node.args[0])
            for node in nodes
            if isinstance(node, ast.Call) and _called(node) == "sources" and node.args
        }
        called = {_called(node) for node in nodes if isinstance(node, ast.Call)}
        for node in nodes:
            if _assigns_state(node):
                found.append(node.lineno)  # type: ignore[attr-defined]
            elif isinstance(node, ast.Dict) and called & {"values", "update", "insert"}:
                # The values of a statement: of an INSERT only, they may be those of a new row.
                creates = "insert" in called and "update" not in called
                found += [
                    value.lineno
                    for value in _states_in(node)
                    if ast.dump(value) not in asked
                    and not (creates and _value(value, names) in initial.values())
                ]
            elif isinstance(node, ast.Call):
                found += _wrong_in_call(node, names, initial, asked)
    return sorted(found)


def _functions(tree: ast.Module) -> Iterator[Function]:
    yield tree
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _own_nodes(function: Function) -> Iterator[ast.AST]:
    """The nodes of a function, without those of functions inside it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        yield node
        waiting += ast.iter_child_nodes(node)


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _assigns_state(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Attribute) and node.attr == "state" and isinstance(node.ctx, ast.Store | ast.Del)
    )


def _states_in(node: ast.Dict) -> list[ast.expr]:
    return [
        value
        for key, value in zip(node.keys, node.values, strict=True)
        if isinstance(key, ast.Constant) and key.value == "state"
    ]


def _wrong_in_call(
    call: ast.Call, names: Mapping[str, Any], initial: Mapping[type[Model], StrEnum], asked: set[str]
) -> list[int]:
    name = _called(call)
    if name in ("setattr", "__setattr__"):
        attribute = call.args[-2]
        known = isinstance(attribute, ast.Constant) and attribute.value != "state"
        by_name = str(names.get("__name__")).startswith(SETS_BY_NAME)
        return [] if known or (by_name and not isinstance(attribute, ast.Constant)) else [call.lineno]
    if name == "text" and any(
        isinstance(argument, ast.Constant) and _moves_by_sql(str(argument.value)) for argument in call.args
    ):
        return [call.lineno]
    for keyword in call.keywords:
        if keyword.arg != "state":
            continue
        value = _value(keyword.value, names)
        if name == "values":
            model = _inserted(call, names)
            is_right = value is initial[model] if model else ast.dump(keyword.value) in asked
        else:
            model = _value(call.func, names)
            is_right = model not in initial or value is initial[model]
        if not is_right:
            return [keyword.value.lineno]
    return []


def _moves_by_sql(sql: str) -> bool:
    words = sql.lower().split()
    return "update" in words and "set" in words and "state" in words[words.index("set") :]


def _inserted(call: ast.Call, names: Mapping[str, Any]) -> type[Model] | None:
    """The model of `insert(Model)….values(…)`; None for any other statement."""
    node: ast.expr = call
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _called(node) != "insert":
        node = node.func.value
    if isinstance(node, ast.Call) and _called(node) == "insert":
        model = _value(node.args[0], names)
        return model if isinstance(model, type) and issubclass(model, Model) else None
    return None


def _value(node: ast.expr, names: Mapping[str, Any]) -> Any:
    """What a name or an attribute of one stands for; None for anything else."""
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        return getattr(_value(node.value, names), node.attr, None)
    return None


def test_states_move_only_through_their_tables() -> None:
    found = [
        f"{name_of(file)}:{line}"
        for file in sources()
        if name_of(file) != MOVES and not name_of(file).startswith("ugly_mugs.migrations")
        for line in wrong(parsed(file), vars(importlib.import_module(name_of(file))))
    ]

    assert found == []


PLANTED = [
    "alert.state = AlertState.LIVE",
    "alert.state, alert.version = AlertState.LIVE, 2",
    "alert.state: AlertState = AlertState.LIVE",
    "del alert.state",
    "setattr(alert, 'state', AlertState.LIVE)",
    "setattr(alert, name, AlertState.LIVE)",
    "object.__setattr__(alert, 'state', AlertState.LIVE)",
    "sa.update(Alert).where(Alert.id == alert_id).values(state=AlertState.LIVE)",
    "sa.update(Alert).where(Alert.state == AlertState.PUBLISHING).values(state=AlertState.LIVE)",
    "sa.update(Alert).where(Alert.state.in_(ALERT_MOVES.sources(AlertState.PAUSED))).values(state=AlertState.LIVE)",
    "sa.update(Alert).values({'state': AlertState.LIVE})",
    "sa.update(Alert).values(**{'state': AlertState.LIVE})",
    "sa.update(Alert).values({'state': AlertState.DRAFT})",
    "sa.insert(Alert).values({'state': AlertState.LIVE})",
    "sa.text(\"UPDATE alerts SET state = 'live'\")",
    "Alert(state=AlertState.LIVE)",
    "Alert(state=wanted)",
    "sa.insert(Alert).values(state=AlertState.LIVE)",
    "insert(Alert).values(state=wanted).on_conflict_do_nothing()",
]
LEGAL = [
    "ALERT_MOVES.move(alert, AlertState.LIVE)",
    "state = alert.state",
    "sa.update(Alert).where(Alert.state.in_(ALERT_MOVES.sources(AlertState.LIVE))).values(state=AlertState.LIVE)",
    "sa.update(Alert).where(Alert.state.in_(ALERT_MOVES.sources(wanted, among=these))).values(state=wanted)",
    "Alert(state=AlertState.DRAFT)",
    "insert(Alert).values(state=AlertState.DRAFT).on_conflict_do_nothing()",
    "insert(Alert).values({'state': AlertState.DRAFT})",
    "Line(state=labels.of_state(alert.state))",
    "setattr(alert, 'version', 2)",
    'sa.text("SELECT state FROM alerts")',
]


def _lines(statement: str) -> list[int]:
    tree = ast.parse(f"def function():\n    {statement}\n")
    return wrong(tree, vars(importlib.import_module("alerts.publishing.models")))


@pytest.mark.parametrize("statement", PLANTED)
def test_a_state_written_past_its_table_would_be_found(statement: str) -> None:
    assert _lines(statement) == [2]


@pytest.mark.parametrize("statement", LEGAL)
def test_a_legal_move_or_creation_is_not_found(statement: str) -> None:
    assert _lines(statement) == []
