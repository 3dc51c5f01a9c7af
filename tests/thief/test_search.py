"""(a) No word of anybody lies in clear in anything a thief can carry away."""

import gzip
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.thief.haul import Loot, take_loot
from tests.thief.scenes import Looted, Scene
from tests.thief.search import search
from ugly_mugs.vault import Receipt


def sought(scene: Scene) -> list[str]:
    """Everything typed, shown once or sent, and how somebody may have written it down instead.

    A text with a made-up word in it cannot lie anywhere without that word, so the word is looked for.
    """
    walked, canaries = scene.walked, scene.canaries
    texts = [each for each in canaries.texts if not any(mark in each for mark in canaries.marks)]
    national = [each.replace(" ", "")[-10:] for each in canaries.phones]
    unspaced = [each.replace(" ", "") for each in texts if any(sign.isdigit() for sign in each)]
    digits = [Receipt.parse(each).digits for each in (walked.receipt, *walked.other_receipts)]
    unspaced += [each.replace(" ", "") for each in digits]
    codes = [*walked.codes, *walked.unused_codes]
    return [*texts, *canaries.marks, *national, *digits, *unspaced, *walked.phrases(), *codes]


def test_every_text_of_the_journey_is_looked_for(scene: Scene) -> None:
    words, typed = sought(scene), scene.canaries.texts

    assert all(any(word in text or word == text.replace(" ", "") for word in words) for text in typed)
    assert all(mark in " ".join(typed) for mark in scene.canaries.marks)
    assert len(scene.walked.sent) == 3
    assert len(scene.walked.codes) == 3
    assert len(scene.walked.unused_codes) == 1


@pytest.mark.parametrize("moment", ["running", "stopped"])
def test_no_word_lies_in_clear_anywhere(scene: Looted, moment: str) -> None:
    loot: Loot = getattr(scene, moment)

    assert {"dump", "database", "log", "heads"} <= {kind_of(place) for place in loot}
    assert search(loot, sought(scene)) == []


def test_the_write_ahead_log_was_there_to_be_searched(scene: Looted) -> None:
    assert "write-ahead log" in {kind_of(place) for place in scene.running}


def test_a_string_planted_in_clear_is_found_wherever_it_lies(scene: Scene, tmp_path: Path) -> None:
    began, planted = datetime.now(UTC), scene.canaries.reporter_name
    with copy_of(scene, tmp_path) as engine:
        plant(engine, planted)
        (tmp_path / "log").mkdir()
        (tmp_path / "log" / "web.log").write_bytes(b"\xff\xfe" + f"said {planted}".encode("utf-16-le"))
        (tmp_path / "tmp").mkdir()
        (tmp_path / "tmp" / "upload").write_bytes(b"..." + gzip.compress(f"a {planted.lower()} b".encode()))
        # Of all that is looked for, this alone: the rest would only take time.
        found = search(take_loot(tmp_path, engine, since=began), {planted} & set(sought(scene)))

    places = {"dump", "database", "write-ahead log", "log", "temporary"}
    assert {kind_of(each.partition(":")[0]) for each in found} == places
    assert {each.rpartition(": ")[2] for each in found} == {planted}


def plant(engine: sa.Engine, text: str) -> None:
    """Into a real column, once so that it stands in the database itself, and once so that its log holds it."""
    update = sa.text("UPDATE deliveries SET provider_id = :text WHERE channel = :channel")
    for channel in ("email", "sms"):
        with engine.begin() as connection:
            assert connection.execute(update.bindparams(text=text, channel=channel)).rowcount
        if engine.dialect.name == "sqlite" and channel == "email":
            with engine.connect() as connection:
                connection.execute(sa.text("PRAGMA wal_checkpoint(TRUNCATE)"))


@contextmanager
def copy_of(scene: Scene, folder: Path) -> Iterator[sa.Engine]:
    """The same database once more, to be spoiled."""
    if scene.stack.kind == "sqlite":
        copy = folder / "database.sqlite3"
        shutil.copy(str(scene.engine.url.database), copy)
        engine = sa.create_engine(f"sqlite:///{copy}")
        yield engine
        engine.dispose()
        return
    server = sa.create_engine(scene.engine.url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    name = f"copy_{uuid.uuid4().hex}"
    scene.engine.dispose()
    with server.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE {scene.engine.url.database}"))
    engine = sa.create_engine(scene.engine.url.set(database=name))
    yield engine
    engine.dispose()
    with server.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    server.dispose()


def kind_of(place: str) -> str:
    for sign, kind in KINDS.items():
        if sign in place:
            return kind
    return "database"


KINDS = {
    "dump": "dump",
    "/log/": "log",
    "/tmp/upload": "temporary",
    "audit-heads": "heads",
    "pg_wal": "write-ahead log",
    "-wal": "write-ahead log",
    "-shm": "write-ahead log",
}
