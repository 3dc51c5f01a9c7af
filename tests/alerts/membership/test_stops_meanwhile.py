"""A STOP that arrives while its owner types or requests a code: the opt-out stays, and nothing deadlocks."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from flask import Flask

from alerts.membership.sign_in import services
from alerts.membership.sign_in.services import locked_member
from tests.make.members import PHONE, Members, Person
from ugly_mugs.database.engine import db, is_sqlite
from ugly_mugs.outbox import optouts
from ugly_mugs.outbox.models import Address, AddressState
from ugly_mugs.outbox.registry import registry

# Seconds; only a deadlock takes this long.
LONG = 30

_WAIT_FOR_A_LOCK = sa.text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


@contextmanager
def meanwhile(app: Flask, action: Callable[[], object]) -> Iterator["Future[None]"]:
    """Run the action in a transaction of its own, in another thread."""

    def run() -> None:
        with app.app_context():
            try:
                action()
                db.session.commit()
            finally:
                db.session.remove()

    with ThreadPoolExecutor(1) as thread:
        yield thread.submit(run)


def until_it_waits(running: "Future[None]") -> None:
    """Wait until the other thread waits for a lock of ours. On SQLite it waits before its first statement."""
    until = time.monotonic() + LONG
    while not is_sqlite() and time.monotonic() < until and not running.done():
        with db.engine.connect() as connection:
            if connection.scalar(_WAIT_FOR_A_LOCK):
                return
        time.sleep(0.02)


def address_of(members: Members) -> Address:
    address = members.address(PHONE)
    db.session.refresh(address)
    return address


def stop(members: Members, address: Address) -> None:
    optouts.opt_out(
        registry=registry(), owner_id=address.owner_id, channel=address.channel, now=members.clock.now()
    )


@pytest.fixture
def sam(members: Members) -> Person:
    """An applicant with an unproved phone number."""
    return members.apply()


def test_a_stop_that_comes_while_the_code_is_typed_stays(members: Members, sam: Person) -> None:
    address = address_of(members)
    address_id = address.id
    stop(members, address)
    db.session.flush()

    with meanwhile(members.app, lambda: services.sign_in(address_id=address_id)) as typing:
        until_it_waits(typing)
        db.session.commit()
        typing.result(LONG)

    assert address_of(members).state is AddressState.OPTED_OUT


def test_a_stop_is_taken_in_while_somebody_holds_the_member(members: Members, sam: Person) -> None:
    """The page locks the member, then the address; the worker locks the address, then adds a consent record."""
    address = address_of(members)
    address_id, owner_id = address.id, address.owner_id
    db.session.rollback()
    holds, stopped = threading.Event(), threading.Event()

    def sign_in() -> None:
        locked_member(owner_id)
        holds.set()
        # SQLite has one writer, so there the STOP is written after this transaction.
        stopped.wait(0 if is_sqlite() else 2)
        services.sign_in(address_id=address_id)

    with meanwhile(members.app, sign_in) as typing:
        assert holds.wait(LONG)
        stop(members, address_of(members))
        db.session.commit()
        stopped.set()
        typing.result(LONG)

    assert address_of(members).state is AddressState.OPTED_OUT


def test_a_stop_that_comes_while_a_code_is_wanted_for_an_address_that_failed_stays(
    members: Members, sam: Person
) -> None:
    address_of(members).state = AddressState.INVALID
    db.session.commit()
    sam.ask_for_code()
    members.clock.forward(seconds=1)
    stop(members, address_of(members))
    db.session.flush()

    with ThreadPoolExecutor(1) as thread:
        working = thread.submit(_work, members)
        until_it_waits(working)
        db.session.commit()
        working.result(LONG)

    assert address_of(members).state is AddressState.OPTED_OUT


def _work(members: Members) -> None:
    with members.app.app_context():
        members.work()
