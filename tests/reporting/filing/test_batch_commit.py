"""Reports that are committed together stay apart: each is filed under its own key and receipt, or not at all."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import sqlalchemy as sa
from flask import Flask

from reporting.filing import desk_key, submission
from reporting.filing.batch_commit import Together, Waiting
from reporting.filing.desk_key import Key
from reporting.filing.submission import Filed, Sealed
from reporting.filing.write_lock import turn
from reporting.record.consents import Consents
from reporting.record.models import Report, Source
from tests.make.reporter import count
from ugly_mugs.database.engine import db, is_sqlite
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import Receipt


def sealing(number: int) -> Callable[[Key], Sealed]:
    """What seals a small report with a receipt of its own."""
    vault, now = runtime().vault, runtime().clock.now()

    def seal(key: Key) -> Sealed:
        return submission.seal_report(
            vault=vault,
            epoch_id=key[0],
            epoch_public=key[1],
            receipt=Receipt((number,) * 7),
            source=Source.REPORTER,
            sections={"happened": {"account": f"Report {number}."}},
            consents=Consents(),
            now=now,
        )

    return seal


def file_all(app: Flask, together: Together, numbers: list[int]) -> list[Filed | Exception]:
    """File them in a thread each, all queued while somebody else has the turn."""
    vault = runtime().vault
    key = desk_key.at_hand(vault)
    # The test's own transaction must not stand in their way.
    db.session.remove()
    waiting = [Waiting(key, sealing(number)) for number in numbers]
    queued = [Event() for _ in waiting]

    def run(place: int) -> Filed | Exception:
        with app.app_context():
            queued[place].set()
            try:
                return together.file(waiting[place], vault)
            except sa.exc.DBAPIError as error:
                return error

    with ThreadPoolExecutor(len(numbers)) as threads:
        with together._turn:
            running = [threads.submit(run, place) for place in range(len(waiting))]
            for each in queued:
                each.wait(10)
        return [each.result() for each in running]


def test_all_are_filed_and_the_same_receipt_only_once(app: Flask) -> None:
    answers = file_all(app, Together(), [1, 2, 3, 2, 4, 1, 1])

    filed = [each for each in answers if isinstance(each, Filed)]
    assert len(filed) == 7
    assert sum(not each.already for each in filed) == count(Report) == 4
    assert filed[1].report_id == filed[3].report_id
    assert filed[0].report_id == filed[5].report_id == filed[6].report_id


def test_they_share_a_transaction(app: Flask) -> None:
    commits: list[object] = []

    def committed(connection: sa.Connection) -> None:
        commits.append(connection)

    sa.event.listen(db.engine, "commit", committed)
    file_all(app, Together(), list(range(1, 9)))
    sa.event.remove(db.engine, "commit", committed)

    assert count(Report) == 8
    assert len(commits) < 8


def test_when_the_database_fails_every_one_of_them_is_told_and_can_try_again(app: Flask) -> None:
    def lost(_connection: sa.Connection) -> None:
        raise sa.exc.OperationalError("COMMIT", {}, Exception("connection closed"))

    together = Together()
    sa.event.listen(db.engine, "commit", lost)
    answers = file_all(app, together, [1, 2, 3])
    sa.event.remove(db.engine, "commit", lost)

    assert all(isinstance(each, sa.exc.OperationalError) for each in answers)
    assert count(Report) == 0
    assert all(isinstance(each, Filed) and not each.already for each in file_all(app, together, [1, 2, 3]))


def test_only_one_has_the_turn_and_the_next_gets_it_when_the_block_ends(app: Flask) -> None:
    if not is_sqlite():
        with turn(), turn():
            return
    gone, order = Event(), list[str]()

    def second() -> None:
        with app.app_context(), turn():
            order.append("second")
            gone.set()

    with ThreadPoolExecutor(1) as threads:
        with turn():
            running = threads.submit(second)
            assert not gone.wait(0.3)
            order.append("first")
        running.result(10)

    assert order == ["first", "second"]


def test_one_alone_does_not_wait_for_others(app: Flask) -> None:
    vault = runtime().vault

    filed = Together().file(Waiting(desk_key.at_hand(vault), sealing(5)), vault)

    assert not filed.already
    assert count(Report) == 1
