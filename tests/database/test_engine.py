"""Deleted rows leave SQLite's write-ahead log, and a reader at that moment blocks no writer."""

import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.make.databases import execute
from ugly_mugs.audit.models import AuditEntry
from ugly_mugs.database import engine as database
from ugly_mugs.database.engine import db, forget_deleted
from ugly_mugs.runtime import runtime


@pytest.fixture
def log(app: Flask) -> Path:
    url = runtime().settings.database_url
    if not url.startswith("sqlite"):
        pytest.skip(
            "SQLITE ALONE. PostgreSQL keeps no such log; tests/rules/test_migrations.py has its side."
        )
    execute(sa.delete(AuditEntry))
    return Path(url.removeprefix("sqlite:///") + "-wal")


def test_the_log_is_emptied(log: Path) -> None:
    assert log.stat().st_size > 0

    forget_deleted()

    assert log.stat().st_size == 0


def test_a_reader_prevents_it_and_the_checkpoint_does_not_wait_for_the_write_timeout(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "WRITE_TIMEOUT", 3600.0)
    with sqlite3.connect(str(log).removesuffix("-wal"), isolation_level=None) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM staff").fetchone()
        execute(sa.delete(AuditEntry))

        forget_deleted()

        assert log.stat().st_size > 0
        assert db.session.scalar(sa.text("PRAGMA busy_timeout")) == 3_600_000
        reader.execute("COMMIT")
