"""One alert with the whole application: how soon the first text leaves, and what the worker holds meanwhile.

The desk works in this process; the worker is a process of its own, as in life, and so is the provider.
"""

import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import sqlalchemy as sa
from flask import Flask

from alerts.membership.models import Level, Member, MemberRegion, MemberState, Subscription
from tests.benchmarks.figures import Figure
from tests.benchmarks.sending import LoadTarget, load_target
from tests.make.alerts import HERE, Newsroom
from tests.make.cast import Team
from tests.make.clock import MovableClock
from tests.make.databases import make_tables, settings_for
from tests.make.installation import application, install
from tests.make.pages import hidden
from ugly_mugs.accounts.models import EpochKind, KeyEpoch, MemberKind
from ugly_mugs.database.engine import db, forget_deleted
from ugly_mugs.outbox.models import Address, AddressState, Channel
from ugly_mugs.sandbox.settings import ACCOUNT_SID, AUTH_TOKEN
from ugly_mugs.vault import Where, WorkerVault
from ugly_mugs.vault.keys import keyfiles

PROJECT = Path(__file__).parent.parent.parent
ALERTS, FIRST_BAR_S = 5, 2.0
FEW, MANY, AT_ONCE = 1_000, 20_000, 5_000
LEDGER = 1_000_000
MEMORY_BAR_MB = 250
SECONDS_OF_SENDING = 15


@dataclass
class House:
    """An installation with Alice, who writes, and Bob, who approves, and with members by the thousand."""

    app: Flask
    newsroom: Newsroom
    target: LoadTarget
    environment: dict[str, str]

    def written(self) -> uuid.UUID:
        """A danger alert that waits for Bob."""
        self.newsroom.clock.moment = datetime.now(UTC)
        return self.newsroom.submitted(severity="danger")

    def first_text(self) -> float:
        """Seconds from Bob's pressing *approve* to the first text that the provider has."""
        alert_id = self.written()
        page = self.newsroom.approval_page(alert_id)
        typed = {name: hidden(page, name) for name in ("csrf", "seen", "consent")}
        db.session.rollback()
        before, began = self.target.count(), time.perf_counter()
        answer = self.newsroom.approver.browser.post(f"/desk/alerts/{alert_id}/approve", data=typed)
        assert answer.status_code == 303, answer.text
        db.session.rollback()
        while self.target.count() == before:
            assert time.perf_counter() - began < 60, "no text within a minute"
            time.sleep(0.005)
        return time.perf_counter() - began

    @contextmanager
    def worker(self) -> Iterator[psutil.Process]:
        """`flask worker`, and how the operating system sees it."""
        # What this process has read would otherwise keep it from writing.
        db.session.rollback()
        command = [sys.executable, "-m", "flask", "worker"]
        process = subprocess.Popen(command, cwd=PROJECT, env={**os.environ, **self.environment})
        try:
            yield psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait(60)


@contextmanager
def house() -> Iterator[House]:
    logging.getLogger("ugly_mugs").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as name, load_target() as target:
        folder = Path(name)
        given = {
            "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
            "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
            "TWILIO_API_URL": target.url,
            "SMTP_URL": target.smtp_url,
            "SMS_PACE": "100000",
            "LOG_LEVEL": "ERROR",
        }
        settings = settings_for(f"sqlite:///{folder / 'database.sqlite3'}", folder / "keys", **given)
        environment = {
            **given,
            "DATABASE_URL": settings.database_url,
            "KEYS_DIR": str(settings.keys_dir),
            "TWILIO_FROM": settings.twilio_from or "",
            "MAIL_FROM": settings.mail_from,
        }
        make_tables(settings.database_url, folder / "none")
        clock = MovableClock(datetime.now(UTC))
        installation = install(settings, clock)
        with application(settings, clock) as app:
            team = Team(app, clock, installation)
            newsroom = Newsroom(app, clock, team.hire("alice"), team.hire("bob"))
            named = {f"UGLY_MUGS_{each}": value for each, value in environment.items()}
            yield House(app, newsroom, target, named)


def people(count: int, keys: Path) -> None:
    """So many more members here, each with a phone that the worker can read."""
    vault = WorkerVault(keyfiles.load_service(keys), keyfiles.load_worker(keys))
    epoch_id = db.session.scalars(sa.select(KeyEpoch.id).where(KeyEpoch.kind == EpochKind.VETTING)).first()
    for begin in range(0, count, AT_ONCE):
        ids = [uuid.uuid4() for _ in range(min(AT_ONCE, count - begin))]
        members: dict[str, Any] = {
            "state": MemberState.ACTIVE, "kind": MemberKind.INDIVIDUAL, "language": "en", "level": Level.NEUTRAL,
            "wake_for_danger": True, "epoch_id": epoch_id, "applied_on": datetime.now(UTC).date(),
        }  # fmt: skip
        db.session.execute(
            sa.insert(Member), [{"id": each, "locator": each.bytes, **members} for each in ids]
        )
        db.session.execute(sa.insert(MemberRegion), [{"member_id": each, "region": HERE} for each in ids])
        subscribed = [{"member_id": each, "channel": Channel.SMS, "live": True} for each in ids]
        db.session.execute(sa.insert(Subscription), subscribed)
        db.session.execute(
            sa.insert(Address), [_phone(vault, each, number) for number, each in enumerate(ids)]
        )
        db.session.commit()


def _phone(vault: WorkerVault, owner_id: uuid.UUID, number: int) -> dict[str, Any]:
    address_id = uuid.uuid4()
    where = Where("addresses", "sealed", address_id)
    return {
        "id": address_id,
        "owner_id": owner_id,
        "channel": Channel.SMS,
        "state": AddressState.PROVED,
        # Invented numbers are few, so their tags are those of their owners.
        "tag": owner_id.bytes,
        "sealed": vault.seal_contact(f"+447700900{number % 1000:03d}".encode(), where),
    }


def first_text(here: House) -> Figure:
    waits = []
    with here.worker():
        time.sleep(3)
        for number in range(ALERTS):
            time.sleep(number * 0.07)
            waits.append(here.first_text())
            _wait_until_sent(here)
    name = f"first text after approval, to {FEW:,} members (median {statistics.median(waits):.2f} s), worst of {ALERTS}"
    return Figure(name, round(max(waits), 2), "s", f"< {FIRST_BAR_S}", max(waits) < FIRST_BAR_S)


def _wait_until_sent(here: House) -> None:
    seen = -1
    while (count := here.target.count()) != seen:
        seen = count
        time.sleep(1)


def past_deliveries(count: int) -> None:
    """So many deliveries of former alerts, which stay in the ledger until its counts alone are kept."""
    db.session.execute(
        sa.text(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count) "
            "INSERT INTO deliveries (id, kind, subject_id, recipient_id, channel, state, sender, priority, wakes, "
            "not_before, language, level, segments, attempt, retries) "
            "SELECT lower(hex(randomblob(16))), 'alert', :subject, lower(hex(randomblob(16))), 'sms', 'delivered', "
            "0, 10, 1, '2026-11-01 12:00:00.000000', 'en', 'neutral', 1, 1, 0 FROM n"
        ),
        {"count": count, "subject": uuid.uuid4().hex},
    )
    db.session.commit()
    forget_deleted()


def memory(here: House) -> Iterator[Figure]:
    """The worker while it writes one alert's deliveries into a ledger of a million, and sends them."""
    with here.worker() as worker:
        time.sleep(3)
        first = here.first_text()
        largest, sent, began = 0, here.target.count(), time.perf_counter()
        while (took := time.perf_counter() - began) < SECONDS_OF_SENDING:
            largest = max(largest, worker.memory_info().rss)
            time.sleep(0.1)
            if here.target.count() - sent >= MANY - 1_000:
                break
        rate = (here.target.count() - sent) / took
    yield Figure(
        f"first text after approval, to {MANY:,} members",
        round(first, 2), "s", f"< {FIRST_BAR_S}", first < FIRST_BAR_S,
    )  # fmt: skip
    yield Figure(
        f"worker that sends with {LEDGER:,} deliveries in its ledger ({rate:.0f} texts/s)",
        round(largest / 1_000_000), "MB", f"≤ {MEMORY_BAR_MB}", largest / 1_000_000 <= MEMORY_BAR_MB,
    )  # fmt: skip


def figures() -> Iterator[Figure]:
    with house() as here:
        keys = Path(here.environment["UGLY_MUGS_KEYS_DIR"])
        people(FEW, keys)
        yield first_text(here)
        people(MANY - FEW, keys)
        past_deliveries(LEDGER - MANY)
        yield from memory(here)


if __name__ == "__main__":
    for figure in figures():
        print(figure)
