"""What people must be able to look up: settings, columns, and nothing that is not true."""

import ast
import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.rules import columns
from tests.rules.project import ROOT, parsed
from ugly_mugs.database.columns import Clear, Model

SETTINGS_PAGE = ROOT / "docs" / "configuration.md"
PROMISES = re.compile(
    r"end-to-end encrypt|zero.knowledge|server cannot read|no trace|deleted everywhere|(?:ever|nobody is) texted twice|"
    r"tamper-?proof|nobody learns what you check|cannot identify you",
    re.I,
)
# The only way in which the word may be used.
ANONYMOUS = re.compile(r"anonym(?!ous\b.{0,80}as far as you write nothing that names you)", re.I | re.S)


def settings_read() -> set[str]:
    """Every setting that the code reads, by its full name."""
    calls = [
        node for node in ast.walk(parsed(ROOT / "ugly_mugs" / "settings.py")) if isinstance(node, ast.Call)
    ]
    return {
        f"UGLY_MUGS_{call.args[0].value}"
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and call.func.attr == "read"
        and call.args
        and isinstance(call.args[0], ast.Constant)
    }


def test_every_setting_is_documented_and_none_that_is_not_there() -> None:
    rows = re.findall(r"^\| `(UGLY_MUGS_\w+)` \|", SETTINGS_PAGE.read_text("utf-8"), re.M)

    assert len(rows) == len(set(rows))
    assert set(rows) == settings_read()


def test_no_page_names_a_setting_that_does_not_exist() -> None:
    known = settings_read()
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        named = set(re.findall(r"UGLY_MUGS_[A-Z_]*[A-Z]", page.read_text("utf-8"))) - {"UGLY_MUGS_X"}
        unknown = {name for name in named if not {name, name.removesuffix("_FILE")} & known}
        assert unknown <= {"UGLY_MUGS_X_FILE"}, page.name


def test_every_column_says_what_it_holds_and_stands_in_the_threat_model() -> None:
    assert columns.written(columns.PAGE.read_text("utf-8")) == columns.table(), (
        "write it anew: python -m tests.rules.columns"
    )


def test_a_column_that_does_not_say_what_it_holds_is_found() -> None:
    undeclared = sa.Table("stray", sa.MetaData(), sa.Column("value", sa.Integer)).c.value

    with pytest.raises(ValueError, match=r"stray\.value"):
        columns.declared(undeclared)


def test_whatever_is_readable_for_a_reason_of_its_own_is_named_in_prose() -> None:
    columns.load_models()
    prose, _, _ = columns.PAGE.read_text("utf-8").partition(columns.BEGIN)
    unnamed = [
        f"{table.name}.{column.name}"
        for table in Model.metadata.tables.values()
        for column in table.columns
        if column.info.get("what") is Clear.NAMED and not re.search(rf"`(?:\w+\.)?{column.name}`", prose)
    ]

    assert unnamed == []


@pytest.mark.parametrize(
    "file",
    sorted(
        file
        for pattern in ("*.md", "docs/**/*.md", "templates/**/*.html", "templates/**/*.txt")
        for file in ROOT.glob(pattern)
    ),
    ids=lambda file: str(file.relative_to(ROOT)),
)
def test_nothing_promises_what_cannot_be_kept(file: Path) -> None:
    text = file.read_text("utf-8")

    assert not PROMISES.search(text)
    assert not ANONYMOUS.search(text)


@pytest.mark.parametrize(
    "claim",
    [
        "It is end-to-end encrypted.",
        "zero-knowledge",
        "It leaves no trace on your phone",
        "deleted everywhere",
    ],
)
def test_a_false_promise_is_found(claim: str) -> None:
    assert PROMISES.search(claim)
