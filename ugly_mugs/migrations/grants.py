"""The grants of the web's and the worker's PostgreSQL role on each table; neither role owns a table.

A test checks that every table is listed. `flask db upgrade` revokes all rights and grants exactly these. The roles
cannot log in: an operator creates a user for each process and grants it the role (`docs/configuration.md`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa


class Role(StrEnum):
    WEB = "ugly_mugs_web"
    WORKER = "ugly_mugs_worker"


ALL: tuple[str, ...] = ("*",)


@dataclass(frozen=True)
class Rights:
    """Grants of one role on one table; each tuple names columns, `ALL` means every column."""

    select: tuple[str, ...] = ()
    insert: tuple[str, ...] = ()
    update: tuple[str, ...] = ()
    delete: bool = False

    def clauses(self) -> Iterator[str]:
        for verb, columns in (("SELECT", self.select), ("INSERT", self.insert), ("UPDATE", self.update)):
            if columns == ALL:
                yield verb
            elif columns:
                yield f"{verb} ({', '.join(columns)})"
        if self.delete:
            yield "DELETE"


NOTHING = Rights()
READ = Rights(select=ALL)
FULL = Rights(select=ALL, insert=ALL, update=ALL, delete=True)
APPEND = Rights(select=ALL, insert=ALL)

# The columns of a delivery that the web inserts; only the worker writes the others.
INSERTED_BY_WEB = (
    "id kind subject_id recipient_id channel sender priority wakes not_before expires_at language level segments"
).split()

AUDIT_ENTRY = ("id", "kind", "actor_id", "subject_id", "count", "day")

GRANTS: Mapping[str, tuple[Rights, Rights]] = {
    # By table: the web's rights, then the worker's.
    # `flask keys init` runs as the web and inserts this row.
    "installation": (APPEND, READ),
    "heartbeats": (READ, FULL),
    "audit_entries": (
        Rights(insert=AUDIT_ENTRY),
        Rights(select=ALL, insert=AUDIT_ENTRY, update=("number", "chained")),
    ),
    # Staff and their keys: no rights for the worker.
    "organisations": (FULL, NOTHING),
    "staff": (FULL, NOTHING),
    "staff_roles": (FULL, NOTHING),
    "key_epochs": (APPEND, NOTHING),
    "key_seals": (FULL, NOTHING),
    "recovery_keys": (APPEND, NOTHING),
    # The worker deletes old sessions by day; it cannot read their contents.
    "sessions": (FULL, Rights(select=("id", "kind", "day"), delete=True)),
    "known_devices": (FULL, Rights(select=("id", "day"), delete=True)),
    # Reports: the worker reads states and days, for daily counts and to check an alert's report, and no contents.
    "reports": (FULL, Rights(select=("id", "state", "source", "received_on", "changed_on"))),
    "report_parts": (FULL, Rights(select=("id", "report_id", "number", "added_on"))),
    "report_messages": (FULL, NOTHING),
    "identifier_tags": (FULL, NOTHING),
    "outputs": (
        FULL,
        Rights(
            select=(
                "id",
                "report_id",
                "kind",
                "subject_id",
                "state",
                "consent_version",
                "held",
                "not_before",
            ),
            update=("state",),
        ),
    ),
    "redactions": (FULL, NOTHING),
    # Members: the worker stores addresses, confirms them and records STOP and START.
    "members": (
        FULL,
        Rights(
            select=("id", "state", "kind", "language", "level", "wake_for_danger", "applied_on"),
            update=("state",),
        ),
    ),
    "member_regions": (FULL, READ),
    "member_sectors": (FULL, READ),
    "subscriptions": (FULL, FULL),
    "member_consents": (APPEND, APPEND),
    "sign_in_codes": (FULL, FULL),
    # Alerts: the worker reads the approved snapshot and changes its state, never its text.
    "alert_families": (APPEND, READ),
    "alerts": (FULL, Rights(select=ALL, update=("state",))),
    "alert_texts": (FULL, READ),
    "alert_authors": (FULL, READ),
    "draft_keys": (FULL, NOTHING),
    # The ledger: the web inserts and reads, the worker updates.
    "addresses": (FULL, FULL),
    "deliveries": (Rights(select=ALL, insert=tuple(INSERTED_BY_WEB)), FULL),
    "fan_outs": (APPEND, FULL),
    "requests": (APPEND, FULL),
}


def apply(connection: sa.Connection) -> list[str]:
    """Create missing roles if this user may, then revoke and set all rights; returns warnings for the operator."""
    warnings = []
    quote = connection.dialect.identifier_preparer.quote
    schema = quote(connection.scalar(sa.text("SELECT current_schema()")) or "public")
    for role in Role:
        if not _exists(connection, role) and not _create(connection, role):
            warnings.append(
                f"The role {role} does not exist and this user may not create it. Ask whoever runs the "
                f'database for: CREATE ROLE {role} NOLOGIN; then run "flask db upgrade" again.'
            )
            continue
        index = 0 if role is Role.WEB else 1
        connection.execute(sa.text(f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {role}"))
        connection.execute(sa.text(f"GRANT USAGE ON SCHEMA {schema} TO {role}"))
        if sa.inspect(connection).has_table("alembic_version"):
            connection.execute(sa.text(f"GRANT SELECT ON {schema}.alembic_version TO {role}"))
        for table, rights in GRANTS.items():
            # REVOKE on a table leaves grants on single columns in place, so those are revoked by column name.
            columns = ", ".join(_columns(connection, table))
            for verb in ("SELECT", "INSERT", "UPDATE"):
                connection.execute(
                    sa.text(f"REVOKE {verb} ({columns}) ON {schema}.{quote(table)} FROM {role}")
                )
            for clause in rights[index].clauses():
                connection.execute(sa.text(f"GRANT {clause} ON {schema}.{quote(table)} TO {role}"))
    return warnings


def _exists(connection: sa.Connection, role: Role) -> bool:
    query = sa.text("SELECT 1 FROM pg_roles WHERE rolname = :role")
    return connection.scalar(query, {"role": role.value}) is not None


def _create(connection: sa.Connection, role: Role) -> bool:
    allowed = connection.scalar(
        sa.text("SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user")
    )
    if allowed:
        connection.execute(sa.text(f"CREATE ROLE {role} NOLOGIN"))
    return bool(allowed)


def _columns(connection: sa.Connection, table: str) -> list[str]:
    quote = connection.dialect.identifier_preparer.quote
    return [quote(column["name"]) for column in sa.inspect(connection).get_columns(table)]
