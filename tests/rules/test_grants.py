"""On PostgreSQL web and worker are two roles that own nothing and may do no more than their work."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import ProgrammingError

from tests.make.databases import own_database, settings_for
from tests.make.installation import application
from ugly_mugs.database.columns import Model
from ugly_mugs.database.engine import db
from ugly_mugs.migrations import grants
from ugly_mugs.migrations.grants import ALL, GRANTS, Rights, Role

PLACES = {Role.WEB: 0, Role.WORKER: 1}


@contextmanager
def made_by_migrations(server: str, folder: Path) -> Iterator[Flask]:
    """An application on a PostgreSQL database of its own, as `flask db upgrade` makes it.

    SQLite has no roles: there the owners of files are what keeps the two apart.
    """
    with own_database(server) as url, application(settings_for(url, folder / "keys")) as app:
        app.test_cli_runner().invoke(args=["db", "upgrade"])
        yield app


@pytest.fixture
def migrated(postgresql_server: str, tmp_path: Path) -> Iterator[Flask]:
    with made_by_migrations(postgresql_server, tmp_path) as app:
        yield app


@pytest.fixture(scope="module")
def shared(postgresql_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """One database for whatever changes nothing."""
    with made_by_migrations(postgresql_server, tmp_path_factory.mktemp("grants")) as app:
        yield app


def as_role(role: Role, statement: str) -> None:
    """Run one statement with a role's rights, and undo it."""
    with db.engine.connect() as connection:
        connection.execute(sa.text(f"SET LOCAL ROLE {role}"))
        connection.execute(sa.text(statement))
        connection.rollback()


def columns_of(table: str) -> list[str]:
    return [column.name for column in Model.metadata.tables[table].columns]


def declared(role: Role) -> set[tuple[str, str, str]]:
    """Every right as (table, column, verb)."""
    found = set()
    for table, both in GRANTS.items():
        rights: Rights = both[PLACES[role]]
        for verb, columns in (
            ("SELECT", rights.select),
            ("INSERT", rights.insert),
            ("UPDATE", rights.update),
        ):
            for column in columns_of(table) if columns == ALL else columns:
                found.add((table, column, verb))
        if rights.delete:
            found.add((table, "", "DELETE"))
    return found


def held(role: Role) -> set[tuple[str, str, str]]:
    columns = sa.text(
        "SELECT table_name, column_name, privilege_type FROM information_schema.column_privileges "
        "WHERE grantee = :role AND table_name != 'alembic_version' AND privilege_type != 'REFERENCES'"
    )
    deletes = sa.text(
        "SELECT table_name, '', privilege_type FROM information_schema.table_privileges "
        "WHERE grantee = :role AND privilege_type NOT IN ('SELECT', 'INSERT', 'UPDATE') "
        "AND table_name != 'alembic_version'"
    )
    with db.engine.connect() as connection:
        rows = [
            *connection.execute(columns, {"role": role.value}),
            *connection.execute(deletes, {"role": role.value}),
        ]
    return {(row[0], row[1], row[2]) for row in rows}


def test_every_table_has_grants_and_no_other(shared: Flask) -> None:
    assert set(GRANTS) == set(Model.metadata.tables)


def test_grants_name_only_columns_that_exist(shared: Flask) -> None:
    for role in Role:
        unknown = {
            (table, column)
            for table, column, _verb in declared(role)
            if column and column not in columns_of(table)
        }
        assert unknown == set()


@pytest.mark.parametrize("role", Role)
def test_what_is_declared_is_what_holds(shared: Flask, role: Role) -> None:
    assert held(role) == declared(role)


def test_a_right_that_was_given_by_hand_goes_with_the_next_upgrade(migrated: Flask) -> None:
    with db.engine.begin() as connection:
        connection.execute(sa.text(f"GRANT UPDATE (state), DELETE ON deliveries TO {Role.WEB}"))
    assert held(Role.WEB) != declared(Role.WEB)

    migrated.test_cli_runner().invoke(args=["db", "upgrade"])

    assert held(Role.WEB) == declared(Role.WEB)


def test_neither_owns_anything_or_can_log_in(shared: Flask) -> None:
    with db.engine.connect() as connection:
        owned = connection.scalar(
            sa.text(
                "SELECT count(*) FROM pg_tables WHERE tableowner IN ('ugly_mugs_web', 'ugly_mugs_worker')"
            )
        )
        may_log_in = connection.scalar(
            sa.text("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'ugly_mugs_%' AND rolcanlogin")
        )
    assert (owned, may_log_in) == (0, 0)


FORBIDDEN = {
    Role.WEB: [
        "UPDATE deliveries SET state = 'delivered'",
        "UPDATE deliveries SET provider_id = NULL",
        "INSERT INTO deliveries (state) VALUES ('accepted')",
        "INSERT INTO deliveries (attempt) VALUES (3)",
        "DELETE FROM deliveries",
        "UPDATE audit_entries SET number = 1",
        "DELETE FROM audit_entries",
        "INSERT INTO audit_entries (number) VALUES (1)",
        "UPDATE member_consents SET at = now()",
        "DELETE FROM member_consents",
        "UPDATE heartbeats SET seen_at = now()",
        "UPDATE key_epochs SET public_key = ''",
        "UPDATE installation SET demo = false",
        "UPDATE alembic_version SET version_num = '0'",
        "CREATE TABLE mine (id integer)",
        "ALTER TABLE deliveries DROP COLUMN attempt",
        "TRUNCATE reports",
    ],
    Role.WORKER: [
        "SELECT sections FROM report_parts",
        "SELECT desk_wrap FROM reports",
        "SELECT receipt_wrap FROM reports",
        "SELECT locator FROM reports",
        "SELECT head FROM reports",
        "UPDATE reports SET state = 'purged'",
        "SELECT text FROM report_messages",
        "SELECT tag FROM identifier_tags",
        "SELECT contents FROM redactions",
        "SELECT preview FROM outputs",
        "UPDATE outputs SET held = false",
        "UPDATE outputs SET consent_version = 1",
        "SELECT private_key FROM staff",
        "SELECT totp_secret FROM staff",
        "SELECT role FROM staff_roles",
        "SELECT sealed FROM key_seals",
        "SELECT contents FROM sessions",
        "SELECT token FROM sessions",
        "SELECT wrapped FROM draft_keys",
        "SELECT working_name FROM members",
        "UPDATE alerts SET approved_by = NULL",
        "UPDATE alerts SET contents = ''",
        "UPDATE alert_texts SET text = ''",
        "UPDATE member_consents SET at = now()",
        "UPDATE audit_entries SET actor_id = NULL",
        "DELETE FROM audit_entries",
        "CREATE TABLE mine (id integer)",
    ],
}


@pytest.mark.parametrize(
    ("role", "statement"), [(role, statement) for role in Role for statement in FORBIDDEN[role]]
)
def test_what_a_role_has_no_business_with_is_refused(shared: Flask, role: Role, statement: str) -> None:
    with pytest.raises(ProgrammingError, match="InsufficientPrivilege"):
        as_role(role, statement)


def test_an_owner_who_may_not_make_roles_is_told_what_to_ask_for(
    migrated: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grants, "_exists", lambda connection, role: False)
    with db.engine.connect() as connection:
        connection.execute(sa.text("CREATE ROLE small NOLOGIN"))
        connection.execute(sa.text("GRANT USAGE ON SCHEMA public TO small"))
        connection.execute(sa.text("SET LOCAL ROLE small"))
        warnings = grants.apply(connection)
        connection.rollback()

    assert len(warnings) == 2
    assert "CREATE ROLE ugly_mugs_web NOLOGIN" in warnings[0]
