"""How the outbox talks to the outside: one verb to send, and the few ways in which that can end."""

import uuid
from dataclasses import dataclass, field
from typing import Protocol

from ugly_mugs.outbox.registry import Words


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message, ready to leave. `valid_for` is how many seconds it is worth anything, None for ever."""

    delivery_id: uuid.UUID
    attempt: int
    address_id: uuid.UUID
    to: str = field(repr=False)
    words: Words = field(repr=False)
    language: str
    valid_for: int | None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took it; the id is the provider's own name for it, when it gives one."""

    provider_id: str | None


class NotSent(Exception):
    """The provider did not say that it took the message; the kinds below say what that means."""

    def __init__(self, code: int | None = None) -> None:
        super().__init__(f"{type(self).__name__} {code or ''}".strip())
        self.code = code


class Never(NotSent):
    """This message to this address is refused for good."""


class BadAddress(Never):
    """Nothing reaches this address."""


class OptedOut(Never):
    """The provider knows that this person wants no more."""


class ContentRefused(Never):
    """The words were refused."""


class TooLate(Never):
    """Its time was over before it left."""


class Later(NotSent):
    """It certainly was not taken; the same may be tried after a pause."""


class NeverConnected(Later):
    """Nobody answered at all, so no other message would fare better just now."""


class Untrusted(NeverConnected):
    """Whoever answered could not prove to be the server we mean, and was told nothing: as good as nobody there."""


class SenderBroken(Later):
    """Our account or sender is at fault: nothing can be sent until the operator has seen to it."""


class Ambiguous(NotSent):
    """It may have been taken, and it may not."""


class Gateway(Protocol):
    def send(self, message: Outgoing) -> Accepted:
        """Hand one message to the provider, or raise NotSent."""
        ...

    def hang_up(self) -> None:
        """The calling thread sends nothing more for a while; what it keeps open may be closed."""
        ...
