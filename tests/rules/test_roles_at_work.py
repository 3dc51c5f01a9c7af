"""On PostgreSQL each process does its real work with no more than the rights of its role."""

import re
from base64 import b32decode
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from tests.make.clock import MovableClock
from tests.make.pages import hidden
from tests.make.sandbox import Sandbox
from tests.rules.test_grants import made_by_migrations
from ugly_mugs.app import create_app
from ugly_mugs.migrations.grants import Role
from ugly_mugs.operations import demo
from ugly_mugs.operations.demo import Scene
from ugly_mugs.operations.worker_command import run_all
from ugly_mugs.runtime import runtime
from ugly_mugs.sandbox.settings import ACCOUNT_SID, AUTH_TOKEN
from ugly_mugs.sandbox.signature import sign
from ugly_mugs.settings import Secret
from ugly_mugs.vault import totp

ASH = "+447700900101"


@dataclass
class Installation:
    """The try-out's data made by the owner of the tables; web and worker as they run beside it."""

    web: Flask
    worker: Flask
    clock: MovableClock
    scene: Scene
    sandbox: Sandbox

    def work(self) -> set[str]:
        """Everything the worker has to do, by its jobs; gives the names of those that failed."""
        return run_all(self.worker, runtime(self.worker).wiring.jobs)

    def text_comes(self, phone: str, body: str) -> int:
        settings = runtime(self.web).settings
        token = runtime(self.web).vault.path_token("webhook")
        path = f"/webhooks/twilio/{token}/message"
        fields = {
            "AccountSid": ACCOUNT_SID,
            "MessageSid": "SM" + "1" * 32,
            "From": phone,
            "To": settings.twilio_from,
        }
        fields["Body"] = body
        signature = sign(AUTH_TOKEN, settings.public_url + path, fields)
        answer = self.web.test_client().post(path, data=fields, headers={"X-Twilio-Signature": signature})
        return answer.status_code


@pytest.fixture
def installation(postgresql_server: str, tmp_path: Path) -> Iterator[Installation]:
    clock = MovableClock()
    with Sandbox() as sandbox, made_by_migrations(postgresql_server, tmp_path) as owner:
        owned = runtime(owner)
        owned.clock = clock
        owned.settings = replace(
            owned.settings,
            twilio_account_sid=ACCOUNT_SID,
            twilio_auth_token=(Secret(AUTH_TOKEN),),
            twilio_api_url=sandbox.url,
            smtp_url=Secret(sandbox.smtp_url),
            sms_pace=1_000,
            audit_head_file=tmp_path / "heads",
        )
        scene = demo.reset()
        web, worker = (
            create_app(
                replace(owned.settings, database_url=_as(owned.settings.database_url, role)), clock=clock
            )
            for role in (Role.WEB, Role.WORKER)
        )
        yield Installation(web, worker, clock, scene, sandbox)
        for app in (web, worker):
            with app.app_context():
                app.extensions["sqlalchemy"].engine.dispose()


def _as(url: str, role: Role) -> str:
    """The same database, every connection with one role's rights."""
    return f"{url}&options=-c%20role%3D{role}"


def signed_in(installation: Installation, login: str) -> FlaskClient:
    browser = installation.web.test_client()
    person = next(person for person in installation.scene.logins if person["login"] == login)
    code = totp.code_now(b32decode(person["totp_secret"]), installation.clock.now())
    token = hidden(browser.get("/desk/sign-in"), "token")
    typed = {"token": token, "login": login, "passphrase": person["passphrase"], "code": code}
    assert browser.post("/desk/sign-in", data=typed).status_code == 303
    return browser


def test_each_connection_has_the_rights_of_its_role(installation: Installation) -> None:
    for app, role in ((installation.web, Role.WEB), (installation.worker, Role.WORKER)):
        with app.app_context(), app.extensions["sqlalchemy"].engine.connect() as connection:
            assert connection.scalar(sa.text("SELECT current_user")) == role


def test_the_worker_sends_what_is_queued_and_keeps_everything_in_order(installation: Installation) -> None:
    assert installation.work() == set()

    assert len(installation.sandbox.texts_to(ASH)) == 1


def test_stop_and_start_go_through_both(installation: Installation) -> None:
    for word in ("STOP", "START", "HELP"):
        assert installation.text_comes(ASH, word) == 204
        assert installation.work() == set()


def test_a_member_signs_in_with_the_code_that_came(installation: Installation) -> None:
    browser = installation.web.test_client()
    token = hidden(browser.get("/sign-in"), "token")
    assert browser.post("/sign-in", data={"token": token, "address": ASH}).status_code == 303
    assert installation.work() == set()

    texts = " ".join(text["body"] for text in installation.sandbox.texts_to(ASH))
    code = re.search(r"Your code is (\d{3} ?\d{3})", texts)
    assert code, texts
    csrf = hidden(browser.get("/sign-in/code"), "csrf")
    assert browser.post("/sign-in/code", data={"csrf": csrf, "code": code[1]}).status_code == 303

    assert browser.get("/alerts").status_code == 200


def test_somebody_joins(installation: Installation) -> None:
    browser = installation.web.test_client()
    answers = {
        "token": hidden(browser.get("/join"), "token"),
        "working_name": "Gale",
        "phone": "07700 900177",
        "sms": "yes",
        "regions": "london",
        "sectors": "online",
        "level": "neutral",
        "wake": "yes",
        "adult": "yes",
        "kind": "individual",
        "language": "en",
    }
    assert browser.post("/join", data=answers).status_code in (200, 303)

    assert installation.work() == set()


def test_a_report_is_filed_added_to_and_withdrawn(installation: Installation) -> None:
    browser = installation.web.test_client()
    token = hidden(browser.get("/report"), "token")
    filed = browser.post("/report", data={"token": token, "happened.account": "Invented, for a test."})
    assert filed.status_code == 200

    token = hidden(browser.get("/receipt"), "token")
    opened = browser.post(
        "/receipt", data={"token": token, "receipt": installation.scene.reports[1]["receipt"]}
    )
    assert opened.status_code == 303
    for path in ("add", "choices", "withdraw"):
        assert browser.get(f"/receipt/{path}").status_code == 200
    csrf = hidden(browser.get("/receipt/withdraw"), "csrf")
    assert browser.post("/receipt/withdraw", data={"csrf": csrf, "sure": "yes"}).status_code in (200, 303)
    assert installation.work() == set()


def test_a_moderator_files_for_a_caller(installation: Installation) -> None:
    browser = signed_in(installation, "alice")
    hidden_fields = {name: hidden(browser.get("/desk/reports/new"), name) for name in ("csrf", "token")}

    filed = browser.post(
        "/desk/reports/new", data={**hidden_fields, "happened.account": "Invented, for a test."}
    )

    assert filed.status_code == 200
    assert installation.work() == set()


@pytest.mark.parametrize("login", ["alice", "bob", "carol", "dana", "erin"])
def test_everybody_at_the_desk_can_open_their_pages(installation: Installation, login: str) -> None:
    browser = signed_in(installation, login)

    for rule in installation.web.url_map.iter_rules():
        if (
            rule.rule.startswith(("/desk", "/admin"))
            and "GET" in (rule.methods or set())
            and not rule.arguments
        ):
            assert browser.get(rule.rule).status_code in (200, 303, 403), rule.rule


def test_days_pass(installation: Installation) -> None:
    """Expiry, sweeping, counts of the day and the audit log's chain."""
    installation.work()

    for days in (1, 3, 40, 200):
        installation.clock.forward(days=days)
        assert installation.work() == set(), f"after {timedelta(days=days)}"
