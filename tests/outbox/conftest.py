"""An outbox whose provider is the sandbox: the real wire, on this machine."""

from pathlib import Path

import pytest
from flask import Flask

from tests.make.sandbox import Sandbox, sandbox_settings
from tests.outbox.posting import Heard, Post, Seconds, wire_for
from ugly_mugs.outbox.models import Channel
from ugly_mugs.outbox.pace import Circuit
from ugly_mugs.outbox.registry import registry
from ugly_mugs.settings import Settings


@pytest.fixture
def settings(
    database_url: str, tmp_path: Path, sandbox: Sandbox, changed_settings: dict[str, str]
) -> Settings:
    changes = {
        "SMS_PACE": "1000",
        "MAIL_PACE": "1000",
        # Long, so that a busy machine makes no message late: a test of lateness says so itself.
        "SMS_TIMEOUT": "30",
        "CLAIM_LEASE": "60",
    }
    return sandbox_settings(database_url, tmp_path / "keys", sandbox, **(changes | changed_settings))


@pytest.fixture
def post(app: Flask) -> Post:
    heard, seconds = Heard(), Seconds()
    wire_for(app, heard)
    with app.app_context():
        # A circuit stays open until the test moves the clock, however long the test takes.
        registry().circuits = {channel: Circuit(monotonic=seconds) for channel in Channel}
    return Post(app, heard, seconds)
