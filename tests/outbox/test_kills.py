"""Whenever the worker is killed, nobody is texted twice, and in the end everybody once."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.make.sandbox import Sandbox
from tests.outbox.crashing_worker import STEPS
from tests.outbox.posting import Post, phone, text_of
from ugly_mugs.clock import Clock, SystemClock
from ugly_mugs.database.engine import db, reading
from ugly_mugs.outbox.models import Channel, Delivery, DeliveryState, MessageKind
from ugly_mugs.settings import Settings

D = DeliveryState

PEOPLE = 1_000
SUBJECTS = 2
# How many claims, texts, batches and look-ups pass before each kill.
COUNTS = {
    "before_the_claim_is_committed": 2,
    "after_the_claim_is_committed": 2,
    "after_the_provider_accepted": 90,
    "before_the_attempts_are_recorded": 3,
    "while_it_looks_for_the_unknown": 40,
}
PROJECT = Path(__file__).parents[2]
PATIENCE = 600.0


@pytest.fixture
def clock() -> Clock:
    """Leases and waiting run in processes of their own, so this clock is everybody's."""
    return SystemClock()


@pytest.fixture
def changed_settings() -> dict[str, str]:
    return {
        "SMS_PACE": "250",
        "SMS_IN_FLIGHT": "16",
        # A request of a killed worker may still be on its way: on a busy machine the provider needs a while for it.
        "SMS_TIMEOUT": "8",
        "CLAIM_LEASE": "10",
        "UNKNOWN_WAIT": "2",
        "UNKNOWN_GIVE_UP": "3600",
    }


def _environment(settings: Settings) -> dict[str, str]:
    ours = {
        "DATABASE_URL": settings.database_url,
        "KEYS_DIR": str(settings.keys_dir),
        "PUBLIC_URL": settings.public_url,
        "TWILIO_ACCOUNT_SID": settings.twilio_account_sid,
        "TWILIO_AUTH_TOKEN": settings.twilio_auth_token[0].value,
        "TWILIO_FROM": settings.twilio_from,
        "TWILIO_API_URL": str(settings.twilio_api_url),
        "SMTP_URL": settings.smtp_url.value if settings.smtp_url else "",
        "MAIL_FROM": settings.mail_from,
        "SMS_PACE": str(settings.sms_pace),
        "SMS_IN_FLIGHT": str(settings.sms_in_flight),
        "SMS_TIMEOUT": str(settings.sms_timeout),
        "CLAIM_LEASE": str(settings.claim_lease),
        "UNKNOWN_WAIT": str(settings.unknown_wait),
        "UNKNOWN_GIVE_UP": str(settings.unknown_give_up),
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("UGLY_MUGS_")}
    return kept | {f"UGLY_MUGS_{name}": value for name, value in ours.items()} | {"PYTHONWARNINGS": "ignore"}


@contextmanager
def started(settings: Settings, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """A worker of its own process, gone when the test is."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.outbox.crashing_worker", *arguments],
        cwd=PROJECT,
        env=_environment(settings),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _unsettled() -> int:
    with reading():
        left = db.session.scalar(
            sa.select(sa.func.count()).where(Delivery.state.in_([D.QUEUED, D.ATTEMPTING, D.UNKNOWN]))
        )
        db.session.rollback()
    return left or 0


def _queue_two_thousand(post: Post) -> list[str]:
    """Everybody is to get each of two texts; gives the texts."""
    people, now = post.people(PEOPLE), post.now()
    subjects = [post.subject() for _ in range(SUBJECTS)]
    row = {"kind": MessageKind.ALERT, "channel": Channel.SMS, "priority": 10, "not_before": now}
    db.session.execute(
        sa.insert(Delivery),
        [row | {"subject_id": subject, "recipient_id": person} for subject in subjects for person in people],
    )
    db.session.commit()
    return sorted(text_of(subject).text for subject in subjects)


def test_a_worker_killed_at_every_step_texts_everybody_exactly_once(
    post: Post, sandbox: Sandbox, settings: Settings
) -> None:
    sandbox.behave(latency_ms=20)
    texts = _queue_two_thousand(post)

    for step, count in COUNTS.items():
        with started(settings, step, str(count)) as killed:
            output, _ = killed.communicate(timeout=PATIENCE)
        assert (killed.returncode, output.strip()) == (-signal.SIGKILL, f"killed {step}")
    assert 0 < sandbox.text_count() < PEOPLE * SUBJECTS
    assert _unsettled() > 0

    with started(settings) as last:
        until = time.monotonic() + PATIENCE
        while _unsettled() and time.monotonic() < until:
            time.sleep(0.5)
        last.terminate()
        assert last.wait(timeout=30) == 0

    states = post.states()
    # What was found in the provider's list had been delivered meanwhile.
    assert set(states) <= {D.ACCEPTED, D.SENT, D.DELIVERED}
    assert sum(states.values()) == PEOPLE * SUBJECTS
    arrived = {
        number: sorted(text["body"] for text in sandbox.texts_to(phone(number))) for number in range(PEOPLE)
    }
    assert Counter(map(tuple, arrived.values())) == {tuple(texts): PEOPLE}


def test_every_step_is_tried() -> None:
    assert set(COUNTS) == set(STEPS)
