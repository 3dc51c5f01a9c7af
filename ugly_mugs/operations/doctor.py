"""The checks of `flask doctor`: whether each part the service needs works, and what to do if not."""

import resource
import smtplib
import stat
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import urllib3
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import DBAPIError

from ugly_mugs.database.engine import brief_reading, db
from ugly_mugs.migrations import FOLDER
from ugly_mugs.operations.health import worker_is_alive
from ugly_mugs.operations.start_checks import UnfitStart, refuse_unfit_start
from ugly_mugs.outbox.gateways.smtp import MailServer
from ugly_mugs.outbox.gateways.transport import NeverConnected, SenderBroken, Untrusted
from ugly_mugs.settings import Settings
from ugly_mugs.vault import KeyFileProblem
from ugly_mugs.vault.keys import keyfiles

# Seconds to wait for the SMS provider and for the mail server.
TIMEOUT = 10.0
PROVIDER = "https://api.twilio.com"
SMTP_OK = 250
SWAPS = Path("/proc/swaps")


class Unwell(Exception):
    """A check failed; the message says what to do."""


@dataclass(frozen=True)
class Finding:
    """The result of one check; `problem` says what to do and is empty if all is well."""

    name: str
    problem: str = ""

    @property
    def well(self) -> bool:
        return not self.problem


def examine(settings: Settings, *, as_web: bool = False) -> list[Finding]:
    """Run every check; a failed one does not prevent the others.

    `as_web`: run by the web's user, who has no provider credentials and must not be able to read the worker's keys.
    """
    checks: list[tuple[str, Callable[[Settings], None]]] = [
        ("keys", keys),
        ("file permissions", permissions),
        ("database", database),
        ("worker", worker),
    ]
    if not as_web:
        checks += [("SMS provider", provider), ("mail", mail)]
    if settings.is_production:
        checks += [
            ("fit for real use", partial(fit, web=as_web)),
            ("core dumps", core_dumps),
            ("swap", swap),
            ("audit head", audit_head),
        ]
    return [Finding(name, _problem(check, settings)) for name, check in checks]


def _problem(check: Callable[[Settings], None], settings: Settings) -> str:
    try:
        with brief_reading():
            check(settings)
    except Unwell as problem:
        return str(problem)
    except DBAPIError:
        return "This needs the database, which does not answer or has no tables yet."
    return ""


def keys(settings: Settings) -> None:
    try:
        service = keyfiles.load_service(settings.keys_dir)
    except KeyFileProblem as problem:
        raise Unwell(str(problem)) from None
    if not service.epochs:
        raise Unwell("There is no desk key yet, so nobody could open a report. Run: flask keys init")
    if keyfiles.worker_file_readable(settings.keys_dir):
        try:
            keyfiles.load_worker(settings.keys_dir)
        except KeyFileProblem as problem:
            raise Unwell(str(problem)) from None


def permissions(settings: Settings) -> None:
    too_open = []
    files = [settings.keys_dir, *sorted(settings.keys_dir.glob("*.key"))]
    if settings.database_url.startswith("sqlite:///"):
        path = Path(settings.database_url.removeprefix("sqlite:///"))
        files += [path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")]
    if settings.audit_head_file is not None:
        files.append(settings.audit_head_file)
    for file in files:
        try:
            others_may = stat.S_IMODE(file.stat().st_mode) & stat.S_IRWXO
        except OSError:
            continue
        if others_may:
            too_open.append(str(file))
    if too_open:
        raise Unwell(f"Everybody on this machine can enter these. Run: chmod o-rwx {' '.join(too_open)}")


def database(settings: Settings) -> None:
    try:
        with db.engine.connect() as connection:
            current = set(MigrationContext.configure(connection).get_current_heads())
    except DBAPIError as error:
        kind = type(error.orig).__name__
        raise Unwell(
            f"The database does not answer ({kind}). See that it runs, has space, and that "
            "UGLY_MUGS_DATABASE_URL names it."
        ) from None
    if current != set(ScriptDirectory(str(FOLDER)).get_heads()):
        raise Unwell("The database is not up to date with this version. Run: flask db upgrade")


def worker(settings: Settings) -> None:
    if not worker_is_alive():
        raise Unwell("No worker has been seen for a minute: nothing is being sent. Start one: flask worker")


def provider(settings: Settings) -> None:
    if not settings.can_text:
        raise Unwell(
            "No text can be sent: set UGLY_MUGS_TWILIO_ACCOUNT_SID, UGLY_MUGS_TWILIO_AUTH_TOKEN and "
            "UGLY_MUGS_TWILIO_FROM. Only the worker has them, so ask as the worker's user."
        )
    base = settings.twilio_api_url or PROVIDER
    for token in settings.twilio_auth_token:
        credentials = b64encode(f"{settings.twilio_account_sid}:{token.value}".encode()).decode()
        status = _status(f"{base}/2010-04-01/Accounts/{settings.twilio_account_sid}.json", credentials)
        if status == 401:
            raise Unwell(
                "The SMS provider does not accept the credentials. Compare UGLY_MUGS_TWILIO_ACCOUNT_SID and "
                "UGLY_MUGS_TWILIO_AUTH_TOKEN with those of your account."
            )
        if status != 200:
            raise Unwell(
                f"The SMS provider answered with status {status}. Look at its status page, then ask again."
            )


def _status(url: str, credentials: str) -> int:
    try:
        with urllib3.PoolManager(retries=False, timeout=TIMEOUT) as pool:
            response = pool.request(
                "GET", url, headers={"Authorization": f"Basic {credentials}"}, redirect=False
            )
            return response.status
    except urllib3.exceptions.HTTPError as error:
        raise Unwell(
            f"The SMS provider cannot be reached ({type(error).__name__}). See that this machine may open "
            "connections to it, and what UGLY_MUGS_TWILIO_API_URL says if it is set."
        ) from None


def mail(settings: Settings) -> None:
    if settings.smtp_url is None:
        raise Unwell("No e-mail can be sent: set UGLY_MUGS_SMTP_URL. Only the worker has it.")
    # Connects exactly as the worker does.
    try:
        with MailServer.from_url(settings.smtp_url.value).connect(TIMEOUT) as server:
            code, _reply = server.noop()
    except Untrusted:
        raise Unwell(
            "The mail server has no certificate that this machine trusts for the name in UGLY_MUGS_SMTP_URL, so "
            "nothing is sent to it. Write the name its certificate is for, or have this machine trust who signed it."
        ) from None
    except SenderBroken:
        raise Unwell(
            "The mail server does not accept the user and password in UGLY_MUGS_SMTP_URL, or does not offer what its "
            "beginning asks for: STARTTLS, signing in."
        ) from None
    except (NeverConnected, smtplib.SMTPException, OSError):
        raise Unwell(
            "The mail server cannot be used. Compare UGLY_MUGS_SMTP_URL with what your provider says: host, port, and "
            "which of smtps and smtp+starttls. See that this machine may open connections to it."
        ) from None
    if code != SMTP_OK:
        raise Unwell("The mail server answers, but refuses to work. Look at its own log.")


def fit(settings: Settings, *, web: bool) -> None:
    try:
        refuse_unfit_start(settings, web=web)
    except UnfitStart as unfit:
        raise Unwell(" ".join(unfit.problems)) from None


def core_dumps(settings: Settings) -> None:
    soft, _ = resource.getrlimit(resource.RLIMIT_CORE)
    if soft != 0:
        raise Unwell(
            "A crash could write a process's memory to disk. Set LimitCORE=0 for the services, "
            "or 'ulimit -c 0' where they are started."
        )


def swap(settings: Settings) -> None:
    try:
        areas = SWAPS.read_text("ascii").splitlines()[1:]
    except OSError:
        return
    if areas:
        raise Unwell(
            "Memory, with keys and opened reports in it, may be written to swap. Run: swapoff -a, and take it out "
            "of /etc/fstab."
        )


def audit_head(settings: Settings) -> None:
    if settings.audit_head_file is None:
        raise Unwell(
            "Nothing outside the database shows where the audit log ends, so its end could be cut off. "
            "Set UGLY_MUGS_AUDIT_HEAD_FILE to a file on another disk or machine."
        )
