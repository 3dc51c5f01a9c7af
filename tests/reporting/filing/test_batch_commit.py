"""Reports that are committed together stay apart: each is filed under its own key and receipt, or not at all."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import sqlalchemy as sa
from flask import Flask

from reporting.filing import desk_key
from reporting.filing.batch_commit import BatchCommit, PendingSubmission
from reporting.filing.submission import Filed
from reporting.record.models import Report
from tests.make.databases import count
from tests.make.reports import make_submission
from tests.make.threads import failing_commits
from ugly_mugs.database.engine import db
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import Receipt


def pending(number: int) -> PendingSubmission:
    """A small report with the receipt of this number."""
    vault = runtime().vault
    receipt, told = Receipt((number,) * 7), {"account": f"Report {number}."}
    return PendingSubmission(make_submission(receipt=receipt, happened=told), desk_key.cached(vault), vault)


def file_all(app: Flask, batches: BatchCommit, numbers: list[int]) -> list[Filed | Exception]:
    """File them in a thread each; all are in the queue before the first may commit."""
    vault = runtime().vault
    # The test's own transaction would block theirs.
    db.session.remove()
    waiting = [pending(number) for number in numbers]

    def run(one: PendingSubmission) -> Filed | Exception:
        with app.app_context():
            try:
                return batches.file(one, vault)
            except sa.exc.DBAPIError as error:
                return error

    with ThreadPoolExecutor(len(numbers)) as threads:
        with batches._commit_lock:
            running = [threads.submit(run, one) for one in waiting]
            while len(batches._queue) < len(waiting) and not any(future.done() for future in running):
                time.sleep(0.01)
        return [future.result() for future in running]


def test_all_are_filed_and_the_same_receipt_only_once(app: Flask) -> None:
    answers = file_all(app, BatchCommit(), [1, 2, 3, 2, 4, 1, 1])

    filed = [answer for answer in answers if isinstance(answer, Filed)]
    assert len(filed) == 7
    assert sum(not one.was_filed_before for one in filed) == count(Report) == 4
    assert filed[1].report_id == filed[3].report_id
    assert filed[0].report_id == filed[5].report_id == filed[6].report_id


def test_they_share_a_transaction(app: Flask) -> None:
    commits: list[object] = []

    def committed(connection: sa.Connection) -> None:
        commits.append(connection)

    sa.event.listen(db.engine, "commit", committed)
    file_all(app, BatchCommit(), list(range(1, 9)))
    sa.event.remove(db.engine, "commit", committed)

    assert count(Report) == 8
    assert len(commits) == 1


def test_when_the_database_fails_every_one_of_them_is_told_and_can_try_again(app: Flask) -> None:
    batches = BatchCommit()
    with failing_commits():
        answers = file_all(app, batches, [1, 2, 3])

    assert all(isinstance(answer, sa.exc.OperationalError) for answer in answers)
    assert count(Report) == 0
    again = file_all(app, batches, [1, 2, 3])
    assert all(isinstance(answer, Filed) and not answer.was_filed_before for answer in again)


def test_one_that_the_database_refuses_keeps_no_other_from_being_filed(app: Flask) -> None:
    # The column is NOT NULL, so the row of the second breaks a rule of the database.
    waiting = [pending(number) for number in (1, 2, 3)]
    waiting[1].sealed = replace(waiting[1].sealed, part={**waiting[1].sealed.part, "sections": None})
    db.session.remove()

    BatchCommit()._commit(waiting, runtime().vault)

    assert [type(one.error) for one in waiting] == [type(None), sa.exc.IntegrityError, type(None)]
    assert [one.filed is None for one in waiting] == [False, True, False]
    assert count(Report) == 2


def test_one_alone_does_not_wait_for_others(app: Flask) -> None:
    filed = BatchCommit().file(pending(5), runtime().vault)

    assert not filed.was_filed_before
    assert count(Report) == 1
