"""Draining one channel: claim a slice, hand it to the provider over many threads, write down what became of it.

One thread claims and records while the others send, so that the provider never waits for the database. Nothing
is sent that is not committed as `attempting`, no transaction is open while the provider is spoken to, and what
is neither surely sent nor surely refused becomes `unknown`.
"""

import logging
import random
import threading
import time
import uuid
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from queue import SimpleQueue

from sqlalchemy.exc import DBAPIError, TimeoutError as PoolTimeout

from ugly_mugs.clock import Clock
from ugly_mugs.database.engine import db
from ugly_mugs.outbox import addresses, attempts, claims, optouts
from ugly_mugs.outbox.attempts import MOST_RETRIES, Result
from ugly_mugs.outbox.claims import Allowance
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
from ugly_mugs.outbox.pace import Pace
from ugly_mugs.outbox.quiet import is_quiet
from ugly_mugs.outbox.registry import FIRST_CLASS_BELOW, Claimed, Registry, Words
from ugly_mugs.settings import QuietHours
from ugly_mugs.vault import CannotOpen, WorkerVault

log = logging.getLogger(__name__)

_D = DeliveryState

LARGEST_SLICE = 500
RECORD_AT = 200
RECORD_AFTER = 0.1
# The claiming thread looks up this often. Waking it for each single result would take the interpreter away from
# the threads that send.
BEAT = 0.02
RESERVE_EVERY = 0.1
SLOW_CLAIM = 0.5
SLOW_IN_A_ROW = 3
# How long a worker that is told to stop still tries to write down what it has sent.
LAST_WORDS = 10.0
FIRST_BACKOFF, LONGEST_BACKOFF = 5.0, 600.0
FAULT_PAUSE = timedelta(minutes=1)


@dataclass(frozen=True)
class Conduct:
    """How one sender behaves; paces and times are settings."""

    channel: Channel
    pace: int
    in_flight: int
    timeout: int
    lease: int
    unknown_wait: int
    quiet_hours: QuietHours
    taken_as: DeliveryState

    @property
    def slice(self) -> int:
        """Rows in one claim: never more than a second's pace, and small enough to be under way soon."""
        return max(1, min(LARGEST_SLICE, self.pace))


@dataclass(frozen=True, slots=True)
class _Errand:
    """One message on its way to a sending thread, with the last moment (monotonic) at which it may begin."""

    claimed: Claimed
    outgoing: Outgoing
    begin_by: float
    begin_by_clock: datetime


@dataclass(frozen=True, slots=True)
class _Fate:
    """What one errand came to; `refusal` when that concerns more than this delivery."""

    result: Result
    claimed: Claimed
    refusal: NotSent | None = None


class Sender:
    """One channel's way out. It keeps its pace and its circuit from one drain to the next."""

    def __init__(
        self,
        *,
        conduct: Conduct,
        registry: Registry,
        vault: WorkerVault,
        gateway: Gateway,
        clock: Clock,
        stop: threading.Event,
    ) -> None:
        self.conduct = conduct
        self.pace = Pace(conduct.pace)
        self.circuit = registry.circuits[conduct.channel]
        self._registry = registry
        self._vault = vault
        self._gateway = gateway
        self._clock = clock
        self._stop = stop
        self._rest_until = 0.0
        self._slow_in_vain = 0

    def drain(self) -> int:
        """Send until nothing is due or the worker stops; gives how many were claimed."""
        if self.circuit.is_open or time.monotonic() < self._rest_until or not self._is_anything_waiting():
            return 0
        return _Drain(self).run()

    def found_nothing(self, *, took: float) -> None:
        """Much that waits and may not leave (a pause, the night) need not be looked through all the time."""
        self._slow_in_vain = self._slow_in_vain + 1 if took > SLOW_CLAIM else 0
        if self._slow_in_vain >= SLOW_IN_A_ROW:
            self._rest_until = time.monotonic() + 2 * took

    def found_something(self) -> None:
        self._slow_in_vain = 0

    def _is_anything_waiting(self) -> bool:
        """A look that takes no lock, so that an idle worker is in nobody's way."""
        return claims.is_anything_waiting(self.conduct.channel, now=self._clock.now())

    # What the sending threads do

    def send(self, errand: _Errand) -> _Fate:
        """Hand one message to the provider, unless it is too late for that."""
        # The monotonic clock does not see a machine that slept, and the wall clock may be set back: ask both.
        late = time.monotonic() > errand.begin_by or self._clock.now() > errand.begin_by_clock
        if self._stop.is_set() or self.circuit.is_open or late:
            return self._put_back(errand.claimed)
        try:
            accepted = self._gateway.send(errand.outgoing)
        except NotSent as refusal:
            return self._refused(errand.claimed, refusal)
        except Exception as fault:
            log.error("a gateway failed", extra={"error": type(fault).__name__})
            return self._refused(errand.claimed, Ambiguous())
        self.circuit.worked()
        return self._taken(errand.claimed, accepted)

    def hang_up(self) -> None:
        self._gateway.hang_up()

    def _taken(self, claimed: Claimed, accepted: Accepted) -> _Fate:
        result = Result(claimed.id, claimed.attempt, self.conduct.taken_as, provider_id=accepted.provider_id)
        return _Fate(result, claimed)

    def _put_back(self, claimed: Claimed, *, after: timedelta = timedelta()) -> _Fate:
        """It was claimed and never left: it waits again as if nothing had been."""
        not_before = self._clock.now() + after
        return _Fate(
            Result(claimed.id, claimed.attempt, _D.QUEUED, not_before=not_before, retries=claimed.retries),
            claimed,
        )

    def _refused(self, claimed: Claimed, refusal: NotSent) -> _Fate:
        self._mind_the_circuit(refusal)
        now = self._clock.now()
        given = (claimed.id, claimed.attempt)
        if isinstance(refusal, Ambiguous):
            if claimed.channel is Channel.EMAIL and claimed.retries < MOST_RETRIES:
                not_before = now + _backoff(claimed.attempt)
                again = Result(*given, _D.QUEUED, not_before=not_before, retries=claimed.retries + 1)
                return _Fate(again, claimed)
            look_at = now + timedelta(seconds=self.conduct.unknown_wait)
            return _Fate(Result(*given, _D.UNKNOWN, error_code=refusal.code, look_at=look_at), claimed)
        if isinstance(refusal, Later):
            later = Result(
                *given,
                _D.QUEUED,
                error_code=refusal.code,
                not_before=now + _backoff(claimed.attempt),
                retries=claimed.retries,
            )
            return _Fate(later, claimed)
        state = _D.SUPPRESSED if isinstance(refusal, OptedOut) else _D.FAILED
        return _Fate(Result(*given, state, error_code=refusal.code), claimed, refusal)

    def _mind_the_circuit(self, refusal: NotSent) -> None:
        channel = {"channel": self.conduct.channel.value, "code": refusal.code}
        if isinstance(refusal, SenderBroken):
            if self.circuit.failed():
                log.error(
                    "nothing can be sent: our account, sender or mail settings are refused", extra=channel
                )
        elif isinstance(refusal, Untrusted):
            if self.circuit.failed():
                log.error(
                    "the server that messages are sent to has no certificate for its name", extra=channel
                )
        elif isinstance(refusal, NeverConnected):
            if self.circuit.failed():
                log.warning("nobody answers where messages are sent to", extra=channel)
        elif isinstance(refusal, Ambiguous):
            if self.circuit.was_ambiguous():
                log.error("many messages of unknown fate in a row; pausing", extra=channel)
        else:
            self.circuit.worked()


class _Drain:
    """One run of a sender: its threads, what is under way, and what is not written down yet."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._conduct = sender.conduct
        self._errands: SimpleQueue[_Errand | None] = SimpleQueue()
        self._fates: deque[_Fate] = deque()
        self._threads: list[threading.Thread] = []
        self._under_way = 0
        self._unwritten: list[_Fate] = []
        self._written_at = time.monotonic()
        self._reserve_at = 0.0
        self._claimed = 0

    def run(self) -> int:
        try:
            while True:
                self._collect()
                self._write_if_due()
                nothing_due = self._sender._stop.is_set() or not self._claim_more()
                if nothing_due and not self._under_way and not self._unwritten and not self._fates:
                    return self._claimed
                time.sleep(BEAT)
        finally:
            self._finish()

    def _collect(self) -> None:
        while self._fates:
            self._unwritten.append(self._fates.popleft())
            self._under_way -= 1

    # Claiming

    def _claim_more(self) -> bool:
        """Claim if there is room and pace; False when nothing is due, or nothing may be sent just now."""
        sender, conduct = self._sender, self._conduct
        if sender.circuit.is_open:
            return False
        room = conduct.in_flight + conduct.slice - self._under_way
        if sender.circuit.is_testing:
            room = min(room, 1 - self._under_way)
            if room < 1:
                return True
        elif room <= conduct.slice // 2:
            return True
        allowed = sender.pace.allows(first_class=False)
        if allowed >= max(1, min(conduct.pace // 10, conduct.slice // 2)):
            return self._claim(allowed, room, first_class_only=False)
        now = time.monotonic()
        if now >= self._reserve_at and (kept := sender.pace.allows(first_class=True)):
            self._reserve_at = now + RESERVE_EVERY
            self._claim(kept, room, first_class_only=True)
        return True

    def _claim(self, segments: int, room: int, *, first_class_only: bool) -> bool:
        sender, conduct = self._sender, self._conduct
        now = sender._clock.now()
        began = time.monotonic()
        try:
            claimed = claims.claim(
                sender._registry,
                channel=conduct.channel,
                allowance=Allowance(
                    segments=segments,
                    rows=min(segments, room, conduct.slice),
                    whole=sender.pace.is_full(first_class=first_class_only),
                ),
                now=now,
                lease_ends_at=now + timedelta(seconds=conduct.lease),
                quiet=is_quiet(now, conduct.quiet_hours),
                first_class_only=first_class_only,
            )
        except (DBAPIError, PoolTimeout) as trouble:
            # If it was committed after all, the leases will run out and each row be looked for.
            log.warning(
                "the database does not answer; nothing claimed", extra={"error": type(trouble).__name__}
            )
            return False
        if not claimed:
            sender.found_nothing(took=time.monotonic() - began)
            return False
        sender.found_something()
        for each in claimed:
            sender.pace.spend(each.segments, first_class=each.priority < FIRST_CLASS_BELOW)
        self._claimed += len(claimed)
        # A whole timeout must fit between the beginning of a POST and the end of the lease.
        self._set_out(claimed, now, begin_by=began + conduct.lease - conduct.timeout)
        return True

    def _set_out(self, claimed: Sequence[Claimed], now: datetime, *, begin_by: float) -> None:
        self._under_way += len(claimed)
        try:
            errands, fates = self._prepare(claimed, now, begin_by)
        except (DBAPIError, PoolTimeout) as trouble:
            log.warning("the database does not answer; nothing sent", extra={"error": type(trouble).__name__})
            errands, fates = [], [self._sender._put_back(each) for each in claimed]
        self._fates.extend(fates)
        for errand in errands:
            self._errands.put(errand)
        for _ in range(min(len(errands), self._conduct.in_flight - len(self._threads))):
            thread = threading.Thread(target=self._work, name=f"send {self._conduct.channel}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _prepare(
        self, claimed: Sequence[Claimed], now: datetime, begin_by: float
    ) -> tuple[list[_Errand], list[_Fate]]:
        """A last look at what was stopped since the claim, then the words and the address of the others."""
        sender = self._sender
        errands: list[_Errand] = []
        fates: list[_Fate] = []
        lease_ends_at = now + timedelta(seconds=self._conduct.lease)
        begin_by_clock = lease_ends_at - timedelta(seconds=self._conduct.timeout)
        reachable, waits = claims.last_look(
            sender._registry,
            claimed,
            now=now,
            lease_ends_at=lease_ends_at,
            quiet=is_quiet(now, self._conduct.quiet_hours),
        )
        going: list[Claimed] = []
        for each in claimed:
            if each.id in reachable:
                try:
                    going.append(claims.with_body(each, sender._vault))
                except CannotOpen:
                    log.error("the words of a message cannot be opened", extra={"kind": each.kind.value})
                    fates.append(_Fate(Result(each.id, each.attempt, _D.FAILED), each))
            elif each.id in waits:
                fates.append(sender._put_back(each))
            else:
                fates.append(_Fate(Result(each.id, each.attempt, _D.SUPPRESSED), each))
        words, faulty = self._words(going)
        for each in going:
            if each.kind in faulty:
                fates.append(sender._put_back(each, after=FAULT_PAUSE))
                continue
            its_words = words.get(each.id)
            if its_words is None:
                fates.append(_Fate(Result(each.id, each.attempt, _D.SUPPRESSED), each))
                continue
            way = reachable[each.id]
            try:
                to = addresses.opened(vault=sender._vault, address_id=way.address_id, sealed=way.sealed)
            except CannotOpen:
                log.error("an address cannot be opened")
                fates.append(_Fate(Result(each.id, each.attempt, _D.FAILED), each))
                continue
            life = None if each.expires_at is None else int((each.expires_at - now).total_seconds())
            outgoing = Outgoing(each.id, each.attempt, way.address_id, to, its_words, each.language, life)
            errands.append(_Errand(each, outgoing, begin_by, begin_by_clock))
        return errands, fates

    def _words(self, claimed: Sequence[Claimed]) -> tuple[Mapping[uuid.UUID, Words | None], set[MessageKind]]:
        """The words by delivery, and the kinds that could not find theirs just now."""
        words: dict[uuid.UUID, Words | None] = {}
        faulty: set[MessageKind] = set()
        for kind in {each.kind for each in claimed}:
            spec = self._sender._registry.kinds[kind]
            try:
                words.update(spec.words([each for each in claimed if each.kind is kind]))
            except (DBAPIError, PoolTimeout):
                raise
            except Exception as fault:
                log.error(
                    "a kind of message has no words",
                    extra={"kind": kind.value, "error": type(fault).__name__},
                )
                faulty.add(kind)
            finally:
                # Kinds read their texts by the session; no transaction may stay open while messages are sent.
                db.session.remove()
        return words, faulty

    # Sending

    def _work(self) -> None:
        try:
            while (errand := self._errands.get()) is not None:
                self._fates.append(self._sender.send(errand))
        finally:
            self._sender.hang_up()

    # Writing down

    def _write_if_due(self) -> None:
        if not self._unwritten:
            self._written_at = time.monotonic()
        elif (
            len(self._unwritten) >= RECORD_AT
            or not self._under_way
            or time.monotonic() - self._written_at >= RECORD_AFTER
        ):
            self._write()

    def _write(self) -> None:
        """Write down every fate; while the database does not answer they are kept, and nothing more is claimed."""
        batch, self._unwritten = self._unwritten, []
        give_up_at = None
        while True:
            try:
                attempts.record([fate.result for fate in batch])
                break
            except (DBAPIError, PoolTimeout) as trouble:
                log.warning(
                    "the database does not answer; results are kept", extra={"error": type(trouble).__name__}
                )
            if self._sender._stop.is_set():
                give_up_at = give_up_at or time.monotonic() + LAST_WORDS
                if time.monotonic() > give_up_at:
                    log.error("results could not be written down; each message will be looked for")
                    break
            time.sleep(0.5)
        self._written_at = time.monotonic()
        for fate in batch:
            if fate.refusal is not None:
                self._tell(fate, fate.refusal)

    def _tell(self, fate: _Fate, refusal: NotSent) -> None:
        """What one refusal means for the address or the subject, beyond its delivery."""
        sender, claimed = self._sender, fate.claimed
        now = sender._clock.now()
        try:
            if isinstance(refusal, OptedOut):
                optouts.opt_out(
                    registry=sender._registry, owner_id=claimed.recipient_id, channel=claimed.channel, now=now
                )
            elif isinstance(refusal, BadAddress):
                optouts.nothing_arrives(owner_id=claimed.recipient_id, channel=claimed.channel)
            elif isinstance(refusal, ContentRefused):
                refused = sender._registry.kinds[claimed.kind].refused
                if refused is not None:
                    refused(claimed.subject_id)
            # The sender is an edge: what a refusal changes is whole in itself.
            db.session.commit()
        except (DBAPIError, PoolTimeout) as trouble:
            # The next message to this address will be refused again and told again.
            log.warning("a refusal was not recorded", extra={"error": type(trouble).__name__})
            db.session.rollback()
        finally:
            db.session.remove()

    def _finish(self) -> None:
        """Let every thread end, then write down what they did."""
        for _ in self._threads:
            self._errands.put(None)
        for thread in self._threads:
            thread.join()
        self._collect()
        if self._unwritten:
            self._write()


def _backoff(attempt: int) -> timedelta:
    """Longer after each attempt, and never for all at the same moment."""
    seconds = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** min(attempt - 1, 10))
    return timedelta(seconds=seconds * random.uniform(0.5, 1.5))  # noqa: S311  # nosec B311: jitter, not a secret
