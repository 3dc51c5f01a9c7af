"""What makes the tests fast and nothing else different: a weak key derivation, and compiled things kept."""

import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import jinja2
import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.routing import Rule

from ugly_mugs.vault.keys import passphrases

MEMORY = Path("/dev/shm")
# What one run leaves lying about at most, in bytes; measured: 2.5 GiB, most of it PostgreSQL's files.
ROOM = 6 * 2**30


def pytest_configure() -> None:
    """Temporary files in memory where Linux offers enough: each commit waits for the disk, 3 ms on a busy one."""
    if "TMPDIR" not in os.environ and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM:
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


def pytest_collection_finish() -> None:
    """What has been imported and collected stays; looking through it for garbage takes a tenth of a run's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


@pytest.fixture(scope="session", autouse=True)
def quick_passphrases() -> Iterator[None]:
    """The real cost, 64 MiB and 200 ms a derivation, would make the suite wait minutes; its own test uses it."""
    real = (passphrases.COST.memory_mib, passphrases.COST.iterations)
    passphrases.COST.memory_mib, passphrases.COST.iterations = 1, 1
    yield
    passphrases.COST.memory_mib, passphrases.COST.iterations = real


class CompiledPages(jinja2.BytecodeCache):
    """Every test makes an application of its own; compiling the same pages for each would double its time."""

    def __init__(self) -> None:
        self.compiled: dict[str, bytes] = {}

    def load_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        if bucket.key in self.compiled:
            bucket.bytecode_from_string(self.compiled[bucket.key])

    def dump_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        self.compiled[bucket.key] = bucket.bytecode_to_string()


class CompiledRoute(Rule):
    """A route whose address is written by code that the first application of the process compiled."""

    compiled: ClassVar[dict[Any, Any]] = {}

    def _compile_builder(self, append_unknown: bool = True) -> Any:
        # What werkzeug compiles finds the converters by its rule, so it is the same for every rule that reads alike.
        key = (self.rule, self.subdomain, str(self.defaults), append_unknown)
        if key not in self.compiled:
            self.compiled[key] = super()._compile_builder(append_unknown)
        return self.compiled[key]


@pytest.fixture(scope="session", autouse=True)
def compiled_pages_and_routes() -> Iterator[None]:
    options, route = Flask.jinja_options, Flask.url_rule_class
    Flask.jinja_options = {**options, "bytecode_cache": CompiledPages()}
    Flask.url_rule_class = CompiledRoute
    yield
    Flask.jinja_options, Flask.url_rule_class = options, route


class CompiledStatements(dict[Any, Any]):
    """Of every engine in this process: those of one kind of database compile a statement alike."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(self._shared(key), default)

    def __setitem__(self, key: Any, compiled: Any) -> None:
        super().__setitem__(self._shared(key), compiled)

    @staticmethod
    def _shared(key: Any) -> Any:
        dialect, *more = key
        return dialect.name, *more


@pytest.fixture(scope="session", autouse=True)
def compiled_statements() -> Iterator[None]:
    """As the pages and routes, for the same reason."""
    compiled = CompiledStatements()

    def share(connection: sa.Connection) -> None:
        connection.execution_options(compiled_cache=compiled)

    sa.event.listen(sa.Engine, "engine_connect", share)
    yield
    sa.event.remove(sa.Engine, "engine_connect", share)
