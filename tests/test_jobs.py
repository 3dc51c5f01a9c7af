"""The scheduler: every job runs at its interval, a failing one stops no other, and stopping waits for running jobs."""

import logging
import threading
import time
from datetime import timedelta

import pytest
from flask import Flask, current_app
from sqlalchemy.exc import OperationalError

from ugly_mugs.jobs import Job, run_clock, run_once

OFTEN = timedelta(milliseconds=20)


def _run_until(app: Flask, jobs: list[Job], enough: threading.Event) -> None:
    stop = threading.Event()
    clock = threading.Thread(target=run_clock, args=(app, jobs, stop))
    clock.start()
    assert enough.wait(20)
    stop.set()
    clock.join(20)
    assert not clock.is_alive()


def test_a_job_runs_repeatedly_inside_an_application_context(app: Flask) -> None:
    enough, runs = threading.Event(), []

    def count() -> None:
        runs.append(current_app.name)
        if len(runs) == 3:
            enough.set()

    _run_until(app, [Job("count", count, OFTEN)], enough)

    assert set(runs) == {app.name}


def test_a_failing_job_runs_again_and_stops_no_other(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    enough, failures = threading.Event(), []

    def fail() -> None:
        failures.append(1)
        raise ValueError("the address is 07700 900123")

    def other() -> None:
        if len(failures) > 2:
            enough.set()

    _run_until(app, [Job("fail", fail, OFTEN), Job("other", other, OFTEN)], enough)

    assert "a job failed" in caplog.text
    assert "900123" not in caplog.text


def test_a_job_is_never_run_twice_at_the_same_time(app: Flask) -> None:
    enough, running, simultaneous, runs = threading.Event(), [], [], []

    def slow() -> None:
        running.append(1)
        simultaneous.append(len(running))
        time.sleep(0.1)
        running.pop()
        runs.append(1)
        if len(runs) == 3:
            enough.set()

    _run_until(app, [Job("slow", slow, OFTEN)], enough)

    assert max(simultaneous) == 1


def test_stopping_waits_for_running_jobs_and_starts_no_new_ones(app: Flask) -> None:
    begun, ended = threading.Event(), []

    def slow() -> None:
        begun.set()
        time.sleep(0.3)
        ended.append(1)

    _run_until(app, [Job("slow", slow, OFTEN)], begun)

    assert len(ended) == 1


def test_a_lost_database_is_a_warning_and_not_an_error(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise OperationalError("SELECT secret", {"value": "07700 900123"}, Exception("gone"))

    with caplog.at_level(logging.WARNING):
        assert not run_once(app, Job("fail", fail, OFTEN))

    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "900123" not in caplog.text


def test_run_once_returns_true_for_a_job_that_succeeds(app: Flask) -> None:
    assert run_once(app, Job("nothing", lambda: None, OFTEN))
