"""The messages that one round of a drain has in flight: threads that send them, and what is not recorded yet.

The claiming thread records while the other threads send, so that the provider never waits for the database.
"""

import threading
import time
from collections import deque
from queue import SimpleQueue
from types import TracebackType

from ugly_mugs.outbox.sender import Batch, Finished, Ready, Sender

# Attempts are recorded when this many are finished, or this many seconds after the last recording.
RECORD_AT = 200
RECORD_AFTER = 0.1


class InFlight:
    """A context: leaving it lets every thread end and records what they did."""

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
        """How many deliveries were added in all."""
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
