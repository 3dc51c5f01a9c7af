"""`flask worker`: says what it lacks, does what is due, is seen while it runs, and stops cleanly."""

import signal
import time

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from tests.make.databases import count
from tests.make.sandbox import Sandbox
from tests.make.wiring import rewire
from tests.outbox import webhooks
from tests.outbox.posting import Post, phone
from tests.outbox.test_kills import started
from ugly_mugs.clock import Clock, SystemClock
from ugly_mugs.database.engine import db, reading
from ugly_mugs.database.models import Heartbeat
from ugly_mugs.operations.jobs import record_heartbeat
from ugly_mugs.operations.worker_command import run_all, worker
from ugly_mugs.outbox.jobs import JOBS
from ugly_mugs.outbox.models import DeliveryState
from ugly_mugs.runtime import runtime
from ugly_mugs.settings import Settings

D = DeliveryState


class TestOnce:
    def test_it_does_everything_that_is_due(self, app: Flask, post: Post, sandbox: Sandbox) -> None:
        rewire(app, jobs=JOBS)
        post.queue(post.subject(), post.people(5))

        result = app.test_cli_runner().invoke(worker, ["--once"])

        assert result.exit_code == 0, result.output
        assert result.output == "Everything that was due is done.\n"
        assert sandbox.text_count() == 5

    def test_it_does_also_what_its_own_work_made_due(
        self, app: Flask, post: Post, client: FlaskClient, sandbox: Sandbox
    ) -> None:
        """A STOP is applied by one job, and its answer is sent by another that had its turn before."""
        rewire(app, jobs=sorted(JOBS, key=lambda job: job.name != "send texts"))
        post.people(1)
        webhooks.text(client, phone(0), "stop please")

        app.test_cli_runner().invoke(worker, ["--once"])

        assert len(sandbox.texts_to(phone(0))) == 1

    def test_it_ends_when_what_is_due_cannot_be_done(self, app: Flask, post: Post, sandbox: Sandbox) -> None:
        sandbox.behave(fail=[{"status": 401, "code": 20003}])
        post.queue(post.subject(), post.people(2))

        assert run_all(app, JOBS) == set()

        assert post.states() == {D.QUEUED: 2}

    @pytest.mark.parametrize(
        "changed_settings", [{"TWILIO_ACCOUNT_SID": "", "TWILIO_FROM": "", "SMTP_URL": ""}]
    )
    def test_it_names_every_setting_it_lacks(self, app: Flask, post: Post) -> None:
        result = app.test_cli_runner().invoke(worker, ["--once"])

        assert result.exit_code != 0
        for name in ("UGLY_MUGS_TWILIO_ACCOUNT_SID", "UGLY_MUGS_TWILIO_FROM", "UGLY_MUGS_SMTP_URL"):
            assert f"{name} is not set" in result.output
        assert "UGLY_MUGS_TWILIO_AUTH_TOKEN" not in result.output

    @pytest.mark.parametrize("changed_settings", [{"MAIL_FROM": "a-very-long-name-indeed@example.org"}])
    def test_it_says_when_the_mail_address_leaves_no_room(self, app: Flask, post: Post) -> None:
        result = app.test_cli_runner().invoke(worker, ["--once"])

        assert result.exit_code != 0
        assert "UGLY_MUGS_MAIL_FROM" in result.output

    def test_it_says_when_it_may_not_read_the_workers_keys(
        self, app: Flask, post: Post, settings: Settings
    ) -> None:
        (settings.keys_dir / "worker.key").unlink()
        runtime(app).forget_keys()

        result = app.test_cli_runner().invoke(worker, ["--once"])

        assert result.exit_code != 0
        assert "worker.key" in result.output


def test_a_running_worker_is_seen(post: Post) -> None:
    record_heartbeat()
    record_heartbeat()

    seen = db.session.scalars(sa.select(Heartbeat.seen_at)).all()
    db.session.rollback()
    assert seen == [post.now()]


class TestRunning:
    @pytest.fixture
    def clock(self) -> Clock:
        """The worker is a process of its own, so this clock is everybody's."""
        return SystemClock()

    @pytest.mark.parametrize("changed_settings", [{"SMS_PACE": "200", "SMS_TIMEOUT": "5"}])
    @pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
    def test_told_to_stop_it_finishes_what_is_under_way(
        self, post: Post, sandbox: Sandbox, settings: Settings, told: signal.Signals
    ) -> None:
        sandbox.behave(latency_ms=300)
        post.queue(post.subject(), post.people(300))
        with started(settings) as running:
            until = time.monotonic() + 60
            while not sandbox.text_count() and time.monotonic() < until:
                time.sleep(0.05)

            running.send_signal(told)

            assert running.wait(60) == 0
        states = post.states()
        assert set(states) <= {D.ACCEPTED, D.QUEUED}
        assert states[D.ACCEPTED] == sandbox.text_count()
        with reading():
            assert count(Heartbeat) == 1
            db.session.rollback()
