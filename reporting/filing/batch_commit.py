"""Reports that arrive at the same moment are committed together: one wait for the disk, and each is answered after it.

Every commit waits until the disk has it, and an embedded database lets one writer in at a time. So whoever gets the
turn writes for everybody who waits for it. Reports do not know of each other: each is whole or not there.
"""

from collections.abc import Callable, Sequence
from threading import Lock

from reporting.filing import desk_key, submission
from reporting.filing.desk_key import Key
from reporting.filing.submission import Filed, Sealed
from reporting.filing.write_lock import turn
from ugly_mugs.database.engine import db
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import ServiceVault


class Waiting:
    """One sealed report on its way, and what became of it."""

    def __init__(self, key: Key, seal: Callable[[Key], Sealed]) -> None:
        self.key = key
        self.seal = seal
        self.sealed = seal(key)
        self.filed: Filed | None = None
        self.error: Exception | None = None

    @property
    def settled(self) -> bool:
        return self.filed is not None or self.error is not None


class Together:
    """The queue of one application in one process."""

    def __init__(self) -> None:
        self._turn = Lock()
        self._door = Lock()
        self._queue: list[Waiting] = []

    def file(self, waiting: Waiting, vault: ServiceVault) -> Filed:
        """Returns when the report is on disk; raises what the database raised, and then none of it is."""
        with self._door:
            self._queue.append(waiting)
        with self._turn:
            # Unless whoever had the turn before has taken this one along.
            if not waiting.settled:
                with self._door:
                    batch, self._queue = self._queue, []
                self._write(batch, vault)
        if waiting.error is not None:
            raise waiting.error
        assert waiting.filed is not None
        return waiting.filed

    def _write(self, batch: Sequence[Waiting], vault: ServiceVault) -> None:
        try:
            # A session would only keep count of objects, and there are none: the rows go straight to the database.
            with turn(), db.engine.begin() as connection:
                key = desk_key.proved(batch[0].key, vault, connection)
                # Always in the same order, so that two processes with the same two reports cannot block each other.
                found = [
                    (each, submission.insert(each.sealed if each.key == key else each.seal(key), connection))
                    for each in sorted(batch, key=lambda each: bytes(each.sealed.report["locator"]))
                ]
        except Exception as error:
            for each in batch:
                each.error = error
        else:
            for each, filed in found:
                each.filed = filed


def file(key: Key, seal: Callable[[Key], Sealed], vault: ServiceVault) -> Filed:
    """File a report together with whatever else is being filed. `seal` may be asked again if the key just changed."""
    return runtime().state.of(Together).file(Waiting(key, seal), vault)
