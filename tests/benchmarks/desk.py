"""The desk with 10,000 open reports: a page of the list, one report opened, and a moderator admitted to 100,000."""

import logging
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask

from reporting.filing import desk_key
from reporting.filing.submission import Submission, seal
from reporting.record.models import IdentifierTag, Report, ReportPart
from tests.benchmarks.figures import Figure
from tests.make.cast import Colleague, Team
from tests.make.clock import MovableClock
from tests.make.databases import count, make_tables, settings_for
from tests.make.installation import application, install
from tests.make.reports import make_submission
from ugly_mugs.accounts.models import KeySeal, Role
from ugly_mugs.database.engine import db
from ugly_mugs.runtime import runtime

OPEN, ALL = 10_000, 100_000
PAGES, REPORTS = 200, 100
PAGE_BAR_MS, OPEN_BAR_MS = 50, 30

ACCOUNT = (
    "He rang from 07700 900456 and called himself Example. I am Marisol, and I told him to leave. My friend Anna saw "
    "him go. He came back at ten, shouted at the door and drove off in a grey car. "
) * 4
TYPES = ("threats", "robbery", "weapon", "time_waster", "stalking")


@dataclass
class Desk:
    app: Flask
    team: Team
    alice: Colleague
    reports: list[uuid.UUID]


@contextmanager
def desk() -> Iterator[Desk]:
    """An installation with open reports, each sealed like any other, and one moderator who is signed in."""
    logging.getLogger("ugly_mugs").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as name:
        folder, clock = Path(name), MovableClock()
        url = f"sqlite:///{folder / 'database.sqlite3'}"
        make_tables(url, folder / "none")
        settings = settings_for(url, folder / "keys")
        installation = install(settings, clock)
        with application(settings, clock) as app:
            team = Team(app, clock, installation)
            alice = team.hire("alice")
            yield Desk(app, team, alice, _file(OPEN))


def _file(count: int) -> list[uuid.UUID]:
    key = desk_key.cached(runtime().vault)
    sealed = [seal(_submission(number), key, vault=runtime().vault) for number in range(count)]
    db.session.execute(sa.insert(Report), [each.report for each in sealed])
    db.session.execute(sa.insert(ReportPart), [each.part for each in sealed])
    db.session.execute(sa.insert(IdentifierTag), [tag for each in sealed for tag in each.tags])
    db.session.commit()
    return [each.report["id"] for each in sealed]


def _submission(number: int) -> Submission:
    return make_submission(
        happened={
            "account": ACCOUNT,
            "types": [TYPES[number % len(TYPES)]],
            "still_going_on": "yes" if number % 50 == 0 else "no",
        },
        offenders=[{"phones": [f"07700 900{number % 1000:03}"]}],
        place={"place": "Leeds"},
    )


def _p95_ms(work: Callable[[int], Any], times: int) -> float:
    taken = []
    for number in range(times):
        begun = time.perf_counter()
        work(number)
        taken.append(time.perf_counter() - begun)
    return statistics.quantiles(taken, n=20)[-1] * 1000


def list_page(here: Desk) -> Figure:
    """The whole request: session, ranking, heads of the page with their audit entry, and the page itself."""

    def look(number: int) -> None:
        answer = here.alice.browser.get(f"/desk?page={number % (OPEN // 25) + 1}")
        assert answer.status_code == 200

    look(0)
    p95 = _p95_ms(look, PAGES)
    return Figure(
        "desk list, 10,000 open reports, p95 of a page",
        round(p95, 1),
        "ms",
        f"≤ {PAGE_BAR_MS}",
        p95 <= PAGE_BAR_MS,
    )


def open_one(here: Desk) -> Figure:
    """The whole request: session, audit entry, every part opened, its series, and the page itself."""

    def look(number: int) -> None:
        answer = here.alice.browser.get(f"/desk/reports/{here.reports[number * 7]}")
        assert answer.status_code == 200

    look(0)
    p95 = _p95_ms(look, REPORTS)
    return Figure("opening one report, p95", round(p95, 1), "ms", f"≤ {OPEN_BAR_MS}", p95 <= OPEN_BAR_MS)


def admit(here: Desk) -> Iterator[Figure]:
    """How many seals a newcomer to 100,000 reports costs; afterwards they open the oldest of them."""
    _fill_up()
    bob = here.team.enrol("bob", Role.MODERATOR)
    before = count(KeySeal)
    begun = time.perf_counter()
    here.team.admit(bob)
    taken = (time.perf_counter() - begun) * 1000
    sealed = count(KeySeal) - before
    assert bob.sign_in().status_code == 303
    reads = bob.browser.get(f"/desk/reports/{here.reports[0]}").status_code == 200
    yield Figure(
        f"admitting a moderator to 100,000 reports ({taken:.0f} ms)",
        sealed,
        "re-seals",
        "1",
        sealed == 1 and reads,
    )


def _fill_up() -> None:
    """Rows as large as real ones up to 100,000; nobody opens them here, so they are copies under other ids."""
    columns = [column.name for column in Report.__table__.columns if column.name not in ("id", "locator")]
    sample = (
        db.session.execute(sa.select(*(Report.__table__.c[name] for name in columns)).limit(1))
        .mappings()
        .one()
    )
    for _slice in range((ALL - OPEN) // OPEN):
        db.session.execute(
            sa.insert(Report),
            [{**sample, "id": uuid.uuid4(), "locator": uuid.uuid4().bytes} for _ in range(OPEN)],
        )
    db.session.commit()


def figures() -> Iterator[Figure]:
    with desk() as here:
        yield list_page(here)
        yield open_one(here)
        yield from admit(here)


if __name__ == "__main__":
    for figure in figures():
        print(figure)
