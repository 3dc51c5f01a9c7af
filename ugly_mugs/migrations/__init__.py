"""The database's shape, step by step (`flask db …`), and what each PostgreSQL role may do with it."""

from pathlib import Path

from flask import Flask
from flask_migrate import Migrate

from ugly_mugs.database.engine import db
from ugly_mugs.settings import Settings

FOLDER = Path(__file__).parent


def init_app(app: Flask, settings: Settings) -> None:
    # SQLite cannot change a column in place, so changes there are written as a copy of the whole table.
    batch = settings.database_url.startswith("sqlite")
    Migrate(app, db, directory=str(FOLDER), compare_type=True, render_as_batch=batch)
