"""Settings: read once, all wrong ones reported together, secrets never printed."""

from pathlib import Path

import pytest

from tests.make.languages import PORTUGUESE, add_languages
from ugly_mugs.settings import Secret, Settings, SettingsError, from_environment

ENOUGH = {"UGLY_MUGS_DATABASE_URL": "sqlite:////srv/notices.sqlite3", "UGLY_MUGS_KEYS_DIR": "/srv/keys"}


def read(**changes: str) -> Settings:
    return from_environment(ENOUGH | {f"UGLY_MUGS_{name}": value for name, value in changes.items()})


def problems(environment: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        from_environment(environment)
    return caught.value.problems


def test_two_settings_are_enough() -> None:
    settings = read()

    assert settings.database_url == "sqlite:////srv/notices.sqlite3"
    assert settings.keys_dir == Path("/srv/keys")
    assert settings.link_url == settings.public_url
    assert not settings.is_production


def test_every_wrong_setting_is_named_at_once() -> None:
    reported = problems(
        {
            "UGLY_MUGS_DATABASE_URL": "mysql://nope",
            "UGLY_MUGS_PUBLIC_URL": "notices.example.org",
            "UGLY_MUGS_LANGUAGES": "en,tlh",
            "UGLY_MUGS_QUIET_HOURS": "25:00-08:00",
            "UGLY_MUGS_SMS_PACE": "fast",
            "UGLY_MUGS_TWILIO_FROM": "Notices",
            "UGLY_MUGS_SMTP_URL": "mail.example.org",
            "UGLY_MUGS_JOBS": "cron",
            "UGLY_MUGS_SITENAME": "Notices",
        }
    )

    wrong = (
        "DATABASE_URL KEYS_DIR PUBLIC_URL LANGUAGES QUIET_HOURS SMS_PACE TWILIO_FROM SMTP_URL JOBS SITENAME"
    )
    for name in wrong.split():
        assert sum(f"UGLY_MUGS_{name}" in problem for problem in reported) == 1, name
    assert len(reported) == 10


def test_the_languages_are_chosen_out_of_one_list(monkeypatch: pytest.MonkeyPatch) -> None:
    add_languages(monkeypatch, PORTUGUESE)

    assert read(LANGUAGES="pt, en, pt").languages == ("pt", "en")
    assert problems(ENOUGH | {"UGLY_MUGS_LANGUAGES": "pt,ro"}) == [
        "UGLY_MUGS_LANGUAGES must be a list out of: en, pt."
    ]


def test_an_alphanumeric_sender_is_refused_because_nobody_can_answer_stop_to_it() -> None:
    reported = problems(ENOUGH | {"UGLY_MUGS_TWILIO_FROM": "NOTICES"})

    assert len(reported) == 1
    assert "cannot receive STOP" in reported[0]


def test_a_misspelt_name_is_not_ignored() -> None:
    assert problems(ENOUGH | {"UGLY_MUGS_PUBLIC_ULR": "https://notices.example.org"}) == [
        "UGLY_MUGS_PUBLIC_ULR is no setting of this version; is it misspelt?"
    ]


def test_a_setting_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("first, second\n")

    settings = read(TWILIO_AUTH_TOKEN_FILE=str(tmp_path / "token"))

    assert [token.value for token in settings.twilio_auth_token] == ["first", "second"]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    missing = {"UGLY_MUGS_SMTP_URL_FILE": str(tmp_path / "none")}

    assert problems(ENOUGH | missing) == ["UGLY_MUGS_SMTP_URL_FILE names a file that cannot be read."]


def test_secrets_are_not_printed() -> None:
    settings = read(
        DATABASE_URL="postgresql://web:hunter2@db.example.org/notices",
        TWILIO_AUTH_TOKEN="hunter3",
        SMTP_URL="smtps://user:hunter4@mail.example.org",
    )

    assert "hunter" not in repr(settings)
    assert "hunter" not in f"{settings.smtp_url} {settings.twilio_auth_token[0]} {Secret('hunter5')!r}"


@pytest.mark.parametrize("url", ["https://notices.example.org", "https://192.0.2.7", "https://notices.onion"])
def test_another_address_than_this_machines_is_a_production_start(url: str) -> None:
    assert read(PUBLIC_URL=url).is_production


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000", "http://localhost", "http://[::1]:8000", "http://notices.localhost"]
)
def test_this_machines_own_address_is_a_try_out(url: str) -> None:
    assert not read(PUBLIC_URL=url).is_production


def test_a_production_start_needs_https() -> None:
    assert problems(ENOUGH | {"UGLY_MUGS_PUBLIC_URL": "http://notices.example.org"}) == [
        "UGLY_MUGS_PUBLIC_URL must begin with https:// unless it is this machine's own address."
    ]


REAL = ENOUGH | {"UGLY_MUGS_PUBLIC_URL": "https://notices.example.org"}


@pytest.mark.parametrize(
    "url", ["smtp://notices:open-sesame@mail.example.org", "smtp://notices@192.0.2.7:25"]
)
def test_a_production_start_sends_no_password_in_the_clear(url: str) -> None:
    reported = problems(REAL | {"UGLY_MUGS_SMTP_URL": url})

    assert len(reported) == 1
    assert "UGLY_MUGS_SMTP_URL" in reported[0]
    assert "open-sesame" not in reported[0]


@pytest.mark.parametrize(
    "url",
    [
        "smtp://notices:open-sesame@127.0.0.1",
        "smtp://notices:open-sesame@localhost:25",
        "smtp://mail.example.org",
        "smtps://notices:open-sesame@mail.example.org",
        "smtp+starttls://notices:open-sesame@mail.example.org",
    ],
)
def test_a_password_that_is_encrypted_or_stays_on_this_machine_is_accepted(url: str) -> None:
    settings = from_environment(REAL | {"UGLY_MUGS_SMTP_URL": url})

    assert settings.smtp_url == Secret(url)


def test_a_try_out_may_talk_to_any_mail_server() -> None:
    assert read(SMTP_URL="smtp://notices:open-sesame@mail.example.org").smtp_url is not None


def test_the_claim_lease_must_be_longer_than_the_sms_timeout() -> None:
    reported = problems(ENOUGH | {"UGLY_MUGS_CLAIM_LEASE": "10", "UGLY_MUGS_SMS_TIMEOUT": "15"})

    assert len(reported) == 1
    assert "UGLY_MUGS_CLAIM_LEASE" in reported[0]
