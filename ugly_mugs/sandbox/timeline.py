"""When the provider tells the web what became of a text: three signed callbacks, one each step."""

import asyncio
import heapq
import itertools

from ugly_mugs.sandbox.behaviour import Callbacks
from ugly_mugs.sandbox.caller import Caller
from ugly_mugs.sandbox.memory import Text


class Timeline:
    def __init__(self, account_sid: str, caller: Caller) -> None:
        self._account_sid = account_sid
        self._caller = caller
        self._due: list[tuple[float, int, Text, str]] = []
        self._order = itertools.count()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        return len(self._due)

    def clear(self) -> None:
        self._due.clear()

    def follow(self, text: Text, callbacks: Callbacks) -> None:
        """Plan the callbacks of a text that was just accepted."""
        if not text.callback or callbacks is Callbacks.OFF:
            return
        plan = text.plan
        if callbacks is Callbacks.REVERSED:
            end = text.started + len(plan) * text.step
            steps = [(end, status) for status in reversed(plan)]
        else:
            steps = [(text.started + (n + 1) * text.step, status) for n, status in enumerate(plan)]
        for due, status in steps:
            for _ in range(2 if callbacks is Callbacks.DUPLICATE else 1):
                heapq.heappush(self._due, (due, next(self._order), text, status))
        if self._timer is not None and self._timer.when() > self._due[0][0]:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._set_timer()

    def _set_timer(self) -> None:
        # Text.started is time.monotonic(), which is also what asyncio's loops count by.
        self._timer = asyncio.get_running_loop().call_at(self._due[0][0], self._fire)

    def _fire(self) -> None:
        now = asyncio.get_running_loop().time()
        while self._due and self._due[0][0] <= now:
            _, _, text, status = heapq.heappop(self._due)
            if text.callback:
                self._caller.post(text.callback, self._fields(text, status), order=text.place)
        self._timer = None
        if self._due:
            # A timer that is already due would starve the connections, so the loop always turns once.
            self._set_timer()

    def _fields(self, text: Text, status: str) -> dict[str, str]:
        fields = {
            "AccountSid": self._account_sid,
            "ApiVersion": "2010-04-01",
            "From": text.sender,
            "MessageSid": text.sid,
            "MessageStatus": status,
            "SmsSid": text.sid,
            "SmsStatus": status,
            "To": text.to,
        }
        if text.service:
            fields["MessagingServiceSid"] = text.service
        if status in ("undelivered", "failed") and text.error_code:
            fields["ErrorCode"] = str(text.error_code)
        return fields
