"""What membership does for the outbox: requests it applies in the worker, and what STOP and START mean to it."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from alerts.membership import consents, proving
from ugly_mugs.outbox.models import Channel, HandoverKind
from ugly_mugs.outbox.registry import Handler

HANDLERS: Final[Mapping[HandoverKind, Handler]] = {
    HandoverKind.ADDRESS_GIVEN: proving.address_given,
    HandoverKind.CODE_WANTED: proving.code_wanted,
}

HOOKS: Final[Mapping[str, Callable[[UUID, Channel, datetime], None]]] = {
    "on_stop": consents.stop,
    "on_start": consents.start_again,
}
