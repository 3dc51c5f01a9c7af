"""What a gateway does: send one message, or say why not with one of a few exceptions."""

import uuid
from dataclasses import dataclass, field
from typing import Protocol

from ugly_mugs.outbox.registry import MessageText


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message, ready to be sent. `valid_for` is in seconds; None means that it does not expire."""

    delivery_id: uuid.UUID
    attempt: int
    address_id: uuid.UUID
    to: str = field(repr=False)
    text: MessageText = field(repr=False)
    language: str
    valid_for: int | None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider accepted the message; `provider_id` is its own id for it, if it gives one."""

    provider_id: str | None


class NotSent(Exception):
    """The provider did not confirm that it accepted the message; the subclasses say what that means."""

    def __init__(self, code: int | None = None) -> None:
        super().__init__(f"{type(self).__name__} {code or ''}".strip())
        self.code = code


class Never(NotSent):
    """Refused for good."""


class BadAddress(Never):
    """Nothing reaches this address."""


class OptedOut(Never):
    """The provider has recorded that this person opted out."""


class ContentRefused(Never):
    """The text was refused."""


class TooLate(Never):
    """It expired before it was sent."""


class Later(NotSent):
    """Certainly not accepted; the same message may be tried after a pause."""


class NeverConnected(Later):
    """No connection at all, so no other message can be sent just now either."""


class Untrusted(NeverConnected):
    """The server's certificate is wrong. Nothing was sent to it."""


class SenderBroken(Later):
    """Our account or sender is at fault: nothing can be sent until the operator has corrected it."""


class Ambiguous(NotSent):
    """Nobody can tell whether it was accepted."""


class Gateway(Protocol):
    def send(self, message: Outgoing) -> Accepted:
        """Send one message, or raise NotSent."""
        ...

    def hang_up(self) -> None:
        """The calling thread sends nothing more for a while; the gateway may close its connection."""
        ...
