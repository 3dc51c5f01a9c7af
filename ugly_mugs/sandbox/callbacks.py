"""What the sandbox posts to the web: status callbacks and replies (both signed), and one-click unsubscribes."""

import asyncio
import secrets
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

import aiohttp
from yarl import URL

from ugly_mugs.sandbox.behaviour import Callbacks
from ugly_mugs.sandbox.memory import Text
from ugly_mugs.sandbox.settings import is_loopback
from ugly_mugs.sandbox.signature import sign

LANES = 8
TIMEOUT = aiohttp.ClientTimeout(total=15)
RETRY_AFTER = (0.1, 0.3, 0.9, 2.0)

# The status of a post that got no answer, or whose address is not on this machine.
NO_ANSWER = 0


def is_well_formed(url: str) -> bool:
    """Whether a URL can be called at all; a control character in it could add a header of its own."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - reading it raises ValueError for a port that is none
    except ValueError:
        return False
    plain = url.isascii() and url.isprintable() and " " not in url
    return plain and parts.scheme in ("http", "https") and bool(parts.hostname)


@dataclass(frozen=True, slots=True)
class Post:
    """One form on its way to the web."""

    url: str
    fields: Mapping[str, str]
    signed: bool
    status: "asyncio.Future[int]"

    def finish(self, status: int) -> None:
        # Whoever waited for the status may have given up.
        if not self.status.done():
            self.status.set_result(status)


class WebClient:
    """Posts forms to this machine only, over eight lanes; within a lane one post follows another."""

    def __init__(self, auth_token: str) -> None:
        self._auth_token = auth_token
        self._lanes = [Lane(self) for _ in range(LANES)]
        self._tasks: list[asyncio.Task[None]] = []
        self._session: aiohttp.ClientSession | None = None
        self.answers: Counter[str] = Counter()

    async def start(self) -> None:
        self._session = aiohttp.ClientSession(
            timeout=TIMEOUT,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("User-Agent", "Accept-Encoding"),
        )
        self._tasks = [asyncio.create_task(lane.run()) for lane in self._lanes]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    @property
    def waiting(self) -> int:
        return sum(lane.waiting for lane in self._lanes)

    def clear(self) -> None:
        """Forget what waits; a post that is under way still arrives."""
        for lane in self._lanes:
            lane.clear()
        self.answers.clear()

    def post(
        self, url: str, fields: Mapping[str, str], *, order: int, signed: bool = True
    ) -> "asyncio.Future[int]":
        """Posts with the same order key arrive in order. The future gets the HTTP status, or NO_ANSWER."""
        status: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._lanes[order % LANES].put(Post(url, fields, signed, status))
        return status

    async def send(self, post: Post) -> int:
        """The HTTP status; raises TimeoutError, OSError or aiohttp.ClientError when there is none."""
        headers = {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}
        if post.signed:
            headers |= {
                "User-Agent": "TwilioProxy/1.1",
                "I-Twilio-Idempotency-Token": secrets.token_hex(16),
                "X-Twilio-Signature": sign(self._auth_token, post.url, post.fields),
            }
        # The signature covers the URL as it was given, so it must not be normalised.
        url, body = URL(post.url, encoded=True), urlencode(post.fields).encode()
        assert self._session is not None, "start() comes before the first post"
        async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
            # Only a connection whose answer was read to its end can be used again.
            await answer.read()
            return answer.status


class Lane:
    """Posts that go to the web one after another."""

    def __init__(self, client: WebClient) -> None:
        self._client = client
        self._queue: asyncio.Queue[Post] = asyncio.Queue()
        self._got_no_answer = False
        self._under_way = 0

    @property
    def waiting(self) -> int:
        return self._queue.qsize() + self._under_way

    def put(self, post: Post) -> None:
        self._queue.put_nowait(post)

    def clear(self) -> None:
        while not self._queue.empty():
            self._queue.get_nowait().finish(NO_ANSWER)

    async def run(self) -> None:
        while True:
            post = await self._queue.get()
            self._under_way = 1
            status = await self._deliver(post)
            self._under_way = 0
            post.finish(status)

    async def _deliver(self, post: Post) -> int:
        parts = urlsplit(post.url)
        if not is_well_formed(post.url) or parts.scheme != "http" or not is_loopback(parts.hostname or ""):
            self._client.answers["elsewhere"] += 1
            return NO_ANSWER
        # After a post without an answer each further one is tried once: with all retries for each, a web that
        # is down for a minute would leave hours of waiting.
        for pause in (0.0,) if self._got_no_answer else (0.0, *RETRY_AFTER):
            await asyncio.sleep(pause)
            try:
                status = await self._client.send(post)
            except TimeoutError:
                # The post may have arrived, and Twilio does not repeat such a one either.
                break
            except (aiohttp.ClientError, OSError):
                continue
            self._got_no_answer = False
            self._client.answers[str(status)] += 1
            return status
        self._got_no_answer = True
        self._client.answers["unanswered"] += 1
        return NO_ANSWER


class StatusCallbacks:
    """Tells the web each state of a text when the text reaches it."""

    def __init__(self, account_sid: str, web_client: WebClient) -> None:
        self._account_sid = account_sid
        self._web_client = web_client
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self.waiting = 0

    def clear(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self.waiting = 0

    def schedule(self, text: Text, callbacks: Callbacks) -> None:
        """Plan the callbacks of a text that was just accepted."""
        if not text.callback or callbacks is Callbacks.OFF:
            return
        steps = [(text.started + number * text.step, status) for number, status in enumerate(text.plan, 1)]
        if callbacks is Callbacks.REVERSED:
            last, _ = steps[-1]
            steps = [(last, status) for _, status in reversed(steps)]
        elif callbacks is Callbacks.DUPLICATE:
            steps = [step for step in steps for _ in range(2)]
        self.waiting += len(steps)
        self._wait(text, deque(steps))

    def _wait(self, text: Text, steps: deque[tuple[float, str]]) -> None:
        # Text.started is time.monotonic(), the clock of asyncio's timers.
        timer = asyncio.get_running_loop().call_at(steps[0][0], self._post_next, text, steps)
        self._timers[text.sid] = timer

    def _post_next(self, text: Text, steps: deque[tuple[float, str]]) -> None:
        _, status = steps.popleft()
        self.waiting -= 1
        self._web_client.post(text.callback or "", self._fields(text, status), order=text.place)
        if steps:
            self._wait(text, steps)
        else:
            del self._timers[text.sid]

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
