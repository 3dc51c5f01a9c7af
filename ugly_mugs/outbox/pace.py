"""How fast messages may leave: a sender's pace in segments a second, and a circuit that opens when nothing works."""

import random
import threading
import time
from collections.abc import Callable

# A tenth of each sender's pace is kept for codes and answers to STOP, however many alerts are waiting.
KEPT_FOR_FIRST_CLASS = 0.1

AMBIGUOUS_IN_A_ROW = 10
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 120.0

Monotonic = Callable[[], float]


class Pace:
    """Two token buckets of one second each: one for everything, one for all but the first class."""

    def __init__(self, segments_per_second: int, *, monotonic: Monotonic = time.monotonic) -> None:
        self.per_second = segments_per_second
        self.ordinary_per_second = segments_per_second * (1 - KEPT_FOR_FIRST_CLASS)
        # Even the slowest sender gets a whole message out of its bucket now and then.
        self._ordinary_most = max(1.0, self.ordinary_per_second)
        self._monotonic = monotonic
        self._all = float(segments_per_second)
        self._ordinary = self._ordinary_most
        self._filled_at = monotonic()

    def allows(self, *, first_class: bool) -> int:
        """How many segments may leave at this moment, at most one second's worth."""
        self._fill()
        return max(0, int(self._all if first_class else min(self._all, self._ordinary)))

    def is_full(self, *, first_class: bool) -> bool:
        """Whether waiting would allow no more than now."""
        self._fill()
        full = self._all >= self.per_second
        return full if first_class else full and self._ordinary >= self._ordinary_most

    def spend(self, segments: int, *, first_class: bool) -> None:
        """These leave now. A debt is allowed (one message larger than a second's worth) and is waited for."""
        self._fill()
        self._all -= segments
        if not first_class:
            self._ordinary -= segments

    def _fill(self) -> None:
        now = self._monotonic()
        passed, self._filled_at = now - self._filled_at, now
        self._all = min(float(self.per_second), self._all + passed * self.per_second)
        self._ordinary = min(self._ordinary_most, self._ordinary + passed * self.ordinary_per_second)


class Circuit:
    """Open while sending is pointless: after a fault of the sender, or when nobody answers.

    It closes by itself for one message, whose fate decides; each failure in a row doubles the pause.
    """

    def __init__(
        self, *, monotonic: Monotonic = time.monotonic, dice: Callable[[], float] = random.random
    ) -> None:
        self._monotonic = monotonic
        self._dice = dice
        self._lock = threading.Lock()
        self._open_until = 0.0
        self._failures = 0
        self._ambiguous = 0

    @property
    def is_open(self) -> bool:
        return self._monotonic() < self._open_until

    @property
    def is_testing(self) -> bool:
        """Whether it has just closed, so that only one message may try."""
        return self._failures > 0 and not self.is_open

    def worked(self) -> None:
        """The provider answered, whatever it said of the message."""
        if self._failures or self._ambiguous:
            with self._lock:
                self._failures = self._ambiguous = 0

    def failed(self) -> bool:
        """Open it; True when it was not open already."""
        with self._lock:
            if self.is_open:
                return False
            pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2**self._failures)
            self._failures += 1
            self._open_until = self._monotonic() + pause * (0.75 + self._dice() / 2)
            return True

    def was_ambiguous(self) -> bool:
        """Many texts of unknown fate in a row: no further ones should share it. True when that opened it."""
        with self._lock:
            self._ambiguous += 1
            if self._ambiguous < AMBIGUOUS_IN_A_ROW:
                return False
            self._ambiguous = 0
        return self.failed()
