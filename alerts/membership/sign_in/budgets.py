"""Limits on code requests in this process; the worker enforces the exact limits on sending."""

from datetime import datetime, timedelta

from ugly_mugs.accounts.budgets import Budget
from ugly_mugs.errors import PleaseWait
from ugly_mugs.outbox.models import Channel

_EVERYBODY = b"everybody"


class CodeBudgets:
    """One budget for each address typed, and a large one for all requests together.

    The large one keeps a flood from filling the database. It refills by ten a second, so that people who are refused
    get through a moment later. Each request needs a freshly rendered page, which slows a flood.
    """

    def __init__(self) -> None:
        self._address = Budget(5, timedelta(minutes=10))
        self._all = Budget(6000, timedelta(minutes=10))
        self._page = Budget(1, timedelta(days=1))  # the lifetime of a form token

    def spend(self, channel: Channel, address: str, now: datetime, *, page: bytes | None = None) -> bool:
        """Take one from both, or raise PleaseWait; unknown addresses are treated like known ones.

        `page` is the token of a form that anybody may open. It is valid once; False when it was used before.
        """
        if not self._address.spend(f"{channel.value} {address}".encode(), now):
            raise PleaseWait
        if page is not None and not self._page.spend(page, now):
            return False
        if not self._all.spend(_EVERYBODY, now):
            raise PleaseWait
        return True
