"""`/healthz` and `/readyz`: status 200, or problem details (RFC 9457)."""

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from tests.make.clock import MovableClock
from tests.make.databases import execute
from ugly_mugs.database.engine import db
from ugly_mugs.database.models import Heartbeat, Process
from ugly_mugs.runtime import runtime
from ugly_mugs.vault.keys import keyfiles


def record_heartbeat(clock: MovableClock) -> None:
    db.session.merge(Heartbeat(process=Process.WORKER, seen_at=clock.now()))
    db.session.commit()


def test_web_and_database_are_well(client: FlaskClient) -> None:
    answer = client.get("/healthz")

    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


def test_a_database_that_does_not_answer_is_a_problem(client: FlaskClient) -> None:
    execute(sa.text("DROP TABLE heartbeats"))

    answer = client.get("/healthz")

    assert answer.status_code == 503
    assert answer.content_type == "application/problem+json"
    assert answer.json is not None
    assert "database" in answer.json["detail"]


def test_missing_keys_are_a_problem_without_details(app: Flask, client: FlaskClient) -> None:
    held = runtime(app)
    held.forget_keys()
    (held.settings.keys_dir / keyfiles.SERVICE_FILE).unlink()

    answer = client.get("/healthz")

    assert answer.status_code == 503
    assert "flask doctor" in answer.text
    assert str(held.settings.keys_dir) not in answer.text


def test_without_a_worker_it_is_not_ready(client: FlaskClient) -> None:
    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.content_type == "application/problem+json"
    assert "worker" in answer.text


@pytest.mark.parametrize(("seconds", "status"), [(0, 200), (59, 200), (61, 503)])
def test_a_heartbeat_counts_for_a_minute(
    client: FlaskClient, clock: MovableClock, seconds: int, status: int
) -> None:
    record_heartbeat(clock)

    clock.forward(seconds=seconds)

    assert client.get("/readyz").status_code == status


def test_health_does_not_depend_on_the_worker(client: FlaskClient, clock: MovableClock) -> None:
    record_heartbeat(clock)
    clock.forward(hours=1)

    assert client.get("/healthz").status_code == 200
