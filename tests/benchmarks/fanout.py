"""Fan-out to a million members on PostgreSQL: how long all deliveries take, and whether the time grows with them."""

import logging
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from alerts.delivery import fanout
from alerts.delivery.audience import Audience
from alerts.delivery.fanout import Sending
from alerts.membership.models import Level
from tests.benchmarks.figures import Figure
from tests.make.alerts import HERE
from tests.make.databases import count, make_tables, own_database, settings_for
from tests.make.installation import application
from tests.make.processes import postgresql
from ugly_mugs.accounts.models import EpochKind, KeyEpoch, MemberKind
from ugly_mugs.clock import SystemClock
from ugly_mugs.database.engine import db
from ugly_mugs.outbox.models import Channel, Delivery, FanOut, MessageKind
from ugly_mugs.outbox.registry import Priority
from ugly_mugs.settings import Settings

MEMBERS = 1_000_000
FEW = 100_000
SECONDS_BAR = 15.0
# As long for each of a million as for each of a hundred thousand, give or take what such a machine wavers by.
LINEAR_BAR = 1.5

# One statement each: a million members by services would take hours, and the rows are the same.
_PEOPLE = """
INSERT INTO members (id, state, kind, language, level, wake_for_danger, locator, epoch_id, applied_on)
SELECT gen_random_uuid(), 'active', 'individual', 'en', CASE WHEN n % 4 = 0 THEN 'full' ELSE 'neutral' END,
       n % 2 = 0, decode(md5(random()::text || n::text), 'hex'), :epoch, DATE '2026-11-21'
FROM generate_series(1, :members) AS n
"""
_OF_EACH = (
    "INSERT INTO member_regions (member_id, region) SELECT id, :region FROM members",
    "INSERT INTO member_sectors (member_id, sector) SELECT id, 'street' FROM members",
    "INSERT INTO subscriptions (member_id, channel, live) SELECT id, 'sms', true FROM members",
    "INSERT INTO addresses (id, owner_id, channel, state, tag, sealed) "
    "SELECT gen_random_uuid(), id, 'sms', 'proved', locator, locator FROM members",
)


def figures() -> Iterator[Figure]:
    with _server() as url, tempfile.TemporaryDirectory() as folder:
        settings = settings_for(url, Path(folder) / "keys")
        make_tables(url, Path(folder) / "none")
        with application(settings, SystemClock()):
            yield from _figures(settings)


def _figures(settings: Settings) -> Iterator[Figure]:
    _people(FEW)
    few = min(_run(settings, expected=FEW) for _time in range(3))
    _people(MEMBERS - FEW)
    many = _run(settings, expected=MEMBERS)
    growth = (many / MEMBERS) / (few / FEW)
    yield Figure("fan-out to 1,000,000", round(many, 2), "s", f"< {SECONDS_BAR:.0f} s", many < SECONDS_BAR)
    yield Figure(
        "fan-out, each of 1,000,000 against each of 100,000",
        round(growth, 2),
        "×",
        f"≤ {LINEAR_BAR}",
        growth <= LINEAR_BAR,
    )


def _run(settings: Settings, *, expected: int) -> float:
    """Seconds from the approval to the last delivery, by cursor and slices, each committed as the worker does it."""
    sending = Sending(
        kind=MessageKind.ALERT,
        subject_id=uuid.uuid4(),
        audience=Audience(frozenset(MemberKind), regions=frozenset({HERE})),
        channels=frozenset(Channel),
        priority=Priority.DANGER,
        danger=True,
        not_before=None,
        expires_at=None,
        segments={(Channel.SMS, "en", Level.FULL): 2, (Channel.SMS, "en", Level.NEUTRAL): 1},
        default_language="en",
    )
    now = SystemClock().now()
    began = time.monotonic()
    fanout.begin(sending, now=now, hours=settings.quiet_hours)
    db.session.commit()
    done = False
    while not done:
        cursor = db.session.scalars(sa.select(FanOut).where(FanOut.subject_id == sending.subject_id)).one()
        fanout.advance(cursor, sending, now=now, hours=settings.quiet_hours)
        done = cursor.done
        db.session.commit()
    seconds = time.monotonic() - began
    written = count(Delivery, Delivery.subject_id == sending.subject_id)
    assert written == expected, f"{written} deliveries of {expected}"
    return seconds


def _people(members: int) -> None:
    """So many more members, all in one region, with a proved phone."""
    if db.session.get(KeyEpoch, uuid.UUID(int=1)) is None:
        epoch = {"kind": EpochKind.VETTING, "number": 1, "created_on": SystemClock().now().date()}
        db.session.add(KeyEpoch(id=uuid.UUID(int=1), public_key=b"none", public_key_mac=b"none", **epoch))
        db.session.flush()
    for table in ("deliveries", "addresses", "subscriptions", "member_sectors", "member_regions"):
        db.session.execute(sa.text(f"DELETE FROM {table}"))
    # Only while they are invented: checking five million foreign keys would take longer than all that is measured.
    db.session.execute(sa.text("SET LOCAL session_replication_role = replica"))
    db.session.execute(sa.text(_PEOPLE), {"members": members, "epoch": uuid.UUID(int=1)})
    for statement in _OF_EACH:
        db.session.execute(sa.text(statement), {"region": HERE} if ":region" in statement else {})
    db.session.commit()
    # What a server does by itself soon after so many rows were written.
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM ANALYZE"))


@contextmanager
def _server() -> Iterator[str]:
    """A database of this measurement's own, on a server of its own."""
    logging.getLogger("ugly_mugs").setLevel(logging.ERROR)
    with postgresql.running() as server, own_database(server) as url:
        yield url


if __name__ == "__main__":
    for figure in figures():
        print(figure)
