"""What one worker process keeps while it runs: drains, gateways and handlers, made once for an application."""

import threading
import uuid
from collections.abc import Mapping
from datetime import timedelta
from functools import cached_property, partial

from flask import Flask

from ugly_mugs.outbox import optouts
from ugly_mugs.outbox.drain import Drain
from ugly_mugs.outbox.forgetting import Forgetting
from ugly_mugs.outbox.gateways.smtp import MailGateway
from ugly_mugs.outbox.gateways.transport import Gateway
from ugly_mugs.outbox.gateways.twilio import TextGateway
from ugly_mugs.outbox.inbound.handovers import Resting
from ugly_mugs.outbox.inbound.twilio import Inbound
from ugly_mugs.outbox.models import Channel, DeliveryState, HandoverKind
from ugly_mugs.outbox.registry import Handler, Registry, registry
from ugly_mugs.outbox.sender import ChannelSettings, Sender
from ugly_mugs.runtime import Runtime, runtime
from ugly_mugs.settings import PREFIX, Settings

# Connections: a mail server accepts only a few from one client.
MAILS_IN_FLIGHT = 4


class Worker:
    """Drains keep their pace, and gateways their connections, from one run of a job to the next."""

    def __init__(self, *, registry: Registry, runtime: Runtime) -> None:
        self.stop = threading.Event()
        # Handovers that could not be applied: until when each rests, and since when it fails.
        self.resting: dict[uuid.UUID, Resting] = {}
        self._registry = registry
        self._runtime = runtime
        self._vault = runtime.become_worker()

    @cached_property
    def text_gateway(self) -> TextGateway:
        return TextGateway(self._runtime.settings, self._vault)

    @cached_property
    def mail_gateway(self) -> MailGateway:
        return MailGateway(self._runtime.settings, self._vault, self._runtime.clock)

    @cached_property
    def texts(self) -> Drain:
        settings = self._runtime.settings
        return self._drain(
            self.text_gateway,
            channel=Channel.SMS,
            pace=settings.sms_pace,
            in_flight=settings.sms_in_flight,
            taken_as=DeliveryState.ACCEPTED,
        )

    @cached_property
    def mails(self) -> Drain:
        return self._drain(
            self.mail_gateway,
            channel=Channel.EMAIL,
            pace=self._runtime.settings.mail_pace,
            in_flight=MAILS_IN_FLIGHT,
            # A mail server reports nothing more after it has accepted a mail.
            taken_as=DeliveryState.SENT,
        )

    @cached_property
    def forgetting(self) -> Forgetting:
        settings = self._runtime.settings
        return Forgetting(
            provider=self.text_gateway,
            pace=settings.sms_pace,
            lease=timedelta(seconds=settings.claim_lease),
            quiet_hours=settings.quiet_hours,
            clock=self._runtime.clock,
            stop=self.stop,
        )

    @cached_property
    def handlers(self) -> Mapping[HandoverKind, Handler]:
        """Those of the features, and the outbox's own."""
        inbound = Inbound(registry=self._registry, vault=self._vault, settings=self._runtime.settings)
        return {
            **self._registry.handlers,
            HandoverKind.STATUS_CAME: inbound.status_came,
            HandoverKind.MESSAGE_CAME: inbound.message_came,
            HandoverKind.OPTED_OUT: partial(optouts.apply_opt_out, self._registry),
        }

    def _drain(
        self, gateway: Gateway, *, channel: Channel, pace: int, in_flight: int, taken_as: DeliveryState
    ) -> Drain:
        settings = self._runtime.settings
        channel_settings = ChannelSettings(
            channel=channel,
            pace=pace,
            in_flight=in_flight,
            timeout=settings.sms_timeout,
            lease=settings.claim_lease,
            unknown_wait=settings.unknown_wait,
            quiet_hours=settings.quiet_hours,
            taken_as=taken_as,
        )
        sender = Sender(
            settings=channel_settings,
            registry=self._registry,
            vault=self._vault,
            gateway=gateway,
            clock=self._runtime.clock,
            stop=self.stop,
        )
        return Drain(sender)


def the_worker(app: Flask | None = None) -> Worker:
    held = runtime(app)
    return held.process_state.of(Worker, lambda: Worker(registry=registry(app), runtime=held))


def missing_settings(settings: Settings) -> list[str]:
    needed = {
        "TWILIO_ACCOUNT_SID": settings.twilio_account_sid,
        "TWILIO_AUTH_TOKEN": settings.twilio_auth_token,
        "TWILIO_FROM": settings.twilio_from,
        "SMTP_URL": settings.smtp_url,
    }
    return [
        f"{PREFIX}{name} is not set, and the worker needs it." for name, value in needed.items() if not value
    ]
