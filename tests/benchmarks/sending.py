"""One worker's way from a queued row to a row that says what became of it, for the measurements of the outbox.

The same client sends in a bare loop, with nothing around it, on the same machine in the same minute.
"""

import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask
from urllib3 import PoolManager

from tests.make.databases import settings_for
from tests.make.wiring import rewire
from tests.outbox.posting import is_open, says_its_subject, text_of
from ugly_mugs.app import create_app
from ugly_mugs.database.engine import db
from ugly_mugs.outbox.drain import Drain
from ugly_mugs.outbox.gateways.smtp import MailServer, render
from ugly_mugs.outbox.gateways.transport import Outgoing
from ugly_mugs.outbox.models import (
    Address,
    AddressState,
    Channel,
    Delivery,
    DeliveryState,
    FanOut,
    MessageKind,
)
from ugly_mugs.outbox.registry import MessageKindSpec
from ugly_mugs.outbox.worker import Worker, the_worker
from ugly_mugs.runtime import runtime
from ugly_mugs.sandbox.settings import ACCOUNT_SID, AUTH_TOKEN
from ugly_mugs.vault import Where
from ugly_mugs.vault.keys import keyfiles

PEOPLE = 1_000
PACE = 100_000


class LoadTarget:
    """`load_target` as its own process, so that it does not share the interpreter with what is measured."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.load_target"], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().rpartition(" ")[2].strip()
        self.smtp_url = self._process.stdout.readline().rpartition(" ")[2].strip()
        self._http = PoolManager()

    def set_latency(self, milliseconds: int) -> None:
        self._http.request("POST", f"{self.url}/latency", json={"milliseconds": milliseconds})

    def count(self) -> int:
        return int(self._http.request("GET", f"{self.url}/count").json()["count"])

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)


@contextmanager
def load_target() -> Iterator[LoadTarget]:
    target = LoadTarget()
    try:
        yield target
    finally:
        target.stop()


class Bench:
    """An installation with a thousand people who have a phone and an inbox each."""

    def __init__(self, url: str, folder: Path, target: LoadTarget, in_flight: int) -> None:
        settings = settings_for(
            url,
            folder / "keys",
            TWILIO_ACCOUNT_SID=ACCOUNT_SID,
            TWILIO_AUTH_TOKEN=AUTH_TOKEN,
            TWILIO_FROM="+442079460000",
            TWILIO_API_URL=target.url,
            SMTP_URL=target.smtp_url,
            SMS_PACE=str(PACE),
            MAIL_PACE=str(PACE),
            SMS_IN_FLIGHT=str(in_flight),
        )
        if not settings.keys_dir.exists():
            keyfiles.create(settings.keys_dir)
        self.app: Flask = create_app(settings)
        rewire(self.app, kinds=[MessageKindSpec(MessageKind.ALERT, is_open, says_its_subject)])
        self._context = self.app.app_context()
        self._context.push()
        db.create_all()
        self.people = self._people()

    @property
    def worker(self) -> Worker:
        return the_worker(self.app)

    def close(self) -> None:
        db.session.remove()
        db.engine.dispose()
        self._context.pop()

    def _people(self) -> list[uuid.UUID]:
        known = db.session.scalars(sa.select(Address.owner_id).where(Address.channel == Channel.SMS)).all()
        if known:
            db.session.rollback()
            return list(known)
        vault = runtime().become_worker()
        owners = []
        for number in range(PEOPLE):
            owner = uuid.uuid4()
            owners.append(owner)
            for channel, text in (
                (Channel.SMS, f"+447700900{number:03d}"),
                (Channel.EMAIL, f"person{number}@example.org"),
            ):
                address_id = uuid.uuid4()
                db.session.add(
                    Address(
                        id=address_id,
                        owner_id=owner,
                        channel=channel,
                        state=AddressState.PROVED,
                        tag=vault.contact_tag(channel.value, text),
                        sealed=vault.seal_contact(text.encode(), Where("addresses", "sealed", address_id)),
                    )
                )
        db.session.commit()
        return owners

    def queue(self, channel: Channel, count: int) -> None:
        """That many deliveries in as many subjects as it takes, like the alerts of many days."""
        now = datetime.now(UTC)
        rows: list[dict[str, Any]] = []
        while len(rows) < count:
            subject = uuid.uuid4()
            db.session.add(FanOut(kind=MessageKind.ALERT, subject_id=subject, done=False))
            rows += [
                {
                    "id": uuid.uuid4(), "kind": MessageKind.ALERT, "subject_id": subject, "recipient_id": person,
                    "channel": channel, "state": DeliveryState.QUEUED, "priority": 10, "not_before": now,
                }
                for person in self.people[: count - len(rows)]
            ]  # fmt: skip
        db.session.execute(sa.insert(Delivery), rows)
        db.session.commit()

    def drain(self, channel: Channel, count: int) -> float:
        """Messages per second, from rows that wait to rows that say what became of them."""
        drain: Drain = self.worker.texts if channel is Channel.SMS else self.worker.mails
        began = time.perf_counter()
        done = 0
        while done < count:
            done += drain.drain()
        return count / (time.perf_counter() - began)

    def bare_texts(self, count: int) -> float:
        """Texts a second of the same client with nothing around it, on as many threads."""
        gateway, threads = self.worker.text_gateway, runtime().settings.sms_in_flight
        text = text_of(uuid.uuid4())
        messages = [
            Outgoing(uuid.uuid4(), 1, uuid.uuid4(), f"+447700900{n % PEOPLE:03d}", text, "en", None)
            for n in range(count)
        ]
        began = time.perf_counter()
        with ThreadPoolExecutor(threads) as pool:
            for _ in pool.map(gateway.send, messages):
                pass
        return count / (time.perf_counter() - began)

    def bare_mails(self, count: int) -> float:
        """Mails a second of smtplib itself, the same bytes for everybody, over one kept connection."""
        smtp_url = runtime().settings.smtp_url
        assert smtp_url is not None
        connection = MailServer.from_url(smtp_url.value).connect(15)
        mail = render(text_of(uuid.uuid4()), sender="notices@example.org").for_person(
            {"To": "person@example.org"}, "Stop these e-mails:\nhttp://127.0.0.1:8000/opt-out/" + "x" * 43
        )
        began = time.perf_counter()
        for number in range(count):
            connection.mail("notices@example.org")
            connection.rcpt(f"person{number % PEOPLE}@example.org")
            connection.data(mail)
        took = time.perf_counter() - began
        connection.quit()
        return count / took
