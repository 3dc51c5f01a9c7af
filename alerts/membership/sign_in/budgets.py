"""How often this process takes a wish for a code; the worker counts exactly what is sent."""

from datetime import datetime, timedelta

from ugly_mugs.accounts.budgets import Budget
from ugly_mugs.errors import PleaseWait
from ugly_mugs.outbox.models import Channel
from ugly_mugs.runtime import runtime

_EVERYBODY = b"everybody"


class CodeBudgets:
    """In memory, under seeded hashes. One for each address typed, and a wide one for all together.

    The wide one keeps a flood from filling the database. It grows back by ten each second, so that whoever it
    sends away gets through a moment later, and each spending of it costs a page of ours, drawn anew.
    """

    def __init__(self) -> None:
        self._address = Budget(5, timedelta(minutes=10))
        self._all = Budget(6000, timedelta(minutes=10))
        self._page = Budget(1, timedelta(days=1))  # as long as a form token holds

    def spend(self, channel: Channel, address: str, now: datetime, *, page: bytes | None = None) -> bool:
        """Take one from both, or raise PleaseWait; an address nobody has is treated like any other.

        `page` is the token of a form that anybody may open: a page counts once, and False says that it was
        used already.
        """
        if not self._address.spend(f"{channel.value} {address}".encode(), now):
            raise PleaseWait
        if page is not None and not self._page.spend(page, now):
            return False
        if not self._all.spend(_EVERYBODY, now):
            raise PleaseWait
        return True


def code_budgets() -> CodeBudgets:
    """The budgets of this application."""
    return runtime().state.of(CodeBudgets)
