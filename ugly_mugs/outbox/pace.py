"""Limits on sending: the pace in segments a second, and a circuit breaker."""

import random
import threading
import time
from collections.abc import Callable

# A tenth of the pace is reserved for codes and replies to STOP, however many alerts are waiting.
KEPT_FOR_FIRST_CLASS = 0.1

AMBIGUOUS_IN_A_ROW = 10
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 120.0

Monotonic = Callable[[], float]


class Pace:
    """Two token buckets of one second each: one for all messages, one for all but the first class."""

    def __init__(self, segments_per_second: int, *, monotonic: Monotonic = time.monotonic) -> None:
        self.per_second = segments_per_second
        self.ordinary_per_second = segments_per_second * (1 - KEPT_FOR_FIRST_CLASS)
        # At least one segment, so that the lowest pace can still send an ordinary message.
        self._ordinary_most = max(1.0, self.ordinary_per_second)
        self._monotonic = monotonic
        self._all = float(segments_per_second)
        self._ordinary = self._ordinary_most
        self._filled_at = monotonic()

    def allows(self, *, first_class: bool) -> int:
        """How many segments may be sent now, at most one second's worth."""
        self._fill()
        return max(0, int(self._all if first_class else min(self._all, self._ordinary)))

    def is_full(self, *, first_class: bool) -> bool:
        """Whether waiting would not allow more than now."""
        self._fill()
        full = self._all >= self.per_second
        return full if first_class else full and self._ordinary >= self._ordinary_most

    def spend(self, segments: int, *, first_class: bool) -> None:
        """Take these segments. A bucket may go below zero, for a message with more segments than a second allows."""
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
    """Circuit breaker: open while nothing can be sent, because our account is at fault or nobody answers.

    After a pause one message may try, and its result closes the circuit or opens it again. Each failure in a row
    doubles the pause.
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
        """Whether the pause is over and no message has worked since, so that only one may try."""
        return self._failures > 0 and not self.is_open

    def worked(self) -> None:
        """The provider answered, whatever it said about the message."""
        if self._failures or self._ambiguous:
            with self._lock:
                self._failures = self._ambiguous = 0

    def failed(self) -> bool:
        """Open the circuit; False when it was open already."""
        with self._lock:
            if self.is_open:
                return False
            pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2**self._failures)
            self._failures += 1
            self._open_until = self._monotonic() + pause * (0.75 + self._dice() / 2)
            return True

    def was_ambiguous(self) -> bool:
        """Count one message of unknown fate; several in a row open the circuit. True when this one did."""
        with self._lock:
            self._ambiguous += 1
            if self._ambiguous < AMBIGUOUS_IN_A_ROW:
                return False
            self._ambiguous = 0
        return self.failed()
