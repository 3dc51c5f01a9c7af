"""Reasons to refuse a production start, one whose public URL is not an address of this machine."""

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from ugly_mugs.database.engine import brief_reading, db
from ugly_mugs.database.models import Installation
from ugly_mugs.sandbox.settings import ACCOUNT_SID, AUTH_TOKEN
from ugly_mugs.settings import Settings, is_loopback
from ugly_mugs.vault import KeyFileProblem
from ugly_mugs.vault.keys import keyfiles

# Reserved names (RFC 2606, RFC 6761): mail from them is rejected, and bounces to them cannot be delivered.
RESERVED_DOMAINS = ("localhost", "example", "example.com", "example.net", "example.org", "invalid", "test")


class UnfitStart(Exception):
    """The production start is refused; `problems` holds a sentence for each reason, saying what to do."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def refuse_unfit_start(settings: Settings, *, web: bool = True) -> None:
    """Raise UnfitStart if a production start finds parts of a try-out, or if the web can read the worker's keys.

    A start on an address of this machine is a try-out and refuses nothing. The worker, which must read its keys,
    calls this with `web=False`.
    """
    if not settings.is_production:
        return
    problems = [*_demo_keys(settings), *_demo_accounts(), *_sandbox(settings), *_sender(settings)]
    if web and keyfiles.worker_file_readable(settings.keys_dir):
        problems.append(
            f"The web can read {settings.keys_dir / keyfiles.WORKER_FILE}, so whoever breaks into it could read "
            "every member's address. Run web and worker as different users, neither of them root, and give that "
            "file to the worker's: chown ugly-mugs-worker, chmod 600."
        )
    if problems:
        raise UnfitStart(problems)


def _demo_keys(settings: Settings) -> list[str]:
    try:
        demo = keyfiles.load_service(settings.keys_dir).demo
    except KeyFileProblem as problem:
        return [str(problem)]
    if not demo:
        return []
    return [
        f"The keys in {settings.keys_dir} are those of a try-out, whose passphrases lie beside them. "
        "Choose an empty folder and run: flask keys init"
    ]


def _demo_accounts() -> list[str]:
    try:
        with brief_reading():
            demo = db.session.scalar(sa.select(Installation.demo).where(Installation.demo.is_(True)).limit(1))
    except DBAPIError:
        return ["The database does not answer, or has no tables yet. Run: flask db upgrade"]
    if not demo:
        return []
    return [
        "The database is that of a try-out, with accounts whose passphrases are known. "
        "Choose an empty database and run: flask db upgrade"
    ]


def _sandbox(settings: Settings) -> list[str]:
    tokens = {token.value for token in settings.twilio_auth_token}
    at_loopback = settings.twilio_api_url is not None and is_loopback(settings.twilio_api_url)
    if not (at_loopback or settings.twilio_account_sid == ACCOUNT_SID or AUTH_TOKEN in tokens):
        return []
    return [
        "The SMS provider is the sandbox, which sends nothing to anybody. Set UGLY_MUGS_TWILIO_ACCOUNT_SID, "
        "UGLY_MUGS_TWILIO_AUTH_TOKEN and UGLY_MUGS_TWILIO_FROM to those of your account, and leave out "
        "UGLY_MUGS_TWILIO_API_URL."
    ]


def _sender(settings: Settings) -> list[str]:
    domain = settings.mail_from.rpartition("@")[2].lower().rstrip(".")
    if not any(domain == name or domain.endswith(f".{name}") for name in RESERVED_DOMAINS):
        return []
    return [
        f"E-mails would come from {settings.mail_from}, an address that nobody can have. Set UGLY_MUGS_MAIL_FROM to "
        "an address of yours that your mail server may send from."
    ]
