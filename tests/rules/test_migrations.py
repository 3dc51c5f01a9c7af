"""The steps of the database's shape: one line of them, the same tables as the models, and a way back."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory
from flask import Flask

from tests.make.databases import own_database, settings_for
from tests.make.installation import application
from ugly_mugs.audit.models import AuditKind
from ugly_mugs.database.columns import Model
from ugly_mugs.database.engine import db
from ugly_mugs.migrations import FOLDER


@pytest.fixture
def empty_database_url(database_kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    if database_kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'database.sqlite3'}"
        return
    with own_database(request.getfixturevalue("postgresql_server")) as url:
        yield url


@pytest.fixture
def migrated(empty_database_url: str, tmp_path: Path) -> Iterator[Flask]:
    """An application whose database was made by `flask db upgrade` alone."""
    with application(settings_for(empty_database_url, tmp_path / "keys")) as app:
        run(app, "db", "upgrade")
        yield app


def run(app: Flask, *command: str) -> str:
    result = app.test_cli_runner().invoke(args=list(command))
    assert result.exit_code == 0, result.output
    return result.output


def tables() -> set[str]:
    return set(sa.inspect(db.engine).get_table_names()) - {"alembic_version"}


def test_there_is_one_head_and_the_steps_are_numbered() -> None:
    revisions = list(ScriptDirectory(str(FOLDER)).walk_revisions())

    assert len(ScriptDirectory(str(FOLDER)).get_heads()) == 1
    assert [revision.revision for revision in reversed(revisions)] == [
        f"{number:04}" for number in range(1, len(revisions) + 1)
    ]


def test_models_and_migrations_agree(migrated: Flask) -> None:
    run(migrated, "db", "check")

    assert tables() == set(Model.metadata.tables)


def test_a_model_without_a_migration_is_found(migrated: Flask) -> None:
    stray = sa.Table("stray", Model.metadata, sa.Column("id", sa.Integer, primary_key=True))
    try:
        result = migrated.test_cli_runner().invoke(args=["db", "check"])
        assert result.exit_code != 0
    finally:
        Model.metadata.remove(stray)


def test_every_step_can_be_taken_back_and_again(migrated: Flask) -> None:
    run(migrated, "db", "downgrade", "base")
    assert tables() == set()

    run(migrated, "db", "upgrade")
    assert tables() == set(Model.metadata.tables)


def test_every_step_that_changes_rows_has_a_data_test_or_says_why_not() -> None:
    """A step that only makes tables meets no rows. Later ones are tested in `test_data_of_<number>.py`."""
    for file in sorted((FOLDER / "versions").glob("*.py")):
        text = file.read_text("utf-8")
        changes = re.search(r"(alter_column|drop_column|add_column|execute|rename_table)\(", text)
        has_test = (Path(__file__).parent / f"test_data_of_{file.name[:4]}.py").exists()
        assert not changes or has_test or "No rows:" in text, file.name


def test_every_state_fits_into_its_column() -> None:
    for table in Model.metadata.tables.values():
        for column in table.columns:
            for member in column.info.get("members", ()):
                assert len(member.value) <= column.type.impl_instance.length, (
                    f"{table.name}.{column.name}: {member}"
                )
    assert max(len(kind.value) for kind in AuditKind) <= 32


def test_postgresql_clears_soon_what_was_deleted_where_something_sealed_lies(migrated: Flask) -> None:
    if db.engine.dialect.name == "sqlite":
        assert db.session.scalar(sa.text("PRAGMA secure_delete")) == 1
        return
    asked = (
        "SELECT c.relname, array_to_string(c.reloptions || t.reloptions, ' ') FROM pg_class c "
        "LEFT JOIN pg_class t ON t.oid = c.reltoastrelid WHERE c.relname = ANY(:names)"
    )
    names = ["reports", "report_parts", "report_messages", "outputs", "redactions", "addresses", "members"]
    found = dict(db.session.execute(sa.text(asked), {"names": names}).all())

    assert found.keys() == set(names)
    for options in found.values():
        assert options.split().count("autovacuum_vacuum_threshold=1") == 2
        assert options.split().count("autovacuum_vacuum_scale_factor=0") == 2
