"""Sending claimed deliveries of one channel: preparing them, handing each to the gateway, recording the attempts.

No transaction is open while the provider is spoken to, and what is neither certainly sent nor certainly refused
becomes `unknown`. `drain` claims, and holds the threads that send.
"""

import logging
import random
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.exc import DBAPIError, TimeoutError as PoolTimeout

from ugly_mugs.clock import Clock
from ugly_mugs.database.engine import db
from ugly_mugs.outbox import addresses, attempts, claims, optouts, texts
from ugly_mugs.outbox.attempts import MOST_RETRIES, Attempt
from ugly_mugs.outbox.claims import Reachable
from ugly_mugs.outbox.gateways.transport import (
    Accepted,
    Ambiguous,
    BadAddress,
    ContentRefused,
    Gateway,
    Later,
    NeverConnected,
    NotSent,
    OptedOut,
    Outgoing,
    SenderBroken,
    Untrusted,
)
from ugly_mugs.outbox.models import Channel, DeliveryState, MessageKind
from ugly_mugs.outbox.registry import Claimed, MessageText, Registry
from ugly_mugs.quiet_hours import is_quiet
from ugly_mugs.settings import QuietHours
from ugly_mugs.vault import CannotOpen, WorkerVault

log = logging.getLogger(__name__)

_D = DeliveryState

LARGEST_BATCH = 500
# For how many seconds a stopping worker still tries to record what it has sent.
RECORD_WHEN_STOPPING = 10.0
FIRST_BACKOFF, LONGEST_BACKOFF = 5.0, 600.0
FAULT_PAUSE = timedelta(minutes=1)


@dataclass(frozen=True)
class ChannelSettings:
    """How one channel is sent: pace in segments a second, times in seconds, `taken_as` the state once accepted."""

    channel: Channel
    pace: int
    in_flight: int
    timeout: int
    lease: int
    unknown_wait: int
    quiet_hours: QuietHours
    taken_as: DeliveryState
    shard: int = 0

    @property
    def batch(self) -> int:
        """Most rows of one claim: at most a second's pace, and few enough to be under way soon."""
        return max(1, min(LARGEST_BATCH, self.pace))


@dataclass(frozen=True, slots=True)
class Batch:
    """The deliveries of one claim. `begin_by` is the last moment to begin a request, by the monotonic clock."""

    claimed: Sequence[Claimed]
    claimed_at: datetime
    lease_ends_at: datetime
    begin_by: float


@dataclass(frozen=True, slots=True)
class Ready:
    """A delivery that is ready to be sent, and the last moment to begin, by both clocks."""

    claimed: Claimed
    outgoing: Outgoing
    begin_by: float
    begin_by_clock: datetime


@dataclass(frozen=True, slots=True)
class Finished:
    """A claimed delivery and the attempt to record; `refusal` when it concerns more than this delivery."""

    claimed: Claimed
    attempt: Attempt
    refusal: NotSent | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A batch divided into what can be sent and what is finished without being sent."""

    ready: list[Ready] = field(default_factory=list)
    finished: list[Finished] = field(default_factory=list)


class Sender:
    """Sends what was claimed on one channel. `send` and `hang_up` are called from several threads at once."""

    def __init__(
        self,
        *,
        settings: ChannelSettings,
        registry: Registry,
        vault: WorkerVault,
        gateway: Gateway,
        clock: Clock,
        stop: threading.Event,
    ) -> None:
        self.settings = settings
        self.registry = registry
        self._vault = vault
        self._gateway = gateway
        self.clock = clock
        self.stop = stop
        self.circuit = registry.circuits[settings.channel]

    # Preparing

    def prepare(self, batch: Batch) -> Prepared:
        """Look once more what was stopped since the claim; open text and address of the others.

        While the database does not answer, the whole batch is put back.
        """
        try:
            return self._prepare(batch)
        except (DBAPIError, PoolTimeout) as trouble:
            log.warning("the database does not answer; nothing sent", extra={"error": type(trouble).__name__})
            return Prepared(finished=[self._put_back(claimed) for claimed in batch.claimed])

    def _prepare(self, batch: Batch) -> Prepared:
        reachable, waiting = claims.last_look(
            self.registry,
            batch.claimed,
            now=batch.claimed_at,
            lease_ends_at=batch.lease_ends_at,
            quiet=is_quiet(batch.claimed_at, self.settings.quiet_hours),
        )
        prepared = Prepared()
        opened: list[Claimed] = []
        for claimed in batch.claimed:
            if claimed.id in reachable:
                try:
                    opened.append(claims.with_body(claimed, self._vault))
                except CannotOpen:
                    log.error("the body of a message cannot be opened", extra={"kind": claimed.kind.value})
                    prepared.finished.append(_ended(claimed, _D.FAILED))
            elif claimed.id in waiting:
                prepared.finished.append(self._put_back(claimed))
            else:
                prepared.finished.append(_ended(claimed, _D.SUPPRESSED))
        message_texts, faulty = self._texts(opened)
        for claimed in opened:
            text = message_texts.get(claimed.id)
            if claimed.kind in faulty:
                prepared.finished.append(self._put_back(claimed, pause=FAULT_PAUSE))
            elif text is None:
                prepared.finished.append(_ended(claimed, _D.SUPPRESSED))
            else:
                message = self._addressed(claimed, text, reachable[claimed.id], batch)
                if message is None:
                    prepared.finished.append(_ended(claimed, _D.FAILED))
                else:
                    prepared.ready.append(message)
        return prepared

    def _texts(self, claimed: Sequence[Claimed]) -> tuple[dict[uuid.UUID, MessageText], set[MessageKind]]:
        """The texts by delivery id, and the kinds that failed to give theirs."""
        found: dict[uuid.UUID, MessageText] = {}
        faulty: set[MessageKind] = set()
        for kind in {delivery.kind for delivery in claimed}:
            of_kind = [delivery for delivery in claimed if delivery.kind is kind]
            try:
                found.update(texts.texts_of(self.registry.kinds[kind], of_kind))
            except (DBAPIError, PoolTimeout):
                raise
            except Exception as fault:
                log.error(
                    "a kind of message gives no texts",
                    extra={"kind": kind.value, "error": type(fault).__name__},
                )
                faulty.add(kind)
        return found, faulty

    def _addressed(
        self, claimed: Claimed, text: MessageText, address: Reachable, batch: Batch
    ) -> Ready | None:
        """The message with its address opened; None when that is damaged."""
        try:
            to = addresses.opened(vault=self._vault, address_id=address.address_id, sealed=address.sealed)
        except CannotOpen:
            log.error("an address cannot be opened")
            return None
        expires_at = claimed.expires_at
        outgoing = Outgoing(
            delivery_id=claimed.id,
            attempt=claimed.attempt,
            address_id=address.address_id,
            to=to,
            text=text,
            language=claimed.language,
            valid_for=None if expires_at is None else int((expires_at - batch.claimed_at).total_seconds()),
        )
        begin_by_clock = batch.lease_ends_at - timedelta(seconds=self.settings.timeout)
        return Ready(claimed, outgoing, batch.begin_by, begin_by_clock)

    # Sending

    def send(self, message: Ready) -> Finished:
        """Hand one message to the gateway; put it back when it is too late for that or sending has stopped."""
        # The monotonic clock may stand still while a machine sleeps, and the wall clock can be set back.
        late = time.monotonic() > message.begin_by or self.clock.now() > message.begin_by_clock
        if self.stop.is_set() or self.circuit.is_open or late:
            return self._put_back(message.claimed)
        try:
            accepted = self._gateway.send(message.outgoing)
        except NotSent as refusal:
            return self._refused(message.claimed, refusal)
        except Exception as fault:
            log.error("a gateway failed", extra={"error": type(fault).__name__})
            return self._refused(message.claimed, Ambiguous())
        self.circuit.worked()
        return self._accepted(message.claimed, accepted)

    def hang_up(self) -> None:
        """The calling thread sends nothing more in this round."""
        self._gateway.hang_up()

    def _accepted(self, claimed: Claimed, accepted: Accepted) -> Finished:
        state = self.settings.taken_as
        return Finished(
            claimed, Attempt(claimed.id, claimed.attempt, state, provider_id=accepted.provider_id)
        )

    def _put_back(self, claimed: Claimed, *, pause: timedelta = timedelta()) -> Finished:
        """It was claimed and never left: queue it again with as many retries as before."""
        not_before = self.clock.now() + pause
        return Finished(
            claimed,
            Attempt(claimed.id, claimed.attempt, _D.QUEUED, not_before=not_before, retries=claimed.retries),
        )

    def _refused(self, claimed: Claimed, refusal: NotSent) -> Finished:
        self._tell_circuit(refusal)
        now = self.clock.now()
        key = (claimed.id, claimed.attempt)
        if isinstance(refusal, Ambiguous):
            if claimed.channel is Channel.EMAIL and claimed.retries < MOST_RETRIES:
                not_before = now + _backoff(claimed.attempt)
                again = Attempt(*key, _D.QUEUED, not_before=not_before, retries=claimed.retries + 1)
                return Finished(claimed, again)
            look_at = now + timedelta(seconds=self.settings.unknown_wait)
            return Finished(claimed, Attempt(*key, _D.UNKNOWN, error_code=refusal.code, look_at=look_at))
        if isinstance(refusal, Later):
            later = Attempt(
                *key,
                _D.QUEUED,
                error_code=refusal.code,
                not_before=now + _backoff(claimed.attempt),
                retries=claimed.retries,
            )
            return Finished(claimed, later)
        state = _D.SUPPRESSED if isinstance(refusal, OptedOut) else _D.FAILED
        return Finished(claimed, Attempt(*key, state, error_code=refusal.code), refusal)

    def _tell_circuit(self, refusal: NotSent) -> None:
        extra = {"channel": self.settings.channel.value, "code": refusal.code}
        if isinstance(refusal, SenderBroken):
            if self.circuit.failed():
                log.error(
                    "nothing can be sent: our account, sender or mail settings are refused", extra=extra
                )
        elif isinstance(refusal, Untrusted):
            if self.circuit.failed():
                log.error("the server that messages are sent to has no certificate for its name", extra=extra)
        elif isinstance(refusal, NeverConnected):
            if self.circuit.failed():
                log.warning("nobody answers where messages are sent to", extra=extra)
        elif isinstance(refusal, Ambiguous):
            if self.circuit.was_ambiguous():
                log.error("many messages of unknown fate in a row; pausing", extra=extra)
        else:
            self.circuit.worked()

    # Recording

    def record(self, finished: Sequence[Finished]) -> None:
        """Record the attempts and commit, then apply what refusals mean beyond their delivery.

        Waits while the database does not answer, so that nothing more is claimed meanwhile.
        """
        give_up_at = None
        while True:
            try:
                attempts.record([message.attempt for message in finished])
                break
            except (DBAPIError, PoolTimeout) as trouble:
                log.warning(
                    "the database does not answer; attempts are kept", extra={"error": type(trouble).__name__}
                )
            if self.stop.is_set():
                give_up_at = give_up_at or time.monotonic() + RECORD_WHEN_STOPPING
                if time.monotonic() > give_up_at:
                    log.error("attempts could not be recorded; each message will be looked for")
                    break
            time.sleep(0.5)
        for message in finished:
            if message.refusal is not None:
                self._apply_refusal(message.claimed, message.refusal)

    def _apply_refusal(self, claimed: Claimed, refusal: NotSent) -> None:
        """What one refusal means for the address or the subject."""
        now = self.clock.now()
        try:
            if isinstance(refusal, OptedOut):
                optouts.opt_out(
                    registry=self.registry, owner_id=claimed.recipient_id, channel=claimed.channel, now=now
                )
            elif isinstance(refusal, BadAddress):
                optouts.nothing_arrives(owner_id=claimed.recipient_id, channel=claimed.channel)
            elif isinstance(refusal, ContentRefused):
                stop_subject = self.registry.kinds[claimed.kind].stop
                if stop_subject is not None:
                    stop_subject(claimed.subject_id)
            # Committed here: the worker's jobs call the sender, and each refusal is complete in itself.
            db.session.commit()
        except (DBAPIError, PoolTimeout) as trouble:
            # The next message to this address is refused again, and this is applied then.
            log.warning("a refusal was not recorded", extra={"error": type(trouble).__name__})
            db.session.rollback()
        finally:
            db.session.remove()


def _ended(claimed: Claimed, state: DeliveryState) -> Finished:
    return Finished(claimed, Attempt(claimed.id, claimed.attempt, state))


def _backoff(attempt: int) -> timedelta:
    """Longer after each attempt, with jitter."""
    seconds = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** min(attempt - 1, 10))
    return timedelta(seconds=seconds * random.uniform(0.5, 1.5))  # noqa: S311  # nosec B311: jitter, not a secret
