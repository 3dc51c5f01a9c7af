"""Tries every telephone number and every code there is against everything stored, with every key a thief has."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, get_args
from uuid import UUID

from tests.thief.haul import Haul, id_of
from ugly_mugs.outbox.models import Channel
from ugly_mugs.text.identifiers import IdentifierKind
from ugly_mugs.vault import IdentifierTags, ServiceFile, ServiceVault
from ugly_mugs.vault.encoding import joined
from ugly_mugs.vault.keys.roots import Root, ServiceLabel

# The numbers set aside for drama, among which every number of the journey is, and every code there can be.
NUMBERS = tuple(f"+447700900{last:03d}" for last in range(1_000))
CODES = tuple(f"{code:06d}".encode() for code in range(10**6))

HASHES = ("md5", "sha1", "sha256", "sha512", "blake2b", "blake2s", "sha3_256")
# What comes first among the parts of a keyed fingerprint says what it is for; "" stands for none.
USES = (
    "", "login", "invitation", "sign-in", "device", "form", "id", "secret", "path", "address", "delivery", "entry",
    "approval", "message-id", "application", "public key", "draft",
)  # fmt: skip
# A fingerprint may have been cut short, but not to less than this: shorter ones are equal by chance.
PREFIX = 8
# Of SHA-256, in bytes.
BLOCK = 64
Match = tuple[str, str]
"""The column in which a guess was found to stand, and the guess."""


@dataclass(frozen=True)
class Guesses:
    """What is tried. `right` are codes that were really drawn: with keys by the hundred only those are tried, since
    no wrong one could match."""

    right: tuple[str, ...]
    numbers: tuple[str, ...] = NUMBERS
    codes: tuple[bytes, ...] = CODES


class Stored:
    """Everything in the database that could be a fingerprint, by its first bytes."""

    def __init__(self, haul: Haul) -> None:
        self._columns: dict[bytes, set[str]] = {}
        self.values: set[bytes] = set()
        codes = haul.rows["sign_in_codes"]
        # Of the codes somebody asked for, those that reached an address somebody has.
        self.code_rows = [id_of(row["id"]) for row in codes if row["address_id"] is not None]
        for table, column, value, _row in haul.values():
            for raw in _raw(value):
                self.values.add(raw)
                self._columns.setdefault(raw[:PREFIX], set()).add(f"{table}.{column}")

    def matches(self, tried: Iterable[tuple[bytes, str]]) -> set[Match]:
        columns = self._columns
        return {
            (column, guess)
            for digest, guess in tried
            if digest[:PREFIX] in columns
            for column in columns[digest[:PREFIX]]
        }


def with_the_database(stored: Stored, guesses: Guesses) -> set[Match]:
    """Without any key: hashes, plain and with whatever stands in the database as their key."""
    numbers = guesses.numbers
    return (
        stored.matches(_hashed((text, number) for number in numbers for text in _writings(number)))
        | stored.matches(_hashed((code.encode(), code) for code in guesses.right))
        | stored.matches(_hashed_codes(guesses.codes))
        | stored.matches(
            _keyed(stored.values, [(text, number) for number in numbers for text in _short(number)])
        )
        | stored.matches(_keyed(stored.values, [(code.encode(), code) for code in guesses.right]))
    )


def with_the_service_file(stored: Stored, file: ServiceFile, guesses: Guesses) -> set[Match]:
    """With the service root: every label, every use of it that the code knows, the tags of reports, codes."""
    vault, root, numbers = ServiceVault(file), Root("service", file.ring), guesses.numbers
    keys = set(file.ring.values())
    for label in get_args(ServiceLabel):
        keys |= {root.subkey(label), root.subkey(label, "keyed")}
    return (
        stored.matches(_keyed(keys, [(text, number) for number in numbers for text in _writings(number)]))
        | stored.matches(_labelled(vault, [(text, number) for number in numbers for text in _short(number)]))
        | stored.matches(_labelled(vault, [(code.encode(), code) for code in guesses.right]))
        | stored.matches(_tags(vault.tags, numbers))
        | stored.matches(_codes_without_a_secret(root, stored.code_rows, guesses.codes))
        | stored.matches(_codes_with_any_secret(vault, stored, guesses.right))
    )


def _raw(value: Any) -> Iterator[bytes]:
    if isinstance(value, bytes):
        yield value
    elif isinstance(value, UUID):
        yield value.bytes
    elif isinstance(value, str):
        yield value.encode()
        try:
            yield bytes.fromhex(value)
        except ValueError:
            pass


def _short(number: str) -> list[bytes]:
    """As everything here keeps it, alone and as one part of several."""
    return [number.encode(), joined(Channel.SMS.encode(), number.encode())]


def _writings(number: str) -> list[bytes]:
    """Every usual way to write it, alone and behind the kinds that the code puts first."""
    national = f"0{number[3:]}"
    plain = [number, national, number[1:], f"00{number[1:]}", number[3:], f"{national[:5]} {national[5:]}"]
    kinds = (IdentifierKind.PHONE, Channel.SMS)
    return [
        *(each.encode() for each in plain),
        *(f"{kind}{sign}{number}".encode() for kind in kinds for sign in ("", "\0", ":")),
        *(joined(kind.encode(), number.encode()) for kind in kinds),
        joined(number.encode()),
    ]


def _hashed(guesses: Iterable[tuple[bytes, str]]) -> Iterator[tuple[bytes, str]]:
    makers = [partial(hashlib.new, name, usedforsecurity=False) for name in HASHES]
    for text, guess in guesses:
        for make in makers:
            yield make(text).digest(), guess


def _hashed_codes(codes: Iterable[bytes]) -> Iterator[tuple[bytes, str]]:
    for make in (hashlib.md5, hashlib.sha1, hashlib.sha256):
        for code in codes:
            yield make(code).digest(), code.decode()


def _keyed(keys: Iterable[bytes], guesses: list[tuple[bytes, str]]) -> Iterator[tuple[bytes, str]]:
    for key in keys:
        keyed = fingerprint(key)
        for text, guess in guesses:
            yield keyed(text), guess


def fingerprint(key: bytes, before: bytes = b"") -> Callable[[bytes], bytes]:
    """HMAC-SHA256 of `before` and a text (RFC 2104), for millions of texts: `hmac.digest` takes 2.5 times as long."""
    sha256 = hashlib.sha256
    block = (key if len(key) <= BLOCK else sha256(key).digest()).ljust(BLOCK, b"\0")
    inner, outer = (bytes(sign ^ pad for sign in block) for pad in (0x36, 0x5C))
    start = inner + before
    return lambda text: sha256(outer + sha256(start + text).digest()).digest()


def _labelled(vault: ServiceVault, guesses: list[tuple[bytes, str]]) -> Iterator[tuple[bytes, str]]:
    for label in get_args(ServiceLabel):
        for use in USES:
            before = [use.encode()] if use else []
            for text, guess in guesses:
                yield vault.keyed(label, *before, text), guess


def _tags(tags: IdentifierTags, numbers: Iterable[str]) -> Iterator[tuple[bytes, str]]:
    for number in numbers:
        point = tags.secret_point(IdentifierKind.PHONE, number)
        yield from ((tag, number) for tag in (point, tags.series_tag(point), tags.checker_tag(point)))


def _codes_without_a_secret(
    root: Root, rows: Iterable[UUID], codes: Iterable[bytes]
) -> Iterator[tuple[bytes, str]]:
    """As `code_mac` makes it, but for the secret that only the session of the browser holds."""
    key = root.subkey("code", "keyed")
    for row in rows:
        keyed = fingerprint(key, joined(b"sign-in", row.bytes, b"") + (6).to_bytes(4, "big"))
        for code in codes:
            yield keyed(code), code.decode()


def _codes_with_any_secret(
    vault: ServiceVault, stored: Stored, right: tuple[str, ...]
) -> Iterator[tuple[bytes, str]]:
    for row in stored.code_rows:
        for secret in stored.values:
            yield from ((vault.code_mac(row, secret, code), code) for code in right)
