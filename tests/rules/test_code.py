"""Habits of the code that are easily forgotten: who commits, who logs what, who reads the environment."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.rules.project import ROOT, name_of, parsed, sources
from ugly_mugs.operations.logs import KNOWN_KEYS

# A demo is the body of a command, and does in its steps what people do one after the other.
# `demo` invents data step by step, as one long command.
EDGES = re.compile(r"(?:^|_)(?:views|commands|jobs|demo)$")
# Who commits without being an edge, and why.
MAY_COMMIT = {
    "ugly_mugs.accounts.guard": "session rows, whatever comes of the request",
    "ugly_mugs.audit.log": "an opening is recorded before anything else; the chain is a transaction of its own",
    "ugly_mugs.outbox.inbound.handovers": "each batch of handovers is complete in itself",
    "ugly_mugs.outbox.reconcile": "each answer of the provider is complete in itself",
    "ugly_mugs.outbox.sender": "what a refusal means is complete in itself",
    "ugly_mugs.outbox.texts": "a subject that is not fit to be sent stays stopped, whatever becomes of the claim",
}
MAY_READ_ENVIRONMENT = {"ugly_mugs.app", "ugly_mugs.operations.launcher"}
LOG_METHODS = {"debug", "info", "warning", "error", "exception", "critical"}


def calls(file: Path) -> Iterator[ast.Call]:
    for node in ast.walk(parsed(file)):
        if isinstance(node, ast.Call):
            yield node


def committers() -> set[str]:
    return {
        name_of(file)
        for file in sources()
        for call in calls(file)
        if isinstance(call.func, ast.Attribute) and call.func.attr == "commit"
    }


def may_commit(module: str) -> bool:
    return bool(EDGES.search(module.rsplit(".", 1)[-1])) or module in MAY_COMMIT


def test_only_edges_commit() -> None:
    assert {module for module in committers() if not may_commit(module)} == set()


def test_a_service_that_commits_would_be_found() -> None:
    assert "ugly_mugs.audit.log" in committers()
    assert not may_commit("reporting.filing.submission")


def test_whoever_may_commit_still_does() -> None:
    """A name that no longer needs to be on the list would hide the next mistake."""
    assert MAY_COMMIT.keys() <= committers()


def log_calls(file: Path) -> Iterator[ast.Call]:
    for call in calls(file):
        of = call.func.value if isinstance(call.func, ast.Attribute) else None
        if isinstance(of, ast.Name) and of.id in ("log", "_log", "logger") and call.func.attr in LOG_METHODS:  # type: ignore[attr-defined]
            yield call


def test_our_log_lines_are_constant_sentences_with_known_keys() -> None:
    """Anything else is left out of the log, so its writer would look for it in vain."""
    wrong = []
    for file in sources():
        for call in log_calls(file):
            constant = len(call.args) == 1 and isinstance(call.args[0], ast.Constant)
            extra = next((word.value for word in call.keywords if word.arg == "extra"), None)
            keys = (
                {key.value for key in extra.keys if isinstance(key, ast.Constant)}
                if isinstance(extra, ast.Dict)
                else set()
            )
            if not constant or keys - KNOWN_KEYS:
                wrong.append(f"{name_of(file)}:{call.lineno}")

    assert wrong == []


def test_the_environment_is_read_in_one_place() -> None:
    readers = {
        name_of(file)
        for file in sources()
        for node in ast.walk(parsed(file))
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
    }

    assert readers == MAY_READ_ENVIRONMENT


def test_every_module_opens_with_what_it_is_for() -> None:
    silent = [
        name_of(file)
        for file in sources()
        if file.read_text("utf-8").strip() and not ast.get_docstring(parsed(file))
    ]

    assert silent == []


def test_no_file_names_a_place_that_is_not_part_of_the_project() -> None:
    elsewhere = re.compile("|".join(["/ro" + "ot/", "/ho" + "me/"]))
    found = []
    for pattern in (
        "*.md",
        "*.toml",
        "*.cfg",
        "*.txt",
        "Makefile",
        ".ci/*",
        "docs/**/*.md",
        "deploy/**/*",
        "**/*.py",
    ):
        for file in ROOT.glob(pattern):
            parts = file.relative_to(ROOT).parts
            if (
                file.is_file()
                and not {".venv", "var", "build", "__pycache__"} & set(parts)
                and elsewhere.search(file.read_text("utf-8"))
            ):
                found.append(str(file.relative_to(ROOT)))

    assert sorted(set(found)) == []


def test_the_locks_hold_hashes_and_no_addresses() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (ROOT / name).read_text("utf-8")
        pinned = re.findall(r"^[a-z0-9].*?(?=^[a-z0-9]|\Z)", text, re.M | re.S)
        assert len(pinned) > 30
        assert all("==" in entry and "--hash=sha256:" in entry for entry in pinned), name
        assert "://" not in text
