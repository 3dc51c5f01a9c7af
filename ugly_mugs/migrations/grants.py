"""What web and worker may do with each table on PostgreSQL, where they are two roles and neither owns anything.

Every table stands here, or a test fails. `flask db upgrade` takes all rights away and gives exactly these. The
roles cannot log in: an operator makes a user for each process and grants it the role (`docs/configuration.md`).
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
    """What one role may do with one table; a tuple names columns, `ALL` stands for every one."""

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
KEEP = Rights(select=ALL, insert=ALL, update=ALL, delete=True)
ADD = Rights(select=ALL, insert=ALL)

# What the web decides of a delivery; everything else about it is the worker's to say.
DECIDED = (
    "id kind subject_id recipient_id channel sender priority wakes not_before expires_at language level segments"
).split()

GRANTS: Mapping[str, tuple[Rights, Rights]] = {
    # By table, what the web may do, then what the worker may.
    # `flask keys init` runs as the web and says what kind of installation this is.
    "installation": (ADD, READ),
    "heartbeats": (READ, KEEP),
    "audit_entries": (
        Rights(insert=("id", "kind", "actor_id", "subject_id", "count", "day")),
        Rights(
            select=ALL,
            insert=("id", "kind", "actor_id", "subject_id", "count", "day"),
            update=("number", "chained"),
        ),
    ),
    # Staff and their keys: the worker has nothing to do with them.
    "organisations": (KEEP, NOTHING),
    "staff": (KEEP, NOTHING),
    "staff_roles": (KEEP, NOTHING),
    "key_epochs": (ADD, NOTHING),
    "key_seals": (KEEP, NOTHING),
    "recovery_keys": (ADD, NOTHING),
    # Sessions are swept by day; what a session may open is none of the worker's business.
    "sessions": (KEEP, Rights(select=("id", "kind", "day"), delete=True)),
    "known_devices": (KEEP, Rights(select=("id", "day"), delete=True)),
    # Reports: the worker sees states and days, for counts and for what an alert rests on, and no contents.
    "reports": (KEEP, Rights(select=("id", "state", "source", "received_on", "changed_on"))),
    "report_parts": (KEEP, Rights(select=("id", "report_id", "number", "added_on"))),
    "report_messages": (KEEP, NOTHING),
    "identifier_tags": (KEEP, NOTHING),
    "outputs": (
        KEEP,
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
    "redactions": (KEEP, NOTHING),
    # Members: the worker takes over addresses, proves them and keeps the record of STOP and START.
    "members": (
        KEEP,
        Rights(
            select=("id", "state", "kind", "language", "level", "wake_for_danger", "applied_on"),
            update=("state",),
        ),
    ),
    "member_regions": (KEEP, READ),
    "member_sectors": (KEEP, READ),
    "subscriptions": (KEEP, KEEP),
    "member_consents": (ADD, ADD),
    "sign_in_codes": (KEEP, KEEP),
    # Alerts: the worker reads the approved snapshot and moves its state; it writes no word of it.
    "alert_families": (ADD, READ),
    "alerts": (KEEP, Rights(select=ALL, update=("state",))),
    "alert_texts": (KEEP, READ),
    "alert_authors": (KEEP, READ),
    "draft_keys": (KEEP, NOTHING),
    # The ledger: the web inserts and reads, the worker moves.
    "addresses": (KEEP, KEEP),
    "deliveries": (Rights(select=ALL, insert=tuple(DECIDED)), KEEP),
    "fan_outs": (ADD, KEEP),
    "requests": (ADD, KEEP),
}


def apply(connection: sa.Connection) -> list[str]:
    """Make the roles where they are missing and this user may, then set every right anew; gives warnings."""
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
        place = 0 if role is Role.WEB else 1
        connection.execute(sa.text(f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {role}"))
        connection.execute(sa.text(f"GRANT USAGE ON SCHEMA {schema} TO {role}"))
        if sa.inspect(connection).has_table("alembic_version"):
            connection.execute(sa.text(f"GRANT SELECT ON {schema}.alembic_version TO {role}"))
        for table, rights in GRANTS.items():
            # Rights to single columns outlive a REVOKE on the table, so these are taken away by name.
            every = ", ".join(_columns(connection, table))
            for verb in ("SELECT", "INSERT", "UPDATE"):
                connection.execute(sa.text(f"REVOKE {verb} ({every}) ON {schema}.{quote(table)} FROM {role}"))
            for clause in rights[place].clauses():
                connection.execute(sa.text(f"GRANT {clause} ON {schema}.{quote(table)} TO {role}"))
    return warnings


def _exists(connection: sa.Connection, role: Role) -> bool:
    found = connection.scalar(sa.text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role.value})
    return found is not None


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
