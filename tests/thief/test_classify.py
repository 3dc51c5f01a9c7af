"""(b) Every column of the real database says what it holds, and holds nothing else."""

import pytest
import sqlalchemy as sa

from tests.thief.classify import problems
from tests.thief.haul import take_rows
from tests.thief.scenes import Scene
from ugly_mugs.database.columns import Model

# No page of today's fills these; the feature that does will have to make the journey go there.
UNUSED = {"fan_outs", "organisations"}


def test_every_column_holds_what_is_declared(scene: Scene) -> None:
    assert problems(scene.haul) == []


def test_the_journey_leaves_rows_in_every_table(scene: Scene) -> None:
    assert {table for table, rows in scene.haul.rows.items() if not rows} == UNUSED
    assert set(scene.haul.rows) - {"alembic_version"} == set(Model.metadata.tables)


def test_an_undeclared_column_is_found(scene: Scene) -> None:
    with scene.engine.connect() as connection:
        # SQLite's driver begins no transaction by itself for a change of tables.
        if scene.stack.kind == "sqlite":
            connection.exec_driver_sql("BEGIN")
        connection.execute(sa.text("ALTER TABLE reports ADD COLUMN filed_at TIMESTAMP"))
        haul = take_rows(connection)
        connection.rollback()

    assert problems(haul) == ["reports.filed_at: not declared"]
    with scene.engine.connect() as connection:
        assert problems(take_rows(connection)) == []


@pytest.mark.parametrize(
    ("table", "column", "value", "problem"),
    [
        ("report_messages", "text", b"\1" + b"Please write after noon. " * 45, "not sealed as declared"),
        ("identifier_tags", "tag", b"+447700900611".ljust(32, b"\0"), "not keyed as declared"),
        ("deliveries", "error_code", 447_700_900_611, "not clear as declared"),
        ("deliveries", "provider_id", "+447700900611", "not clear as declared"),
        ("members", "language", "Robin", "not clear as declared"),
        ("reports", "received_on", "2026-11-21 12:00:00", "not clear as declared"),
        ("reports", "state", "about Robin", "not clear as declared"),
        ("reports", "taken_by", "00000000-0000-0000-0000-447700900611", "not clear as declared"),
    ],
)
def test_a_value_that_is_something_else_is_found(
    scene: Scene, table: str, column: str, value: object, problem: str
) -> None:
    haul = scene.haul.copy()
    haul.rows[table][0][column] = value

    assert problems(haul) == [f"{table}.{column}: {problem}"]
