"""The service that files a submission, for every door. Those that arrive together are committed in one transaction.

A commit waits for the disk, and SQLite allows one writer at a time. So the thread that may write does so for every
thread that waits: one wait for all. Each report is stored whole or not at all, and answered after the commit.
"""

from collections.abc import Sequence
from threading import Lock

from sqlalchemy.exc import DataError, IntegrityError

from reporting.filing import desk_key
from reporting.filing.desk_key import DeskKey
from reporting.filing.submission import Filed, SealedSubmission, Submission, insert, seal
from reporting.filing.write_lock import write_lock
from ugly_mugs.database.engine import db, writing
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import ServiceVault


class PendingSubmission:
    """A submission that waits for its commit: sealed before it is queued, then filed or failed."""

    def __init__(self, submission: Submission, key: DeskKey, vault: ServiceVault) -> None:
        self.submission = submission
        self.key = key
        self.sealed = seal(submission, key, vault=vault)
        self.filed: Filed | None = None
        self.error: Exception | None = None

    @property
    def done(self) -> bool:
        return self.filed is not None or self.error is not None

    def sealed_to(self, key: DeskKey, vault: ServiceVault) -> SealedSubmission:
        """Sealed once more only when the desk's key changed after it was sealed."""
        return self.sealed if self.key == key else seal(self.submission, key, vault=vault)


class BatchCommit:
    """The queue of one application in one process."""

    def __init__(self) -> None:
        self._commit_lock = Lock()
        self._queue_lock = Lock()
        self._queue: list[PendingSubmission] = []

    def file(self, pending: PendingSubmission, vault: ServiceVault) -> Filed:
        """Returns once the report is on disk. Raises the database's error, and then nothing of it was stored."""
        with self._queue_lock:
            self._queue.append(pending)
        with self._commit_lock:
            # The previous lock holder may have committed this report in its batch.
            if not pending.done:
                with self._queue_lock:
                    batch, self._queue = self._queue, []
                self._commit(batch, vault)
        if pending.error is not None:
            raise pending.error
        assert pending.filed is not None
        return pending.filed

    def _commit(self, batch: Sequence[PendingSubmission], vault: ServiceVault) -> None:
        try:
            # Not through the session: there are no objects to keep track of, and plain rows are faster.
            with write_lock(), db.engine.begin() as connection:
                key = desk_key.current(batch[0].key, vault, connection)
                # Sorted, so that two processes that file the same two reports cannot deadlock.
                results = [
                    (pending, insert(pending.sealed_to(key, vault), connection))
                    for pending in sorted(batch, key=lambda pending: bytes(pending.sealed.report["locator"]))
                ]
        except Exception as error:
            if len(batch) > 1 and isinstance(error, IntegrityError | DataError):
                # One of them is the cause, such as a call whose writer is gone; the others can be stored.
                for pending in batch:
                    self._commit([pending], vault)
                return
            for pending in batch:
                pending.error = error
        else:
            for pending, filed in results:
                pending.filed = filed


def file(submission: Submission, *, vault: ServiceVault) -> Filed:
    """File a submission in a transaction of its own, with its audit entry if it has one, and commit it.

    Ends the session's transaction without committing it: on SQLite an open one would block this one. Raises TooLong
    before anything is written.
    """
    queue = runtime().process_state.of(BatchCommit)
    with writing():
        return queue.file(PendingSubmission(submission, desk_key.cached(vault), vault), vault)
