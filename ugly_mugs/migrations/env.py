"""Alembic runs this module for every `flask db` command."""

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from alembic.autogenerate.api import AutogenContext
from flask import current_app

from ugly_mugs.database.columns import EnumText, Model, UtcDateTime
from ugly_mugs.database.engine import db
from ugly_mugs.migrations import grants, vacuum


def _plain_types(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    """Write SQLAlchemy's own types into migrations, so that they still run after our classes have changed."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, EnumText):
        return f"sa.String({EnumText.impl.length})"
    return False


def _leave_out_empty(migration: Any, revision: Any, directives: list[Any]) -> None:
    """Write no revision if models and migrations agree."""
    options = context.config.cmd_opts
    if getattr(options, "autogenerate", False) and directives[0].upgrade_ops.is_empty():
        directives[:] = []


def _is_upgrade() -> bool:
    """Whether the command is `flask db upgrade`."""
    command = context.get_context().opts.get("fn")
    return getattr(command, "__name__", "") == "upgrade"


def _run(connection: sa.Connection) -> None:
    options = dict(current_app.extensions["migrate"].configure_args)
    options.setdefault("process_revision_directives", _leave_out_empty)
    context.configure(
        connection=connection, target_metadata=Model.metadata, render_item=_plain_types, **options
    )
    with context.begin_transaction():
        context.run_migrations()
        if _is_upgrade() and connection.dialect.name == "postgresql":
            vacuum.apply(connection)
            # Set on every upgrade, so that the database's grants always equal those in grants.py.
            for warning in grants.apply(connection):
                context.config.print_stdout("%s", warning)


if context.is_offline_mode():
    raise SystemExit("Migrations look at the database while they run; there is no SQL to print beforehand.")

with db.engine.connect() as database:
    _run(database)
