"""The parts of a simulated provider, put together once."""

from dataclasses import fields

from ugly_mugs.sandbox.behaviour import Behaviour
from ugly_mugs.sandbox.callbacks import StatusCallbacks, WebClient
from ugly_mugs.sandbox.memory import Memory
from ugly_mugs.sandbox.settings import SandboxSettings
from ugly_mugs.sandbox.twilio.replies import Replies


class Provider:
    def __init__(self, settings: SandboxSettings) -> None:
        self.settings = settings
        self.memory = Memory()
        self.behaviour = self._initial_behaviour()
        self.web_client = WebClient(settings.auth_token)
        self.callbacks = StatusCallbacks(settings.account_sid, self.web_client)
        self.replies = Replies(settings, self.memory, self.web_client)

    def _initial_behaviour(self) -> Behaviour:
        return Behaviour(
            latency_ms=self.settings.latency_ms, callback_delay_ms=self.settings.callback_delay_ms
        )

    @property
    def waiting(self) -> int:
        """The number of callbacks and replies that the web has not been told yet."""
        return self.callbacks.waiting + self.web_client.waiting

    async def unsubscribe(self, link: str, *, order: int) -> int:
        """Post what a mail program posts for its reader (RFC 8058); the web's HTTP status, 0 for no answer."""
        form = {"List-Unsubscribe": "One-Click"}
        return await self.web_client.post(link, form, order=order, signed=False)

    def reset(self) -> None:
        """Forget everything, as after a start; a post that is under way still arrives."""
        self.memory.clear()
        self.callbacks.clear()
        self.web_client.clear()
        initial = self._initial_behaviour()
        for field in fields(initial):
            setattr(self.behaviour, field.name, getattr(initial, field.name))
