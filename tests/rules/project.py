"""The project looked at from outside: its files, its modules, and every model."""

import ast
import importlib
from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from ugly_mugs.database.columns import Model
from ugly_mugs.database.states import Moves

ROOT = Path(__file__).parents[2]
PACKAGES = ("ugly_mugs", "reporting", "alerts")


def sources() -> Iterator[Path]:
    """Every module of the service, without the steps of the database's shape."""
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            if "versions" not in file.parts:
                yield file


def name_of(file: Path) -> str:
    """As it is imported: `alerts.delivery.fanout`."""
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text("utf-8"), str(file))


def load_models() -> None:
    for file in sources():
        if file.name == "models.py":
            importlib.import_module(name_of(file))


def life_cycles() -> list[Moves[Any]]:
    """Every table of moves of the service."""
    found: dict[int, Moves[Any]] = {}
    for file in sources():
        if file.name == "models.py":
            for value in vars(importlib.import_module(name_of(file))).values():
                if isinstance(value, Moves):
                    found[id(value)] = value
    return list(found.values())


@cache
def models_with_a_state() -> dict[type[Model], StrEnum]:
    """The models that have a life cycle, and the state of a new row."""
    load_models()
    return {
        mapper.class_: mapper.local_table.c["state"].default.arg
        for mapper in Model.registry.mappers
        if "state" in mapper.local_table.c
    }
