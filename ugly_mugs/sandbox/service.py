"""The parts of a running sandbox, put together once."""

import asyncio
from dataclasses import fields

from ugly_mugs.sandbox.api import Api
from ugly_mugs.sandbox.behaviour import Behaviour
from ugly_mugs.sandbox.caller import Caller
from ugly_mugs.sandbox.memory import Memory, Text
from ugly_mugs.sandbox.replies import Replies
from ugly_mugs.sandbox.settings import SandboxSettings
from ugly_mugs.sandbox.timeline import Timeline


class Service:
    def __init__(self, settings: SandboxSettings) -> None:
        self.settings = settings
        self.memory = Memory()
        self.behaviour = self._usual_behaviour()
        self.caller = Caller(settings.auth_token)
        self.timeline = Timeline(settings.account_sid, self.caller)
        self.replies = Replies(settings, self.memory, self.caller)
        self.api = Api(settings.account_sid, settings.auth_token, self.memory, self.behaviour, self._accepted)

    def _usual_behaviour(self) -> Behaviour:
        return Behaviour(
            latency_ms=self.settings.latency_ms, callback_delay_ms=self.settings.callback_delay_ms
        )

    def _accepted(self, text: Text) -> None:
        self.timeline.follow(text, self.behaviour.callbacks)

    @property
    def waiting(self) -> int:
        """Callbacks and replies that the web has not been told yet."""
        return self.timeline.waiting + self.caller.waiting

    async def unsubscribe(self, link: str, *, order: int) -> int:
        """Post what a mail program posts for its reader (RFC 8058); the web's HTTP status, 0 for none."""
        answered: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        fields = {"List-Unsubscribe": "One-Click"}
        self.caller.post(link, fields, order=order, signed=False, answered=answered)
        return await answered

    def reset(self) -> None:
        """Forget everything, as after a fresh start; only what is on the wire at this moment still arrives."""
        self.memory.clear()
        self.timeline.clear()
        self.caller.clear()
        usual = self._usual_behaviour()
        for part in fields(usual):
            setattr(self.behaviour, part.name, getattr(usual, part.name))
