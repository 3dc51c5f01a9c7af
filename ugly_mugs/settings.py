"""All settings, read once from the environment into a frozen dataclass; every wrong one is reported by name.

Each is described in `docs/configuration.md`. `UGLY_MUGS_X_FILE` names a file that holds the value of `UGLY_MUGS_X`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import time
from ipaddress import ip_address
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from ugly_mugs.languages import LANGUAGES

PREFIX = "UGLY_MUGS_"

T = TypeVar("T")


class SettingsError(Exception):
    """Settings are missing or wrong; `problems` holds one sentence for each, with its name."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Secret:
    """A value whose `str` and `repr` hide it, for logs, tracebacks and templates."""

    value: str = field(repr=False)

    def __str__(self) -> str:
        return "(secret)"


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Local hours in which only members who chose to be woken get messages; may span midnight."""

    start: time
    end: time

    def __contains__(self, moment: time) -> bool:
        if self.start <= self.end:
            return self.start <= moment < self.end
        return moment >= self.start or moment < self.end


@dataclass(frozen=True)
class Settings:
    database_url: str = field(repr=False)
    keys_dir: Path
    public_url: str
    link_url: str
    site_name: str
    exit_url: str
    desk_hours: str
    languages: tuple[str, ...]
    quiet_hours: QuietHours
    jobs: str
    twilio_account_sid: str
    twilio_auth_token: tuple[Secret, ...]
    twilio_from: str
    twilio_api_url: str | None
    smtp_url: Secret | None
    mail_from: str
    sms_pace: int
    mail_pace: int
    sms_in_flight: int
    sms_timeout: int
    claim_lease: int
    unknown_wait: int
    unknown_give_up: int
    codes_per_address: int
    codes_per_day: int
    messages_per_alert: int
    audit_head_file: Path | None
    log_level: str

    @property
    def is_production(self) -> bool:
        """Whether the public URL is not an address of this machine."""
        return not is_loopback(self.public_url)

    @property
    def is_https(self) -> bool:
        return self.public_url.startswith("https://")

    @property
    def can_text(self) -> bool:
        """Whether the credentials of the SMS provider are set; only the worker needs them."""
        return bool(self.twilio_account_sid and self.twilio_auth_token and self.twilio_from)


def is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def from_environment(environment: Mapping[str, str]) -> Settings:
    """Read all settings, or raise SettingsError naming every one that is missing or wrong."""
    reader = _Reader(environment)
    local_url = "http://127.0.0.1:8000"
    public_url = reader.read("PUBLIC_URL", _url, local_url)
    settings = Settings(
        database_url=reader.read("DATABASE_URL", _database_url),
        keys_dir=reader.read("KEYS_DIR", Path),
        public_url=public_url,
        # After a wrong PUBLIC_URL (None here) the default prevents a second problem for LINK_URL.
        link_url=reader.read("LINK_URL", _url, public_url or local_url),
        site_name=reader.read("SITE_NAME", _line, "Notices"),
        exit_url=reader.read("EXIT_URL", _url, "https://www.bbc.co.uk/weather"),
        desk_hours=reader.read("DESK_HOURS", _line, "Monday to Friday, 10:00 to 18:00"),
        languages=reader.read("LANGUAGES", _languages, "en"),
        quiet_hours=reader.read("QUIET_HOURS", _quiet_hours, "22:00-08:00"),
        jobs=reader.read("JOBS", _jobs, "apscheduler"),
        twilio_account_sid=reader.read("TWILIO_ACCOUNT_SID", _line, ""),
        twilio_auth_token=reader.read("TWILIO_AUTH_TOKEN", _tokens, ""),
        twilio_from=reader.read("TWILIO_FROM", _sender, ""),
        twilio_api_url=reader.read("TWILIO_API_URL", _optional_url, ""),
        smtp_url=reader.read("SMTP_URL", _smtp_url, ""),
        mail_from=reader.read("MAIL_FROM", _mail_from, "notices@localhost"),
        sms_pace=reader.read("SMS_PACE", _count(1, 1_000_000), "10"),
        mail_pace=reader.read("MAIL_PACE", _count(1, 1_000_000), "100"),
        sms_in_flight=reader.read("SMS_IN_FLIGHT", _count(1, 512), "32"),
        sms_timeout=reader.read("SMS_TIMEOUT", _count(1, 120), "15"),
        claim_lease=reader.read("CLAIM_LEASE", _count(2, 3_600), "120"),
        unknown_wait=reader.read("UNKNOWN_WAIT", _count(0, 86_400), "120"),
        unknown_give_up=reader.read("UNKNOWN_GIVE_UP", _count(1, 604_800), "3600"),
        codes_per_address=reader.read("CODES_PER_ADDRESS", _count(1, 1_000), "10"),
        codes_per_day=reader.read("CODES_PER_DAY", _count(1, 1_000_000), "2000"),
        messages_per_alert=reader.read("MESSAGES_PER_ALERT", _count(1, 10_000_000), "2000000"),
        audit_head_file=reader.read("AUDIT_HEAD_FILE", _optional_path, ""),
        log_level=reader.read("LOG_LEVEL", _log_level, "INFO"),
    )
    if not reader.problems:
        reader.problems += _contradictions(settings)
    reader.report_unknown()
    if reader.problems:
        raise SettingsError(reader.problems)
    return settings


def _contradictions(settings: Settings) -> list[str]:
    problems = []
    if settings.claim_lease <= settings.sms_timeout:
        problems.append(
            f"{PREFIX}CLAIM_LEASE must be longer than {PREFIX}SMS_TIMEOUT, "
            "or a slow message would be taken for a lost one."
        )
    if settings.is_production and not settings.is_https:
        problems.append(
            f"{PREFIX}PUBLIC_URL must begin with https:// unless it is this machine's own address."
        )
    if settings.is_production and settings.twilio_api_url and is_loopback(settings.twilio_api_url):
        problems.append(
            f"{PREFIX}TWILIO_API_URL points at the sandbox; a production start needs the real provider."
        )
    if settings.is_production and settings.smtp_url and _sends_password_unencrypted(settings.smtp_url.value):
        problems.append(
            f"{PREFIX}SMTP_URL would send its password unencrypted: begin it with smtps:// or smtp+starttls://, "
            "unless the mail server is on this machine."
        )
    return problems


class _Reader:
    """Reads settings one by one and collects the problems."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._read: set[str] = set()
        self.problems: list[str] = []

    def read(self, name: str, parse: Callable[[str], T], default: str | None = None) -> T:
        self._read.add(name)
        variable = PREFIX + name
        raw = self._environment.get(variable)
        from_file = self._environment.get(variable + "_FILE")
        if raw is None and from_file is not None:
            try:
                raw = Path(from_file).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError):
                self.problems.append(f"{variable}_FILE names a file that cannot be read.")
                raw = default
        if raw is None:
            raw = default
        if raw is None:
            self.problems.append(f"{variable} is not set.")
            raw = ""
        try:
            return parse(raw)
        except ValueError as problem:
            message = f"{variable} {problem}."
            if f"{variable} is not set." not in self.problems:
                self.problems.append(message)
            # Never used: from_environment raises SettingsError.
            return None  # type: ignore[return-value]

    def report_unknown(self) -> None:
        """Report every UGLY_MUGS_ variable that is no setting, because a misspelt name would be ignored otherwise."""
        known = {PREFIX + name for name in self._read} | {f"{PREFIX}{name}_FILE" for name in self._read}
        for variable in sorted(self._environment):
            if variable.startswith(PREFIX) and variable not in known:
                self.problems.append(f"{variable} is no setting of this version; is it misspelt?")


def _line(raw: str) -> str:
    if "\n" in raw or "\r" in raw:
        raise ValueError("must be one line")
    return raw.strip()


def _url(raw: str) -> str:
    parts = urlsplit(raw)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("must be an address such as https://notices.example.org")
    return raw.rstrip("/")


def _optional_url(raw: str) -> str | None:
    return _url(raw) if raw else None


def _optional_path(raw: str) -> Path | None:
    return Path(raw) if raw else None


def _database_url(raw: str) -> str:
    if raw.startswith("postgresql://"):
        raw = "postgresql+psycopg://" + raw.removeprefix("postgresql://")
    if not raw.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ValueError("must begin with sqlite:/// or postgresql://")
    if raw in ("sqlite:///", "sqlite:///:memory:"):
        raise ValueError("must name a database file, because several processes share it")
    return raw


def _languages(raw: str) -> tuple[str, ...]:
    chosen = tuple(dict.fromkeys(part.strip() for part in raw.split(",") if part.strip()))
    if not chosen or not LANGUAGES.keys() >= set(chosen):
        raise ValueError(f"must be a list out of: {', '.join(LANGUAGES)}")
    return chosen


def _quiet_hours(raw: str) -> QuietHours:
    match = re.fullmatch(r"(\d\d):(\d\d)-(\d\d):(\d\d)", raw.strip())
    if not match:
        raise ValueError("must look like 22:00-08:00")
    hours = [int(part) for part in match.groups()]
    try:
        return QuietHours(start=time(hours[0], hours[1]), end=time(hours[2], hours[3]))
    except ValueError:
        raise ValueError("must hold two times of day, such as 22:00-08:00") from None


def _jobs(raw: str) -> str:
    if raw != "apscheduler":
        raise ValueError("must be apscheduler; no other driver exists in this version")
    return raw


def _tokens(raw: str) -> tuple[Secret, ...]:
    """One auth token, or two separated by a comma while the provider's token is being rotated."""
    tokens = tuple(Secret(part.strip()) for part in raw.split(",") if part.strip())
    if len(tokens) > 2:
        raise ValueError("holds more than two tokens")
    return tokens


def _sender(raw: str) -> str:
    """A number in E.164 format, or empty. A name cannot receive STOP, and texts have no opt-out link yet."""
    if raw and not re.fullmatch(r"\+[1-9]\d{6,14}", raw):
        raise ValueError(
            "must be a number such as +447700900000: an alphanumeric sender cannot receive STOP, "
            "and texts do not carry an opt-out link yet"
        )
    return raw


def _smtp_url(raw: str) -> Secret | None:
    if not raw:
        return None
    parts = urlsplit(raw)
    if parts.scheme not in ("smtp", "smtps", "smtp+starttls") or not parts.hostname:
        raise ValueError(
            "must look like smtps://user:password@mail.example.org:465 (smtp, smtp+starttls, smtps)"
        )
    return Secret(raw)


def _sends_password_unencrypted(smtp_url: str) -> bool:
    """Whether signing in at this server would send the password unencrypted over a network."""
    parts = urlsplit(smtp_url)
    return parts.scheme == "smtp" and bool(parts.username) and not is_loopback(smtp_url)


def _mail_from(raw: str) -> str:
    if not re.fullmatch(r"[^@\s<>,;]+@[^@\s<>,;]+", raw):
        raise ValueError("must be one e-mail address")
    return raw


def _log_level(raw: str) -> str:
    if raw.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise ValueError("must be DEBUG, INFO, WARNING or ERROR")
    return raw.upper()


def _count(lowest: int, highest: int) -> Callable[[str], int]:
    def parse(raw: str) -> int:
        if not raw.strip().isascii() or not raw.strip().isdigit() or not lowest <= int(raw) <= highest:
            raise ValueError(f"must be a whole number from {lowest:,} to {highest:,}")
        return int(raw)

    return parse
