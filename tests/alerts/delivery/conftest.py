"""Fixtures for testing deliveries without drafting and approving alerts."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from alerts.delivery.audience import Audience
from alerts.delivery.fanout import Sending
from alerts.membership.models import Level
from tests.make.alerts import HERE
from tests.make.clock import MovableClock
from ugly_mugs.accounts.models import MemberKind
from ugly_mugs.outbox.models import Channel, MessageKind
from ugly_mugs.outbox.registry import Priority

EVERYONE_HERE = Audience(kinds=frozenset(MemberKind), regions=frozenset({HERE}))


@pytest.fixture
def sending(app: Flask, clock: MovableClock) -> Callable[..., Sending]:
    """A `Sending` of an alert; keyword arguments replace its fields."""

    def made(**changes: Any) -> Sending:
        usual = Sending(
            kind=MessageKind.ALERT,
            subject_id=uuid.uuid4(),
            audience=EVERYONE_HERE,
            channels=frozenset(Channel),
            priority=Priority.DANGER,
            danger=True,
            not_before=None,
            expires_at=None,
            segments={
                (Channel.SMS, "en", Level.NEUTRAL): 1,
                (Channel.SMS, "en", Level.FULL): 3,
                (Channel.EMAIL, "en", Level.NEUTRAL): 1,
                (Channel.EMAIL, "en", Level.FULL): 1,
            },
            default_language="en",
        )
        return replace(usual, **changes)

    return made
