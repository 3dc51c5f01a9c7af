"""Members and people who want to be: they type into the pages, and a worker of the test's own does the rest."""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from alerts.membership.models import Member, MemberState
from alerts.membership.sign_in.services import locked_member
from alerts.membership.vetting import services
from tests.make.clock import MovableClock
from tests.make.pages import hidden
from ugly_mugs.app import create_app
from ugly_mugs.database.engine import db
from ugly_mugs.outbox import optouts
from ugly_mugs.outbox.inbound import handovers
from ugly_mugs.outbox.models import Address, Channel, Delivery, DeliveryState, MessageKind
from ugly_mugs.outbox.registry import registry
from ugly_mugs.outbox.worker import the_worker
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import Where, WorkerVault

PHONE = "07700 900123"
EMAIL = "sam@example.org"
ADMIN_ID = uuid.UUID(int=7)


@dataclass
class Person:
    """Somebody with a browser, a phone and an inbox, who has asked to join."""

    members: "Members"
    name: str
    phone: str | None
    email: str | None
    browser: FlaskClient = field(repr=False)

    @property
    def address(self) -> str:
        return self.phone or self.email or ""

    def ask_for_code(self, address: str | None = None) -> TestResponse:
        token = hidden(self.browser.get("/sign-in"), "token")
        return self.browser.post("/sign-in", data={"token": token, "address": address or self.address})

    def type_code(self, code: str) -> TestResponse:
        page = self.browser.get("/sign-in/code")
        return self.browser.post("/sign-in/code", data={"csrf": hidden(page, "csrf"), "code": code})

    def sign_in(self, address: str | None = None) -> TestResponse:
        """Ask for a code, read it where it arrives, and type it."""
        return self.type_code(self.receive_code(address))

    def receive_code(self, address: str | None = None) -> str:
        """Ask for a code; gives the one that the worker made."""
        assert self.ask_for_code(address).status_code == 303
        self.members.work()
        return self.members.last_code()

    def post(
        self, path: str, data: Mapping[str, object] | None = None, page: str = "/alerts/end"
    ) -> TestResponse:
        """Post a form as a page of this session would."""
        csrf = hidden(self.browser.get(page), "csrf")
        return self.browser.post(path, data={"csrf": csrf, **(data or {})})

    def add_address(self, address: str) -> TestResponse:
        """From inside: give another address and type the code that comes to it."""
        assert self.post("/alerts/addresses", {"address": address}).status_code == 303
        self.members.work()
        return self.post("/alerts/addresses/code", {"code": self.members.last_code()})

    @property
    def member(self) -> Member:
        """The row as it stands, in a transaction that the caller ends."""
        owner_id = self.members.address(self.address).owner_id
        return db.session.get_one(Member, owner_id, populate_existing=True)


@dataclass
class Members:
    """Everybody who joins in one test, and the worker that serves them: an application of its own, as in life."""

    app: Flask
    clock: MovableClock
    worker: Flask
    vault: WorkerVault

    def person(self, name: str = "Sam", phone: str | None = PHONE, email: str | None = None) -> Person:
        """Somebody with a browser of their own, who has not asked for anything yet."""
        return Person(self, name, phone, email, self.app.test_client())

    def apply(
        self, name: str = "Sam", phone: str | None = PHONE, email: str | None = None, **typed: Any
    ) -> Person:
        """Somebody whose application has arrived; `typed` is what the form says beside the usual."""
        person = self.person(name, phone, email)
        response = person.browser.post("/join", data=self.form(person, **typed))
        assert response.status_code == 303, response.text
        self.work()
        return person

    def form(self, person: Person, **typed: Any) -> dict[str, Any]:
        """A filled-in form of the page as this person sees it, with a token of its own."""
        token = hidden(person.browser.get("/join"), "token")
        usual: dict[str, Any] = {
            "token": token,
            "working_name": person.name,
            "kind": "individual",
            "regions": ["yorkshire-humber"],
            "level": "neutral",
            "wake": "yes",
            "adult": "yes",
        }
        if person.phone:
            usual |= {"phone": person.phone, "sms": "yes"}
        if person.email:
            usual |= {"email": person.email, "mail": "yes"}
        return {name: value for name, value in {**usual, **typed}.items() if value is not None}

    def join(
        self, name: str = "Sam", phone: str | None = PHONE, email: str | None = None, **typed: Any
    ) -> Person:
        """An active member: applied, accepted, and signed in with the first of their addresses."""
        person = self.apply(name, phone, email, **typed)
        self.accept(person)
        assert person.sign_in().status_code == 303
        assert person.member.state is MemberState.ACTIVE
        db.session.rollback()
        return person

    def accept(self, person: Person) -> None:
        member = locked_member(person.member.id)
        assert member is not None
        services.accept(member=member, by_id=ADMIN_ID, now=self.clock.now())
        db.session.commit()

    def work(self) -> None:
        """A second later: what the worker does with everything that waits."""
        self.clock.forward(seconds=1)
        with self.worker.app_context():
            handovers.apply_waiting(vault=self.vault, handlers=the_worker().handlers, now=self.clock.now())
            db.session.remove()
        db.session.rollback()

    def text(self, person: Person, stops: bool) -> None:
        """STOP or START from this person's phone, as the worker takes it once the signature was right."""
        address = self.address(person.address)
        if stops:
            optouts.opt_out(
                registry=registry(), owner_id=address.owner_id, channel=address.channel, now=self.clock.now()
            )
        else:
            optouts.start_again(registry=registry(), address=address, now=self.clock.now())
        db.session.commit()

    def one_click(self, person: Person) -> None:
        """The opt-out link of an e-mail, as the page behind it does it."""
        optouts.close(registry=registry(), address=self.address(person.email or ""), now=self.clock.now())
        db.session.commit()

    def find(self, typed: str) -> Address | None:
        """The row of an address, as only the worker finds it."""
        channel = Channel.EMAIL if "@" in typed else Channel.SMS
        written = typed.lower() if channel is Channel.EMAIL else "+44" + typed.replace(" ", "")[1:]
        tag = self.vault.contact_tag(channel.value, written)
        return db.session.scalars(sa.select(Address).where(Address.tag == tag)).one_or_none()

    def address(self, typed: str) -> Address:
        """The row of an address that somebody has given."""
        address = self.find(typed)
        assert address is not None
        return address

    def waiting_codes(self) -> list[tuple[str, str]]:
        """Every code that waits to be sent: the address it would go to, and its digits."""
        found = []
        rows = db.session.execute(
            sa.select(Delivery, Address)
            .join(
                Address, (Address.owner_id == Delivery.recipient_id) & (Address.channel == Delivery.channel)
            )
            .where(Delivery.kind == MessageKind.CODE, Delivery.state == DeliveryState.QUEUED)
            .order_by(Delivery.not_before)
        ).all()
        for delivery, address in rows:
            assert delivery.body is not None and address.sealed is not None
            digits = self.vault.open_contact(delivery.body, Where("deliveries", "body", delivery.id)).decode()
            to = self.vault.open_contact(address.sealed, Where("addresses", "sealed", address.id)).decode()
            found.append((to, digits))
        db.session.rollback()
        return found

    def last_code(self) -> str:
        return self.waiting_codes()[-1][1]


@contextmanager
def members_of(app: Flask, clock: MovableClock) -> Iterator[Members]:
    """Members of the application of a test, and the end of their worker."""
    worker = create_app(runtime().settings, clock=clock)
    with worker.app_context():
        vault = runtime().become_worker()
    yield Members(app, clock, worker, vault)
    with worker.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def members(app: Flask, clock: MovableClock) -> Iterator[Members]:
    with members_of(app, clock) as members:
        yield members
