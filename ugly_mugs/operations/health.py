"""Health checks for monitors and load balancers: `/healthz` for web and database, `/readyz` for the worker too."""

from datetime import timedelta

import sqlalchemy as sa
from flask import Blueprint, Response, jsonify
from sqlalchemy.exc import DBAPIError, TimeoutError as PoolTimeout

from ugly_mugs.accounts.guard import machine
from ugly_mugs.database.engine import db
from ugly_mugs.database.models import Heartbeat, Process
from ugly_mugs.errors import Unavailable
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import KeyFileProblem

health = Blueprint("health", __name__)

SEEN_WITHIN = timedelta(minutes=1)


@health.get("/healthz")
@machine
def healthz() -> Response:
    check_web_and_database()
    return jsonify({"status": "ok"})


@health.get("/readyz")
@machine
def readyz() -> Response:
    check_web_and_database()
    if not worker_is_alive():
        raise Unavailable("No worker has been seen for a minute. Start one: flask worker")
    return jsonify({"status": "ok"})


def check_web_and_database() -> None:
    """Raise Unavailable unless this process can read its keys and the database has our tables."""
    try:
        _ = runtime().vault
        db.session.scalar(sa.select(sa.literal(1)).select_from(Heartbeat).limit(1))
    except KeyFileProblem:
        # The details are for the operator only: `flask doctor` prints them.
        raise Unavailable("The keys cannot be read. Ask the operator to run: flask doctor") from None
    except (DBAPIError, PoolTimeout):
        db.session.rollback()
        raise Unavailable("The database does not answer, or has no tables yet.") from None


def worker_is_alive() -> bool:
    """Whether any worker has recorded a heartbeat within the last minute."""
    seen_at = db.session.scalar(sa.select(Heartbeat.seen_at).where(Heartbeat.process == Process.WORKER))
    return seen_at is not None and runtime().clock.now() - seen_at <= SEEN_WITHIN
