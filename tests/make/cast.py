"""The cast: people at the desk, invited, enrolled and admitted as in life, then signed in through the page.

- Alice is a moderator, Dave another one.
- Bob is an approver. He holds no key of the desk.
- Carol is both, a moderator and an approver.
- Charlie is a member admin. He holds the vetting key and no key of the desk.
- Dora is a caseworker: she reads reports and decides nothing.
- Erin is an auditor and Ada an administrator. They hold neither of these keys.

A test that needs other roles hires somebody with another name.
"""

import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.make.clock import MovableClock
from tests.make.installation import Installation
from tests.make.pages import hidden
from ugly_mugs.accounts import queries
from ugly_mugs.accounts.guard import SignedInStaff
from ugly_mugs.accounts.keys import epochs, recovery
from ugly_mugs.accounts.models import Role, Staff, StaffState
from ugly_mugs.accounts.people import admission, enrolment, leaving
from ugly_mugs.database.engine import db
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import PrivateKey, Where, totp

ROLES: dict[str, tuple[Role, ...]] = {
    "alice": (Role.MODERATOR,),
    "bob": (Role.APPROVER,),
    "carol": (Role.MODERATOR, Role.APPROVER),
    "charlie": (Role.MEMBER_ADMIN,),
    "dave": (Role.MODERATOR,),
    "dora": (Role.CASEWORKER,),
    "erin": (Role.AUDITOR,),
    "ada": (Role.ADMINISTRATOR,),
}


@dataclass
class Colleague:
    """Somebody who works at the desk, with everything they wrote down and a browser of their own."""

    app: Flask
    clock: MovableClock
    id: uuid.UUID
    login: str
    roles: frozenset[Role]
    passphrase: str
    totp_secret: bytes
    key: PrivateKey = field(repr=False)
    browser: FlaskClient = field(repr=False)

    @property
    def code(self) -> str:
        """What the authenticator shows now."""
        return totp.code_now(self.totp_secret, self.clock.now())

    def sign_in(self, browser: FlaskClient | None = None, **instead: str) -> TestResponse:
        """Type name, passphrase and code into the page; `instead` types something else."""
        browser = browser or self.browser
        typed = {"login": self.login, "passphrase": self.passphrase, "code": self.code}
        token = hidden(browser.get("/desk/sign-in"), "token")
        return browser.post("/desk/sign-in", data={"token": token, **typed, **instead})

    def csrf(self, path: str = "/desk/account") -> str:
        return hidden(self.browser.get(path), "csrf")

    def post(self, path: str, data: dict[str, object] | None = None) -> TestResponse:
        """Post a form as a page of this session would."""
        return self.browser.post(path, data={"csrf": self.csrf(), **(data or {})})


@dataclass
class Team:
    """Everybody hired in one test; each new colleague is admitted by one who may, else with the recovery words."""

    app: Flask
    clock: MovableClock
    installation: Installation
    colleagues: list[Colleague] = field(default_factory=list)

    def hire(self, login: str, *roles: Role, signed_in: bool = True) -> Colleague:
        """Somebody at work with these roles, or with those of the cast; signed in unless told otherwise."""
        colleague = self.enrol(login, *roles)
        if self.state(colleague) is StaffState.WAITING:
            self.admit(colleague)
        self.colleagues.append(colleague)
        if signed_in:
            assert colleague.sign_in().status_code == 303
        return colleague

    def enrol(self, login: str, *roles: Role, invited_by: uuid.UUID | None = None) -> Colleague:
        """Somebody with a key of their own, not admitted by anybody."""
        roles = roles or ROLES[login]
        vault, now = runtime().vault, self.clock.now()
        invited = enrolment.invite(vault=vault, login=login, roles=roles, now=now, invited_by=invited_by)
        prepared = enrolment.prepare()
        own = enrolment.own_key(vault=vault, person_id=invited.person.id, passphrase=prepared.passphrase)
        # Proved with the code before this one, so that the present one is still good for signing in.
        earlier = totp.code_now(prepared.totp_secret, now - timedelta(seconds=totp.STEP_SECONDS))
        step = enrolment.proved_step(prepared, earlier, now=now)
        assert step is not None
        enrolment.enrol(vault=vault, person=invited.person, prepared=prepared, own=own, step=step, now=now)
        person_id = invited.person.id
        key = PrivateKey(
            vault.staff_seals.open_seed(
                prepared.passphrase, own.sealed, Where("staff", "private_key", person_id)
            )
        )
        db.session.commit()
        return Colleague(
            app=self.app,
            clock=self.clock,
            id=person_id,
            login=login,
            roles=frozenset(roles),
            passphrase=prepared.passphrase,
            totp_secret=prepared.totp_secret,
            key=key,
            browser=self.app.test_client(),
        )

    def admit(self, newcomer: Colleague) -> None:
        """By every colleague who may, and with the recovery words if that is not enough."""
        vault, now, person = runtime().vault, self.clock.now(), self.person(newcomer)
        for by in self.colleagues:
            if person.state is StaffState.WAITING and admission.may_admit(
                person, by_id=by.id, by_roles=by.roles, vault=vault
            ):
                admission.admit(
                    vault=vault, person=person, by_id=by.id, by_key=by.key, by_roles=by.roles, now=now
                )
        if person.state is StaffState.WAITING:
            recovered = recovery.recover(self.installation.recovery_words, vault=vault)
            self.installation.recovery_words = admission.admit_with_recovery(
                vault=vault, person=person, recovered=recovered, now=now
            )
        db.session.commit()

    def remove(self, leaver: Colleague) -> None:
        """As `flask staff remove` does it."""
        made = leaving.remove(vault=runtime().vault, person=self.person(leaver), now=self.clock.now())
        db.session.commit()
        for epoch in made:
            epochs.mark(runtime().settings.keys_dir, epoch, vault=runtime().vault)
        db.session.rollback()
        self.colleagues = [each for each in self.colleagues if each is not leaver]

    def person(self, colleague: Colleague) -> Staff:
        """The row as it stands now, in a transaction that the caller ends."""
        found = db.session.get(Staff, colleague.id, populate_existing=True)
        assert found is not None
        return found

    def state(self, colleague: Colleague) -> StaffState:
        state = self.person(colleague).state
        db.session.rollback()
        return state

    def words(self, colleague: Colleague) -> str:
        """The six words of a colleague's key, as they would read them out."""
        words = queries.public_key_of(self.person(colleague), vault=runtime().vault).words()
        db.session.rollback()
        return words


def signed_in(colleague: Colleague) -> SignedInStaff:
    return SignedInStaff(
        id=colleague.id, name=colleague.login, roles=colleague.roles, seed=colleague.key.seed
    )


@pytest.fixture
def team(app: Flask, clock: MovableClock, installation: Installation) -> Team:
    """Whoever is hired in a test."""
    return Team(app, clock, installation)


def _fixture(login: str, *, admitted_by: str = "") -> Any:
    @pytest.fixture(name=login)
    def hired(team: Team, request: pytest.FixtureRequest) -> Colleague:
        if admitted_by:
            request.getfixturevalue(admitted_by)
        return team.hire(login)

    return hired


alice, erin, ada = (_fixture(login) for login in ("alice", "erin", "ada"))
bob, carol, charlie, dave, dora = (
    _fixture(login, admitted_by="alice") for login in ("bob", "carol", "charlie", "dave", "dora")
)
