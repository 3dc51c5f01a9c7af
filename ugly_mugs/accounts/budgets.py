"""Budgets: how often something may be tried. They live in memory only, under keys nobody can read back."""

import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import BoundedSemaphore, Lock

from flask_babel import gettext as _

from ugly_mugs.errors import PleaseWait
from ugly_mugs.runtime import runtime

MOST_KEYS = 50_000


class Budget:
    """So many tries per time for each key, growing back evenly; counted in this process alone."""

    def __init__(self, limit: int, per: timedelta) -> None:
        self.limit = limit
        self.per = per
        self._seed = secrets.token_bytes(32)
        # In the order of their last use.
        self._left: OrderedDict[bytes, tuple[float, datetime]] = OrderedDict()
        self._lock = Lock()

    def spend(self, key: bytes, now: datetime) -> bool:
        """Take one try; False when none is left for this key at the moment."""
        # Seeded, so that not even a picture of the memory names an account or a device by comparison.
        hashed = hashlib.blake2b(key, key=self._seed, digest_size=16).digest()
        with self._lock:
            left = self._now_left(hashed, now)
            enough = left >= 1
            self._left[hashed] = (left - 1 if enough else left, now)
            self._left.move_to_end(hashed)
            self._forget_unused(now)
            return enough

    def _now_left(self, hashed: bytes, now: datetime) -> float:
        left, since = self._left.get(hashed, (float(self.limit), now))
        grown = max((now - since) / self.per, 0.0) * self.limit
        return min(left + grown, float(self.limit))

    def _forget_unused(self, now: datetime) -> None:
        """Forget keys unused for `per`, which have grown back whole; beyond MOST_KEYS, those unused longest."""
        while self._left:
            _left, since = next(iter(self._left.values()))
            if now - since < self.per and len(self._left) <= MOST_KEYS:
                return
            self._left.popitem(last=False)


class Turnstile:
    """Lets so many threads wait for something slow; everybody else is told at once to try again."""

    def __init__(self, places: int) -> None:
        self._places = BoundedSemaphore(places)

    @contextmanager
    def place(self) -> Iterator[None]:
        """Raises PleaseWait when all places are taken."""
        if not self._places.acquire(blocking=False):
            raise PleaseWait
        try:
            yield
        finally:
            self._places.release()


class SignInLimits:
    """The limits of signing in, of one application. Devices that signed in before have their own: strangers who
    try passphrases can neither use up a person's budget nor take every place in the queue."""

    def __init__(self) -> None:
        self.account = Budget(10, timedelta(minutes=10))
        self.device = Budget(10, timedelta(minutes=10))
        self.invitations = Budget(30, timedelta(minutes=10))
        # A derivation takes a fifth of a second, one at a time: four waiting threads at most, and not for long.
        self.strangers = Turnstile(2)
        self.known = Turnstile(2)


def limits() -> SignInLimits:
    """The limits of this application."""
    return runtime().state.of(SignInLimits)


def please_wait() -> str:
    return str(_("Many people are signing in just now. Please try again in a moment."))
