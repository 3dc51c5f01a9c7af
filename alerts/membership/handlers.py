"""The handovers from the web that membership applies in the worker."""

from collections.abc import Mapping
from typing import Final

from alerts.membership import proving
from ugly_mugs.outbox.models import HandoverKind
from ugly_mugs.outbox.registry import Handler

HANDLERS: Final[Mapping[HandoverKind, Handler]] = {
    HandoverKind.ADDRESS_GIVEN: proving.address_given,
    HandoverKind.CODE_WANTED: proving.code_wanted,
}
