"""`flask doctor`: each check passes, or says what to do."""

import dataclasses
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.make.clock import MovableClock
from tests.make.databases import execute
from tests.make.processes.stack import free_port
from tests.make.sandbox import Sandbox
from tests.outbox.mail_over_tls import HERE, MailOverTls, certificate_for
from ugly_mugs.database.engine import db
from ugly_mugs.database.models import Heartbeat, Process
from ugly_mugs.operations import doctor
from ugly_mugs.operations.doctor import Finding, examine
from ugly_mugs.runtime import runtime
from ugly_mugs.settings import Secret, Settings
from ugly_mugs.vault.keys import keyfiles


@pytest.fixture
def well(app: Flask, settings: Settings, sandbox: Sandbox, clock: MovableClock) -> Settings:
    """An installation on which every check passes: migrated tables, a heartbeat, an SMS provider, a mail server."""
    db.session.remove()
    db.drop_all()
    result = app.test_cli_runner().invoke(args=["db", "upgrade"])
    assert result.exit_code == 0, result.output
    db.session.merge(Heartbeat(process=Process.WORKER, seen_at=clock.now()))
    db.session.commit()
    if settings.database_url.startswith("sqlite"):
        for file in Path(settings.database_url.removeprefix("sqlite:///")).parent.glob("*.sqlite3*"):
            file.chmod(0o600)
    return dataclasses.replace(
        settings,
        twilio_api_url=sandbox.url,
        twilio_account_sid=sandbox.settings.account_sid,
        twilio_auth_token=(Secret(sandbox.settings.auth_token),),
        smtp_url=Secret(sandbox.smtp_url),
    )


def problems(settings: Settings, **changes: object) -> dict[str, str]:
    findings = examine(dataclasses.replace(settings, **changes))
    return {finding.name: finding.problem for finding in findings if not finding.well}


def test_nothing_is_wrong_with_a_sound_installation(well: Settings) -> None:
    assert problems(well) == {}


def test_missing_keys(well: Settings, tmp_path: Path) -> None:
    reported = problems(well, keys_dir=tmp_path / "none")

    assert "flask keys init" in reported["keys"]


def test_keys_that_everybody_can_read(well: Settings) -> None:
    (well.keys_dir / keyfiles.SERVICE_FILE).chmod(0o644)

    reported = problems(well)

    assert "chmod" in reported["keys"]
    assert "chmod o-rwx" in reported["file permissions"]


def test_a_worker_key_of_another_installation_or_damaged(well: Settings) -> None:
    (well.keys_dir / keyfiles.WORKER_FILE).write_text("not a key")

    assert "damaged" in problems(well)["keys"]


def test_a_database_that_is_behind(well: Settings) -> None:
    execute(sa.text("DELETE FROM alembic_version"))

    assert "flask db upgrade" in problems(well)["database"]


def test_no_worker(well: Settings, clock: MovableClock) -> None:
    clock.forward(minutes=5)

    assert "flask worker" in problems(well)["worker"]


def test_a_provider_that_is_down(well: Settings) -> None:
    reported = problems(well, twilio_api_url=f"http://127.0.0.1:{free_port()}")

    assert "cannot be reached" in reported["SMS provider"]


def test_a_provider_that_does_not_know_us(well: Settings) -> None:
    reported = problems(well, twilio_auth_token=(Secret("an old one"),))

    assert "does not accept the credentials" in reported["SMS provider"]


def test_no_credentials_for_the_provider(well: Settings) -> None:
    assert "UGLY_MUGS_TWILIO_AUTH_TOKEN" in problems(well, twilio_auth_token=())["SMS provider"]


def test_no_mail_server(well: Settings) -> None:
    assert "UGLY_MUGS_SMTP_URL" in problems(well, smtp_url=None)["mail"]


def test_a_mail_server_that_is_down(well: Settings) -> None:
    reported = problems(well, smtp_url=Secret(f"smtp://127.0.0.1:{free_port()}"))

    assert "cannot be used" in reported["mail"]


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_a_mail_server_with_an_untrusted_certificate(
    well: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    certificate = certificate_for(HERE, tmp_path)

    with MailOverTls(scheme, certificate) as server:
        over_tls = dataclasses.replace(well, smtp_url=Secret(server.url))
        assert "certificate" in problems(over_tls)["mail"]
        assert "AUTH" not in server.verbs

        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert problems(over_tls) == {}
        assert "AUTH" in server.verbs


def test_a_mail_server_without_what_its_address_asks_for(well: Settings, sandbox: Sandbox) -> None:
    url = sandbox.smtp_url.replace("smtp://", "smtp+starttls://")

    assert "STARTTLS" in problems(well, smtp_url=Secret(url))["mail"]


def test_a_production_start_has_more_checks(
    well: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "swaps").write_text("Filename Type Size Used Priority\n/dev/sda2 partition 1 0 -2\n")
    monkeypatch.setattr(doctor, "SWAPS", tmp_path / "swaps")

    reported = problems(well, public_url="https://notices.example.org")

    assert "sandbox" in reported["fit for real use"]
    assert "UGLY_MUGS_MAIL_FROM" in reported["fit for real use"]
    assert "swapoff" in reported["swap"]
    assert "UGLY_MUGS_AUDIT_HEAD_FILE" in reported["audit head"]


def test_core_dumps_are_to_be_off(well: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = {"allowed": (-1, -1), "off": (0, -1)}
    real = dataclasses.replace(well, public_url="https://notices.example.org")

    monkeypatch.setattr(doctor.resource, "getrlimit", lambda which: limits["allowed"])
    assert "LimitCORE=0" in problems(real)["core dumps"]

    monkeypatch.setattr(doctor.resource, "getrlimit", lambda which: limits["off"])
    assert "core dumps" not in problems(real)


def test_the_command_prints_problems_and_exits_with_status_1(app: Flask, well: Settings) -> None:
    runtime(app).settings = well
    runner = app.test_cli_runner()

    assert runner.invoke(args=["doctor"]).exit_code == 0
    runtime(app).settings = dataclasses.replace(well, smtp_url=None)
    unwell = runner.invoke(args=["doctor"])

    assert unwell.exit_code == 1
    assert "NOT WELL mail: " in unwell.output
    assert "1 of 6 need attention." in unwell.output


def test_a_finding_without_a_problem_is_well() -> None:
    assert Finding("keys").well
    assert not Finding("keys", "missing").well
