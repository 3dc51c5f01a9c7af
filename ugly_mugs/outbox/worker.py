"""What a worker holds while it runs: its senders and the handlers of what comes in, made once for an application."""

import threading
import uuid
from collections.abc import Mapping
from datetime import timedelta
from functools import cached_property, partial

from flask import Flask

from ugly_mugs.outbox import optouts
from ugly_mugs.outbox.forgetting import Forgetting
from ugly_mugs.outbox.gateways.smtp import MailGateway
from ugly_mugs.outbox.gateways.twilio import TextGateway
from ugly_mugs.outbox.inbound.handovers import Resting
from ugly_mugs.outbox.inbound.twilio import Inbound
from ugly_mugs.outbox.models import Channel, DeliveryState, RequestKind
from ugly_mugs.outbox.registry import Handler, Registry, registry
from ugly_mugs.outbox.sender import Conduct, Sender
from ugly_mugs.runtime import Runtime, runtime
from ugly_mugs.settings import PREFIX, Settings

# One mail server takes mails over a few connections at most; more only makes it suspicious.
MAILS_IN_FLIGHT = 4


class Worker:
    """Senders keep their pace, circuit and connections between the turns of their jobs; this is where they live."""

    def __init__(self, *, registry: Registry, runtime: Runtime) -> None:
        self.stop = threading.Event()
        # Requests that could not be applied, until when they are left alone, and since when they fail.
        self.resting: dict[uuid.UUID, Resting] = {}
        self._registry = registry
        self._runtime = runtime
        self._vault = runtime.become_worker()

    @cached_property
    def text_gateway(self) -> TextGateway:
        return TextGateway(self._runtime.settings, self._vault)

    @cached_property
    def texts(self) -> Sender:
        settings = self._runtime.settings
        conduct = Conduct(
            channel=Channel.SMS,
            pace=settings.sms_pace,
            in_flight=settings.sms_in_flight,
            timeout=settings.sms_timeout,
            lease=settings.claim_lease,
            unknown_wait=settings.unknown_wait,
            quiet_hours=settings.quiet_hours,
            taken_as=DeliveryState.ACCEPTED,
        )
        return self._sender(conduct, self.text_gateway)

    @cached_property
    def mails(self) -> Sender:
        settings = self._runtime.settings
        conduct = Conduct(
            channel=Channel.EMAIL,
            pace=settings.mail_pace,
            in_flight=MAILS_IN_FLIGHT,
            timeout=settings.sms_timeout,
            lease=settings.claim_lease,
            unknown_wait=settings.unknown_wait,
            quiet_hours=settings.quiet_hours,
            # A mail server that takes a mail has sent it on, as far as we shall ever hear.
            taken_as=DeliveryState.SENT,
        )
        return self._sender(conduct, MailGateway(settings, self._vault, self._runtime.clock))

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
    def handlers(self) -> Mapping[RequestKind, Handler]:
        """Those of the features above, and the outbox's own."""
        came = Inbound(registry=self._registry, vault=self._vault, settings=self._runtime.settings)
        return {
            **self._registry.handlers,
            RequestKind.STATUS_CAME: came.status_came,
            RequestKind.MESSAGE_CAME: came.message_came,
            RequestKind.OPTED_OUT: partial(optouts.apply_opt_out, self._registry),
        }

    def _sender(self, conduct: Conduct, gateway: TextGateway | MailGateway) -> Sender:
        return Sender(
            conduct=conduct,
            registry=self._registry,
            vault=self._vault,
            gateway=gateway,
            clock=self._runtime.clock,
            stop=self.stop,
        )


def the_worker(app: Flask | None = None) -> Worker:
    """The worker of the running application, made when it is first asked for."""
    held = runtime(app)
    return held.state.of(Worker, lambda: Worker(registry=registry(app), runtime=held))


def missing_settings(settings: Settings) -> list[str]:
    """One sentence for each setting without which a worker could not send."""
    wanted = {
        "TWILIO_ACCOUNT_SID": settings.twilio_account_sid,
        "TWILIO_AUTH_TOKEN": settings.twilio_auth_token,
        "TWILIO_FROM": settings.twilio_from,
        "SMTP_URL": settings.smtp_url,
    }
    return [
        f"{PREFIX}{name} is not set, and the worker needs it." for name, value in wanted.items() if not value
    ]
