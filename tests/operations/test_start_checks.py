"""Each reason to refuse a production start, with a sentence that says what to do."""

import dataclasses
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from flask import Flask

from tests.rules.project import ROOT
from ugly_mugs.app import create_app
from ugly_mugs.database.engine import db
from ugly_mugs.database.models import Installation
from ugly_mugs.operations.start_checks import UnfitStart, refuse_unfit_start
from ugly_mugs.sandbox.settings import ACCOUNT_SID
from ugly_mugs.settings import Secret, Settings
from ugly_mugs.vault.keys import keyfiles


@pytest.fixture
def real(app: Flask, settings: Settings) -> Settings:
    """Settings as the worker of a real installation has them, without anything of a try-out."""
    return dataclasses.replace(
        settings,
        public_url="https://notices.example.org",
        twilio_api_url=None,
        twilio_account_sid="AC" + "1" * 32,
        twilio_auth_token=(Secret("a real one"),),
        mail_from="notices@desk.internal",
    )


@pytest.fixture
def unreadable_worker_key(settings: Settings, app: Flask) -> Iterator[None]:
    """Make the worker's key file unreadable, as for the web's user; for root, who reads everything, move it."""
    path = settings.keys_dir / keyfiles.WORKER_FILE
    if os.geteuid() == 0:
        path.rename(path.with_suffix(".elsewhere"))
        yield
        path.with_suffix(".elsewhere").rename(path)
    else:
        path.chmod(0)
        yield
        path.chmod(0o600)


def refusals(settings: Settings, *, web: bool = False, **changes: object) -> list[str]:
    with pytest.raises(UnfitStart) as caught:
        refuse_unfit_start(dataclasses.replace(settings, **changes), web=web)
    return caught.value.problems


def only_refusal(settings: Settings, *, web: bool = False, **changes: object) -> str:
    (reason,) = refusals(settings, web=web, **changes)
    return reason


def test_a_sound_installation_starts(real: Settings, unreadable_worker_key: None) -> None:
    refuse_unfit_start(real, web=False)
    refuse_unfit_start(real, web=True)


def test_demo_keys_are_refused(real: Settings, tmp_path: Path) -> None:
    keyfiles.create(tmp_path / "demo", demo=True)

    assert "flask keys init" in only_refusal(real, keys_dir=tmp_path / "demo")


def add_demo_installation() -> None:
    db.session.add(Installation(id=uuid.uuid4(), demo=True, created_on=date(2026, 11, 21)))
    db.session.commit()


def test_demo_accounts_are_refused(real: Settings) -> None:
    add_demo_installation()

    assert "flask db upgrade" in only_refusal(real)


@pytest.mark.parametrize(
    "change",
    [
        {"twilio_api_url": "http://127.0.0.1:8001"},
        {"twilio_account_sid": ACCOUNT_SID},
        {"twilio_auth_token": (Secret("only-for-the-sandbox"),)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_sandbox_is_refused(real: Settings, change: dict[str, object]) -> None:
    assert "UGLY_MUGS_TWILIO_ACCOUNT_SID" in only_refusal(real, **change)


@pytest.mark.parametrize("web", [False, True])
@pytest.mark.parametrize(
    "domain",
    [
        "localhost",
        "mail.localhost",
        "example.org",
        "Example.COM",
        "mail.example.net",
        "notices.example",
        "notices.invalid",
        "notices.test.",
    ],
)
def test_a_sender_address_at_a_reserved_domain_is_refused(
    real: Settings, unreadable_worker_key: None, domain: str, web: bool
) -> None:
    assert "UGLY_MUGS_MAIL_FROM" in only_refusal(real, web=web, mail_from=f"notices@{domain}")


def test_a_domain_that_only_ends_like_a_reserved_one_is_accepted(real: Settings) -> None:
    refuse_unfit_start(dataclasses.replace(real, mail_from="notices@myexample.internal"), web=False)


def test_a_web_that_can_read_the_workers_keys_is_refused(real: Settings) -> None:
    assert "chmod 600" in only_refusal(real, web=True)


def test_all_reasons_are_reported_together(real: Settings, tmp_path: Path) -> None:
    keyfiles.create(tmp_path / "demo", demo=True)
    add_demo_installation()

    unfit = {"twilio_api_url": "http://127.0.0.1:8001", "mail_from": "notices@localhost"}

    assert len(refusals(real, web=True, keys_dir=tmp_path / "demo", **unfit)) == 5


def test_missing_keys_are_reported(real: Settings, tmp_path: Path) -> None:
    assert "flask keys init" in only_refusal(real, keys_dir=tmp_path / "nothing")


def test_a_try_out_refuses_nothing(settings: Settings, app: Flask) -> None:
    refuse_unfit_start(settings, web=True)


def test_the_application_itself_refuses_to_serve(real: Settings) -> None:
    with pytest.raises(UnfitStart):
        create_app(real, serving=True)


def test_the_worker_refuses_too_and_says_why(real: Settings, tmp_path: Path) -> None:
    keyfiles.create(tmp_path / "demo", demo=True)
    worker = create_app(dataclasses.replace(real, keys_dir=tmp_path / "demo"))

    with worker.app_context():
        result = worker.test_cli_runner().invoke(args=["worker", "--once"])

    assert result.exit_code == 1
    assert "those of a try-out" in result.output


def test_a_refused_start_prints_sentences_and_no_traceback(tmp_path: Path) -> None:
    keyfiles.create(tmp_path / "demo", demo=True)
    settings = {
        "UGLY_MUGS_DATABASE_URL": f"sqlite:///{tmp_path / 'none.sqlite3'}",
        "UGLY_MUGS_KEYS_DIR": str(tmp_path / "demo"),
        "UGLY_MUGS_PUBLIC_URL": "https://notices.example.org",
    }
    for more, expected in (
        ({}, "those of a try-out"),
        ({"UGLY_MUGS_SMS_PACE": "fast"}, "UGLY_MUGS_SMS_PACE"),
    ):
        started = subprocess.run(
            [sys.executable, "-c", "import wsgi"],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], **settings, **more},
            capture_output=True,
            text=True,
            check=False,
        )
        assert started.returncode == 1
        assert expected in started.stderr
        assert "Traceback" not in started.stderr
