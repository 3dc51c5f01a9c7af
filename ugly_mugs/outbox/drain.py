"""Draining one channel and shard: claim batches at the channel's pace and hand them to the sender.

A drain is all that a job needs: the worker's clock, or any other driver, calls `drain()` again and again. Nothing
is sent that is not committed as `attempting` before.
"""

import logging
import threading
import time
from collections import deque
from datetime import timedelta
from queue import SimpleQueue
from types import TracebackType

from sqlalchemy.exc import DBAPIError, TimeoutError as PoolTimeout

from ugly_mugs.outbox import claims
from ugly_mugs.outbox.claims import Allowance
from ugly_mugs.outbox.pace import Pace
from ugly_mugs.outbox.registry import FIRST_CLASS_BELOW
from ugly_mugs.outbox.sender import Batch, Finished, Ready, Sender
from ugly_mugs.quiet_hours import is_quiet

log = logging.getLogger(__name__)

# Seconds between two looks of the claiming thread. Waking it for each finished message would take the interpreter
# lock from the threads that send.
POLL_INTERVAL = 0.02
# Seconds between two claims from the pace that is reserved for the first class.
RESERVE_INTERVAL = 0.1
# After three claims in a row that took longer than this and found nothing, rest twice as long as the last one took:
# rows that wait and may not leave (a pause, the night) need not be read all the time.
SLOW_CLAIM = 0.5
SLOW_IN_A_ROW = 3
# Attempts are recorded when this many are finished, or this many seconds after the last recording.
RECORD_AT = 200
RECORD_AFTER = 0.1


class InFlight:
    """The messages that one round of a drain has in flight: threads that send them, and what is not recorded yet.

    The claiming thread records while the other threads send, so that the provider never waits for the database.
    As a context: leaving it ends every thread and records what they did.
    """

    def __init__(self, sender: Sender, *, threads: int) -> None:
        self._sender = sender
        self._most_threads = threads
        self._threads: list[threading.Thread] = []
        self._ready: SimpleQueue[Ready | None] = SimpleQueue()
        self._finished: deque[Finished] = deque()
        self._unrecorded: list[Finished] = []
        self._recorded_at = time.monotonic()
        self._added = 0
        self._under_way = 0

    def __enter__(self) -> "InFlight":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for _ in self._threads:
            self._ready.put(None)
        for thread in self._threads:
            thread.join()
        self._collect()
        if self._unrecorded:
            self._record()

    @property
    def added(self) -> int:
        return self._added

    @property
    def under_way(self) -> int:
        """How many were added and are not collected yet."""
        return self._under_way

    @property
    def is_empty(self) -> bool:
        """Whether everything that was added is recorded."""
        return not (self._under_way or self._unrecorded or self._finished)

    def add(self, batch: Batch) -> None:
        """Prepare a batch and queue what can be sent, on as many threads as there are messages and settings allow."""
        self._added += len(batch.claimed)
        self._under_way += len(batch.claimed)
        prepared = self._sender.prepare(batch)
        self._finished.extend(prepared.finished)
        for message in prepared.ready:
            self._ready.put(message)
        for _ in range(min(len(prepared.ready), self._most_threads - len(self._threads))):
            thread = threading.Thread(target=self._send, name="send", daemon=True)
            self._threads.append(thread)
            thread.start()

    def record_due(self) -> None:
        """Collect what the threads have finished, and record it if enough of it or enough time has passed."""
        self._collect()
        if not self._unrecorded:
            self._recorded_at = time.monotonic()
        elif (
            len(self._unrecorded) >= RECORD_AT
            or not self._under_way
            or time.monotonic() - self._recorded_at >= RECORD_AFTER
        ):
            self._record()

    def _send(self) -> None:
        try:
            while (message := self._ready.get()) is not None:
                self._finished.append(self._sender.send(message))
        finally:
            self._sender.hang_up()

    def _collect(self) -> None:
        while self._finished:
            self._unrecorded.append(self._finished.popleft())
            self._under_way -= 1

    def _record(self) -> None:
        finished, self._unrecorded = self._unrecorded, []
        self._sender.record(finished)
        self._recorded_at = time.monotonic()


class Drain:
    """Claims what is due on one channel and shard. Keeps its pace and its rest from one round to the next."""

    def __init__(self, sender: Sender) -> None:
        self.settings = sender.settings
        self._sender = sender
        self._pace = Pace(sender.settings.pace)
        self._reserve_at = 0.0
        self._rest_until = 0.0
        self._slow_claims = 0

    def drain(self) -> int:
        """One round: until nothing is due or the worker stops. Returns how many deliveries were claimed."""
        if self._sender.circuit.is_open or time.monotonic() < self._rest_until:
            return 0
        if not claims.is_anything_waiting(self.settings.channel, now=self._sender.clock.now()):
            return 0
        with InFlight(self._sender, threads=self.settings.in_flight) as in_flight:
            while True:
                in_flight.record_due()
                may_be_more = not self._sender.stop.is_set() and self._claim_more(in_flight)
                if not may_be_more and in_flight.is_empty:
                    return in_flight.added
                time.sleep(POLL_INTERVAL)

    def _claim_more(self, in_flight: InFlight) -> bool:
        """Claim if there is room and pace. False when nothing is due, or nothing may be sent just now."""
        if self._sender.circuit.is_open:
            return False
        batch = self.settings.batch
        room = self.settings.in_flight + batch - in_flight.under_way
        if self._sender.circuit.is_testing:
            room = min(room, 1 - in_flight.under_way)
            if room < 1:
                return True
        elif room <= batch // 2:
            return True
        allowed = self._pace.allows(first_class=False)
        if allowed >= max(1, min(self.settings.pace // 10, batch // 2)):
            return self._claim(in_flight, allowed, room, first_class_only=False)
        now = time.monotonic()
        if now >= self._reserve_at and (reserved := self._pace.allows(first_class=True)):
            self._reserve_at = now + RESERVE_INTERVAL
            self._claim(in_flight, reserved, room, first_class_only=True)
        return True

    def _claim(self, in_flight: InFlight, segments: int, room: int, *, first_class_only: bool) -> bool:
        settings = self.settings
        now = self._sender.clock.now()
        began = time.monotonic()
        lease_ends_at = now + timedelta(seconds=settings.lease)
        try:
            claimed = claims.claim(
                self._sender.registry,
                channel=settings.channel,
                shard=settings.shard,
                allowance=Allowance(
                    segments=segments,
                    rows=min(segments, room, settings.batch),
                    whole=self._pace.is_full(first_class=first_class_only),
                ),
                now=now,
                lease_ends_at=lease_ends_at,
                quiet=is_quiet(now, settings.quiet_hours),
                first_class_only=first_class_only,
            )
        except (DBAPIError, PoolTimeout) as trouble:
            # If it was committed all the same, its leases run out and each message is looked for.
            log.warning(
                "the database does not answer; nothing claimed", extra={"error": type(trouble).__name__}
            )
            return False
        if not claimed:
            self._found_nothing(took=time.monotonic() - began)
            return False
        self._slow_claims = 0
        for delivery in claimed:
            self._pace.spend(delivery.segments, first_class=delivery.priority < FIRST_CLASS_BELOW)
        # A request may take the whole timeout, so it must begin that long before the lease ends.
        begin_by = began + settings.lease - settings.timeout
        in_flight.add(Batch(claimed, claimed_at=now, lease_ends_at=lease_ends_at, begin_by=begin_by))
        return True

    def _found_nothing(self, *, took: float) -> None:
        self._slow_claims = self._slow_claims + 1 if took > SLOW_CLAIM else 0
        if self._slow_claims >= SLOW_IN_A_ROW:
            self._rest_until = time.monotonic() + 2 * took
