"""Opens whatever can be opened with what somebody holds, and with every key that comes to light on the way."""

import base64
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import get_args
from uuid import UUID

from tests.thief.haul import Haul, id_of
from ugly_mugs.database.columns import Model
from ugly_mugs.vault import (
    CannotOpen,
    PrivateKey,
    Receipt,
    RecoveryWords,
    ServiceFile,
    ServiceVault,
    Where,
    WorkerFile,
    WorkerVault,
    content,
    symmetric,
)
from ugly_mugs.vault.keys.roots import Root, ServiceLabel, WorkerLabel

KEY, SEED = 32, 96
# Keys written down as text: hexadecimal or base64 of exactly their length.
_HEX = re.compile(rb"(?<![0-9A-Fa-f])(?:[0-9A-Fa-f]{64}|[0-9A-Fa-f]{192})(?![0-9A-Fa-f])")
_BASE64 = re.compile(rb"(?<![\w+/-])(?:[\w+/-]{43}=?|[\w+/-]{128})(?![\w+/=-])")
# In what is short and no text, a key may stand anywhere.
_SHORT = 1_024

Opener = Callable[[bytes, Where], bytes]


@dataclass(frozen=True)
class Holding:
    """What somebody has besides the database."""

    service: ServiceFile | None = None
    worker: WorkerFile | None = None
    passphrases: tuple[str, ...] = ()
    receipts: tuple[str, ...] = ()
    recovery_words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sealed:
    """One sealed value at its place."""

    value: bytes = field(repr=False)
    where: Where

    @property
    def column(self) -> str:
        return f"{self.where.table}.{self.where.column}"


def opened(haul: Haul, holding: Holding) -> dict[Sealed, bytes]:
    """Everything sealed that opens, with what is inside. Whatever is inside is tried as a key in its turn."""
    closed, found = set(sealed_values(haul)), dict[Sealed, bytes]()
    ring = _Ring(holding)
    ring.learn(_readable(haul))
    by = ring.openers()
    while True:
        by = [*by, *ring.fresh_openers()]
        now_open = {each: plain for each in closed if (plain := _try(by, each)) is not None}
        if not now_open:
            return found
        closed -= now_open.keys()
        found |= now_open
        ring.learn(now_open.values())
        by = []


def columns_of(found: Iterable[Sealed]) -> set[str]:
    return {each.column for each in found}


def rows_of(found: Iterable[Sealed], *columns: str) -> set[UUID]:
    """The ids of the rows in which these columns opened."""
    return {each.where.row for each in found if each.column in columns}


def sealed_values(haul: Haul) -> Iterator[Sealed]:
    for table, column, value, row in haul.values():
        declared = Model.metadata.tables[table].columns[column] if table in Model.metadata.tables else None
        if declared is not None and declared.info["holds"] == "sealed":
            yield Sealed(value, Where(table, column, id_of(row["id"])))


def _readable(haul: Haul) -> Iterator[bytes]:
    """What is not sealed: fingerprints, public keys, ids, words."""
    sealed = {each.value for each in sealed_values(haul)}
    for _table, _column, value, _row in haul.values():
        if isinstance(value, bytes) and value not in sealed:
            yield value
        elif isinstance(value, str | UUID):
            yield str(value).encode()


def _try(openers: Iterable[Opener], sealed: Sealed) -> bytes | None:
    """What is inside, by whichever comes first that can; None when none can."""
    for opener in openers:
        try:
            return opener(sealed.value, sealed.where)
        except CannotOpen:
            continue
    return None


class _Ring:
    """Every key that is known, and every opener of the vault that takes one."""

    def __init__(self, holding: Holding) -> None:
        self._holding = holding
        self._known: set[bytes] = set()
        self._fresh: set[bytes] = set()
        self._vault: ServiceVault | None = None
        self._roots: list[tuple[Root, tuple[str, ...]]] = []
        if holding.service is not None:
            self._vault = ServiceVault(holding.service)
            self._roots.append((Root("service", holding.service.ring), get_args(ServiceLabel)))
        if holding.service is not None and holding.worker is not None:
            self._vault = WorkerVault(holding.service, holding.worker)
            self._roots.append((Root("worker", holding.worker.ring), get_args(WorkerLabel)))
            self.learn([holding.worker.dispatch_seed])
        self.learn(RecoveryWords.from_words(words).seed for words in holding.recovery_words)
        for root, labels in self._roots:
            self.learn(root.subkey(label, *more) for label in labels for more in ((), ("keyed",)))
        for file in (holding.service, holding.worker):
            self.learn(file.ring.values() if file is not None else ())

    def learn(self, plains: Iterable[bytes]) -> None:
        """Take in every key that stands in one of these."""
        self._fresh |= {key for plain in plains for key in keys_in(plain)} - self._known

    def openers(self) -> list[Opener]:
        """Those that need no more than what was held from the beginning."""
        vault = self._vault
        found: list[Opener] = [partial(root.open, label) for root, labels in self._roots for label in labels]
        if vault is not None:
            found.append(vault.open_rest)
            found += [partial(vault.staff_seals.open_seed, each) for each in self._holding.passphrases]
            for receipt in map(Receipt.parse, self._holding.receipts):
                found.append(partial(content.unwrap_with_receipt, vault.receipts, receipt))
                found.append(partial(symmetric.open_sealed, vault.receipts.wrap_key(receipt)))
        if isinstance(vault, WorkerVault):
            found += [vault.open_contact, vault.open_dispatch]
        return found

    def fresh_openers(self) -> list[Opener]:
        """Those that take a key, with every key learned since they were asked for last."""
        found: list[Opener] = []
        for key in self._fresh:
            if len(key) == SEED:
                private = PrivateKey(key)
                found += [private.open, partial(_seed_of_epoch, private)]
            else:
                found.append(partial(symmetric.open_sealed, key))
                if self._vault is not None:
                    found.append(partial(symmetric.open_sealed, self._vault.session_key(key)))
        self._known |= self._fresh
        self._fresh = set()
        return found


def _seed_of_epoch(holder: PrivateKey, value: bytes, where: Where) -> bytes:
    return PrivateKey(holder.open(value, where)).seed


def keys_in(plain: bytes) -> Iterator[bytes]:
    """Everything in it that has the length of a key or of a seed."""
    if len(plain) in (KEY, SEED):
        yield plain
    for match in _HEX.finditer(plain):
        yield bytes.fromhex(match[0].decode())
    for match in _BASE64.finditer(plain):
        raw = base64.urlsafe_b64decode(match[0].translate(bytes.maketrans(b"+/", b"-_")).rstrip(b"=") + b"==")
        if len(raw) in (KEY, SEED):
            yield raw
    if KEY < len(plain) <= _SHORT and not _is_text(plain):
        for length in (KEY, SEED):
            yield from (plain[start : start + length] for start in range(len(plain) - length + 1))


def _is_text(plain: bytes) -> bool:
    """Whether people or programs read it as text; sealed JSON begins with a version byte."""
    try:
        return plain.removeprefix(b"\1").decode().replace("\n", "").isprintable()
    except UnicodeDecodeError:
        return False
