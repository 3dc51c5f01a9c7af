"""Two installations on each kind of database, in which the same happened with different words."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from tests.make.processes.stack import Stack, installed
from tests.thief.canaries import FIRST, TWIN, Canaries
from tests.thief.haul import Haul, Loot, take_loot, take_rows
from tests.thief.journey import Journey, Walked
from ugly_mugs.settings import from_environment

LONGEST = timedelta(minutes=10)


@dataclass
class Scene:
    """An installation after the journey, and what a thief found there.

    `haul` is the database at the worst moment: the worker has died while a code was on its way, and the web goes
    on handing things over.
    """

    stack: Stack
    canaries: Canaries
    walked: Walked
    engine: sa.Engine
    haul: Haul = field(repr=False)


@dataclass
class Looted(Scene):
    """Also everything else on the disk, with all processes running, and again after a clean stop."""

    running: Loot = field(repr=False)
    stopped: Loot = field(repr=False)


@contextmanager
def looted(kind: str, folder: Path, server: str) -> Iterator[Looted]:
    with _journey(kind, FIRST, folder, server) as journey:
        place, engine, walked = journey.stack.folder, journey.engine, journey.walk()
        running = take_loot(place, engine, since=walked.began)
        haul = _at_the_power_cut(journey)
        journey.power_is_back()
        journey.stack.stop()
        stopped = take_loot(place, engine, since=walked.began)
        yield Looted(journey.stack, FIRST, walked, engine, haul, running, stopped)


@contextmanager
def twin(kind: str, folder: Path, server: str) -> Iterator[Scene]:
    with _journey(kind, TWIN, folder, server) as journey:
        walked, haul = journey.walk(), _at_the_power_cut(journey)
        journey.stack.stop()
        yield Scene(journey.stack, TWIN, walked, journey.engine, haul)


@contextmanager
def _journey(kind: str, canaries: Canaries, folder: Path, server: str) -> Iterator[Journey]:
    """Everything runs, and nobody has done anything yet."""
    _let_no_day_end()
    with installed(kind, folder, postgresql_server=server) as stack:
        stack.start()
        stack.wait_ready()
        engine = sa.create_engine(_url(stack))
        yield Journey(stack, engine, canaries)
        engine.dispose()


def _at_the_power_cut(journey: Journey) -> Haul:
    journey.a_power_cut()
    with journey.engine.connect() as connection:
        return take_rows(connection)


def _url(stack: Stack) -> str:
    """As the service reads it, with the driver it uses."""
    return from_environment(
        {"UGLY_MUGS_DATABASE_URL": stack.databases.owner, "UGLY_MUGS_KEYS_DIR": str(stack.keys)}
    ).database_url


def _let_no_day_end() -> None:
    """Days are compared with the day of the journey: none may end between the installation and its last step."""
    now = datetime.now(UTC)
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    if midnight - now < LONGEST:
        time.sleep((midnight - now).total_seconds())
