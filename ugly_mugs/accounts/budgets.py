"""Rate limits, kept in memory only, under keyed hashes that cannot be turned back into their keys."""

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
    """A token bucket for each key: `limit` tries that refill evenly over `per`; counted in this process alone."""

    def __init__(self, limit: int, per: timedelta) -> None:
        self.limit = limit
        self.per = per
        self._seed = secrets.token_bytes(32)
        # Ordered by last use.
        self._left: OrderedDict[bytes, tuple[float, datetime]] = OrderedDict()
        self._lock = Lock()

    def spend(self, key: bytes, now: datetime) -> bool:
        """Take one try; False when none is left for this key."""
        # Keyed with a random seed, so that hashes in a memory dump cannot be compared with those of known accounts.
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
        """Forget keys unused for `per`, which have refilled; beyond MOST_KEYS, all refilled ones, then the oldest.

        A key that is used up goes last: whoever types many other keys must not give it back its tries. Making room for
        a tenth at once keeps the search through all keys rare.
        """
        while self._left and now - next(iter(self._left.values()))[1] >= self.per:
            self._left.popitem(last=False)
        if len(self._left) <= MOST_KEYS:
            return
        for key in [key for key in self._left if self._now_left(key, now) >= self.limit]:
            del self._left[key]
        while len(self._left) > MOST_KEYS - MOST_KEYS // 10:
            self._left.popitem(last=False)


class ConcurrencyLimit:
    """Lets at most `slots` threads do or await something slow; any further one is refused at once."""

    def __init__(self, slots: int) -> None:
        self._slots = BoundedSemaphore(slots)

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Raises PleaseWait when all slots are taken."""
        if not self._slots.acquire(blocking=False):
            raise PleaseWait
        try:
            yield
        finally:
            self._slots.release()


class SignInLimits:
    """The sign-in limits of one application.

    Known devices have limits of their own: strangers who try passphrases can neither use up a person's budget nor
    take every slot.
    """

    def __init__(self) -> None:
        self.account = Budget(10, timedelta(minutes=10))
        self.device = Budget(10, timedelta(minutes=10))
        self.invitations = Budget(30, timedelta(minutes=10))
        # Derivations run one at a time, about 0.2 s each: at most four threads wait, for under a second.
        self.strangers = ConcurrencyLimit(2)
        self.known = ConcurrencyLimit(2)


def limits() -> SignInLimits:
    return runtime().process_state.of(SignInLimits)


def please_wait() -> str:
    return str(_("Many people are signing in just now. Please try again in a moment."))
