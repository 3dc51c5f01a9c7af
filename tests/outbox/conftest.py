"""An outbox whose provider is the sandbox: the real wire, on this machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.make.databases import settings_for
from tests.outbox.posting import Heard, Post, Seconds, wire_for
from ugly_mugs.outbox.models import Channel
from ugly_mugs.outbox.pace import Circuit
from ugly_mugs.outbox.registry import registry
from ugly_mugs.sandbox.server import Sandbox
from ugly_mugs.sandbox.settings import ACCOUNT_SID, AUTH_TOKEN
from ugly_mugs.settings import Settings

# Not one of the numbers that tests write to: nobody can text themselves.
SENDER = "+442079460000"


@pytest.fixture(scope="session")
def running_sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running_sandbox: Sandbox) -> Sandbox:
    running_sandbox.reset()
    running_sandbox.behave(callbacks="off", callback_delay_ms=0)
    return running_sandbox


@pytest.fixture
def changed_settings() -> dict[str, str]:
    """What a test wants to be set differently; it overrides this fixture, or parametrises it."""
    return {}


@pytest.fixture
def settings(
    database_url: str, tmp_path: Path, sandbox: Sandbox, changed_settings: dict[str, str]
) -> Settings:
    changes = {
        "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
        "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
        "TWILIO_FROM": SENDER,
        "TWILIO_API_URL": sandbox.url,
        "SMTP_URL": sandbox.smtp_url,
        "SMS_PACE": "1000",
        "MAIL_PACE": "1000",
        # Long, so that a busy machine makes no message late: a test of lateness says so itself.
        "SMS_TIMEOUT": "30",
        "CLAIM_LEASE": "60",
    }
    return settings_for(database_url, tmp_path / "keys", **(changes | changed_settings))


@pytest.fixture
def post(app: Flask) -> Post:
    heard, seconds = Heard(), Seconds()
    wire_for(app, heard)
    with app.app_context():
        # A circuit stays open until the test moves the clock, however long the test takes.
        registry().circuits = {channel: Circuit(monotonic=seconds) for channel in Channel}
    return Post(app, heard, seconds)
