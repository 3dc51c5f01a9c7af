"""What a sandbox is started with, and the rule that it listens on and calls this machine only."""

import ipaddress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

ACCOUNT_SID = "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"
# This token is accepted by a sandbox on the same machine and by nothing else.
AUTH_TOKEN = "only-for-the-sandbox"  # noqa: S105  # nosec B105


class NotLoopback(ValueError):
    """The sandbox listens on this machine only."""


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """Port 0 means any free port."""

    port: int = 0
    smtp_port: int = 0
    host: str = "127.0.0.1"
    account_sid: str = ACCOUNT_SID
    auth_token: str = AUTH_TOKEN
    latency_ms: float = 0.0
    callback_delay_ms: float = 200.0
    message_webhook: str | None = None
    demo_file: Path | None = None

    def __post_init__(self) -> None:
        if not is_loopback(self.host):
            raise NotLoopback(f"The sandbox listens on this machine only, not on {self.host!r}.")


@lru_cache(maxsize=256)
def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine, decided without asking a name server."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
