"""Schema migrations (`flask db …`), and the grants of each PostgreSQL role."""

from pathlib import Path

from flask import Flask
from flask_migrate import Migrate

from ugly_mugs.database.engine import db
from ugly_mugs.settings import Settings

FOLDER = Path(__file__).parent


def init_app(app: Flask, settings: Settings) -> None:
    # SQLite cannot alter a column, so in batch mode Alembic copies the table instead.
    batch = settings.database_url.startswith("sqlite")
    Migrate(app, db, directory=str(FOLDER), compare_type=True, render_as_batch=batch)
