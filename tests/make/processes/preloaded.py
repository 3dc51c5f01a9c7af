"""What `forking` imports once for all processes that it starts: everything except the modules that are run."""

# ruff: noqa: F401
import sqlite3

import alembic.autogenerate
import flask.cli
import flask_migrate.cli
import flask_sqlalchemy.cli
import gunicorn.app.wsgiapp
import gunicorn.workers.gthread
import sqlalchemy.orm

import tests.make.processes.forking
import ugly_mugs.app
import ugly_mugs.operations.gunicorn_logger
import ugly_mugs.sandbox.process

# Otherwise the first query of each process does this.
sqlalchemy.orm.configure_mappers()
