"""What the features give to the ground (`Wiring`), and what one running application keeps in memory (`State`).

`ugly_mugs.app` builds the one `Wiring`; `ugly_mugs.runtime` holds it, beside one `State` for each application.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import RLock
from typing import Any, Literal, TypeVar, cast
from uuid import UUID

from click import Command
from flask import Blueprint

from ugly_mugs.jobs import Job

Kept = TypeVar("Kept")


@dataclass(frozen=True)
class NavigationEntry:
    """A link in the navigation of one area; each room of pages names its own.

    At the desk it is drawn for people with at least one of the permissions `any_of`; with none named, for all.
    `starts` says whether it may be the first page after signing in.
    """

    area: Literal["public", "member", "desk"]
    order: int
    label: Any  # a lazy translation
    endpoint: str
    any_of: frozenset[str] = frozenset()
    starts: bool = True


def nothing_to_do(owner_id: UUID, channel: Any, now: datetime) -> None:
    """Without members there is no consent to record."""


@dataclass(frozen=True)
class Wiring:
    """What the rooms register with the ground: pages, jobs, commands, kinds of message and output, and hooks.

    This module stands below all rooms, so a row or a spec of a room is `Any` here; the room that reads a field names
    its type: `MessageKindSpec` and `Handler` in `outbox.registry`, `Figure` in `audit.models`, `Step` in
    `operations.demo`, `ReportEnding` and `OutputEnding` in `reporting.record.endings`, `OutputKindSpec` in
    `reporting.record.output_kinds`.
    """

    blueprints: Sequence[Blueprint] = ()
    navigation: Sequence[NavigationEntry] = ()
    # By area (`accounts.guard.Area`): the page to which a visitor without a session is sent.
    sign_in_pages: Mapping[str, str] = field(default_factory=dict)
    commands: Sequence[Command] = ()
    jobs: Sequence[Job] = ()
    # A kind of message that is not named here has no gate and cannot be claimed.
    kinds: Sequence[Any] = ()
    # By `HandoverKind`: how the worker applies what the web handed over.
    handlers: Mapping[Any, Callable[[Any], None]] = field(default_factory=dict)
    # An address was opted out (STOP), or taken up again (START): owner, channel, moment.
    on_stop: Callable[[UUID, Any, datetime], None] = nothing_to_do
    on_start: Callable[[UUID, Any, datetime], None] = nothing_to_do
    # Called with the row, in the transaction in which a report, or something made from it, ends.
    report_endings: Sequence[Callable[[Any], None]] = ()
    output_endings: Sequence[Callable[[Any], None]] = ()
    # The kinds of output that are made from reports.
    output_kinds: Sequence[Any] = ()
    # Numbers of a day that a room can count; the audit log keeps them.
    figures: Sequence[Any] = ()
    # Called with a person's id, in the transaction in which their keys go: they left, or forgot their passphrase.
    key_forgettings: Sequence[Callable[[UUID], None]] = ()
    demo_steps: Sequence[Callable[[Any], None]] = ()


class State:
    """Caches, budgets and queues of one application in one process: one object of each class, made at its first use.

    All threads of the process share them, so each class guards its own contents. Nothing here outlives the process,
    and no other process sees it.
    """

    def __init__(self) -> None:
        # Reentrant: making one object may ask for another.
        self._lock = RLock()
        self._kept: dict[type, object] = {}

    def of(self, kind: type[Kept], make: Callable[[], Kept] | None = None) -> Kept:
        """The application's single object of this class, created on first use, by `make` where it needs arguments."""
        with self._lock:
            if kind not in self._kept:
                self._kept[kind] = (make or kind)()
            return cast(Kept, self._kept[kind])
