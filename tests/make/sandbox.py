"""The sandbox as the provider of an installation under test: the real wire, on this machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.make.databases import settings_for
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


def sandbox_settings(url: str, keys: Path, sandbox: Sandbox, **changes: str) -> Settings:
    """Settings of an installation that sends through this sandbox."""
    return settings_for(
        url,
        keys,
        **{
            "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
            "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
            "TWILIO_FROM": SENDER,
            "TWILIO_API_URL": sandbox.url,
            "SMTP_URL": sandbox.smtp_url,
            **changes,
        },
    )
