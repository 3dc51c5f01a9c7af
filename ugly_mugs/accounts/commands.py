"""`flask staff …` and `flask keys …`: managing staff, and the keys of the installation."""

from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask.cli import AppGroup
from sqlalchemy.exc import DBAPIError

from ugly_mugs.accounts import queries
from ugly_mugs.accounts.keys import epochs, recovery
from ugly_mugs.accounts.models import EpochKind, KeyEpoch, Staff, StaffState
from ugly_mugs.accounts.people import admission, enrolment, leaving
from ugly_mugs.accounts.permissions import OFFERED_ROLES
from ugly_mugs.database.engine import db
from ugly_mugs.errors import DomainError
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import KeyFileProblem, SwappedKey, UnknownWord, WrongLength
from ugly_mugs.vault.keys import keyfiles

staff = AppGroup("staff", help="Who works here.")
keys = AppGroup("keys", help="The keys of this installation.")
COMMANDS = (keys, staff)

ROLES = click.Choice([role.value for role in OFFERED_ROLES])


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turn the errors of services into a one-sentence message and a non-zero exit status."""
    try:
        yield
    except UnknownWord as unknown:
        near = f" Did you mean: {', '.join(unknown.suggestions)}?" if unknown.suggestions else ""
        raise click.ClickException(
            f"Word {unknown.position}, '{unknown.word}', is not in the list.{near}"
        ) from None
    except WrongLength as length:
        raise click.ClickException(
            f"These are {length.found} words; there must be {length.expected}."
        ) from None
    except SwappedKey:
        raise click.ClickException(
            "A public key in the database was not written by this service. Nothing was changed; "
            "compare the database with a backup before you go on."
        ) from None
    except KeyFileProblem as problem:
        raise click.ClickException(str(problem)) from None
    except DBAPIError as trouble:
        raise click.ClickException(
            f"The database does not answer or has no tables yet ({type(trouble.orig).__name__}). "
            "Look at 'flask doctor', or run 'flask db upgrade'."
        ) from None
    except DomainError as refusal:
        raise click.ClickException(refusal.message or "This cannot be done.") from None


def _person(login: str) -> Staff:
    person = queries.person_by_login(login, vault=runtime().vault)
    if person is None:
        raise click.ClickException(f"Nobody here is called {login}.")
    return person


def _ten_words() -> recovery.Recovered:
    typed = click.prompt("The ten recovery words", hide_input=True)
    return recovery.recover(typed, vault=runtime().vault)


def _mark(made: KeyEpoch) -> None:
    """Write the mark of a committed epoch into the key folder; until then the former epoch stays in use."""
    try:
        epochs.mark(runtime().settings.keys_dir, made, vault=runtime().vault)
    except KeyFileProblem as problem:
        again = (
            "flask keys rotate-desk" if made.kind is EpochKind.DESK else "flask keys rotate-desk --vetting"
        )
        raise click.ClickException(
            f"The new {made.kind} key is in the database, but not in use yet: {problem} Then run '{again}'."
        ) from None


@staff.command("invite")
@click.argument("login")
@click.option("--role", "roles", type=ROLES, multiple=True, required=True, help="may be given several times")
@plain_errors()
def invite(login: str, roles: tuple[str, ...]) -> None:
    """Invite somebody to work here."""
    chosen = [role for role in OFFERED_ROLES if role.value in roles]
    invited = enrolment.invite(vault=runtime().vault, login=login, roles=chosen, now=runtime().clock.now())
    db.session.commit()
    click.echo(_invitation(login, invited.code))


def _invitation(login: str, code: str) -> str:
    days = enrolment.INVITATION_LASTS.days
    address = f"{runtime().settings.public_url}/desk/join"
    return f"{login} types this code once, within {days} days, at {address}: {code}"


@staff.command("list")
@plain_errors()
def list_people() -> None:
    """Everybody who was invited and has not left."""
    people = queries.people_not_left()
    if not people:
        click.echo("Nobody works here yet.")
    named = [(queries.name_of(person, vault=runtime().vault), person) for person in people]
    for name, person in sorted(named, key=lambda entry: entry[0].casefold()):
        click.echo(f"{name}: {person.state} ({', '.join(sorted(queries.roles_of(person)))})")


@staff.command("admit")
@click.argument("login")
@plain_errors()
def admit(login: str) -> None:
    """Admit somebody with the recovery words: the first moderator, the first member admin."""
    vault, now = runtime().vault, runtime().clock.now()
    person = _person(login)
    if person.state is not StaffState.WAITING:
        raise click.ClickException(f"{login} is not waiting to be admitted.")
    click.echo(f"The key of {login} reads: {queries.public_key_of(person, vault=vault).words()}")
    click.echo(f"Go on only if {login} has read the same six words to you.")
    words = admission.admit_with_recovery(vault=vault, person=person, recovered=_ten_words(), now=now)
    db.session.commit()
    click.echo(f"{login} is admitted.")
    _show_new(words)


def _show_new(words: str) -> None:
    click.echo(
        "The old recovery words open nothing any more. Write the new ones on paper; they are shown once:"
    )
    click.echo(words)


@staff.command("remove")
@click.argument("login")
@plain_errors()
def remove(login: str) -> None:
    """Let somebody go: sessions and keys are deleted, and new keys begin."""
    made = leaving.remove(vault=runtime().vault, person=_person(login), now=runtime().clock.now())
    db.session.commit()
    for epoch in made:
        _mark(epoch)
    new = f" New keys are in use: {', '.join(epoch.kind for epoch in made)}." if made else ""
    click.echo(f"{login} can open nothing any more that comes in from now on.{new}")


@keys.command("init")
@click.option("--demo", is_flag=True, help="mark the keys as those of a try-out")
@plain_errors()
def init(demo: bool) -> None:
    """Make the keys of a new installation; existing ones are never overwritten."""
    folder = runtime().settings.keys_dir
    if epochs.live_recovery_key() is not None:
        raise click.ClickException("This database has keys already. Nothing was changed.")
    _key_files(demo=demo)
    started = recovery.first_start(vault=runtime().vault, now=runtime().clock.now())
    db.session.commit()
    click.echo(f"Keys are in {folder}. Write these ten recovery words on paper; they are shown once:")
    click.echo(started.words)
    for epoch in started.epochs:
        _mark(epoch)


def _key_files(*, demo: bool) -> None:
    """Create the key files, or reuse those of a first start that failed before its database commit."""
    folder = runtime().settings.keys_dir
    runtime().forget_keys()
    if not (folder / keyfiles.SERVICE_FILE).exists() and not (folder / keyfiles.WORKER_FILE).exists():
        keyfiles.create(folder, demo=demo)
    elif any(keyfiles.load_service(folder).epochs.values()):
        raise click.ClickException(
            f"{folder} holds keys that belong to another database. Nothing was changed; "
            "check UGLY_MUGS_DATABASE_URL and UGLY_MUGS_KEYS_DIR."
        )


@keys.command("rotate-desk")
@click.option("--vetting", is_flag=True, help="the key of the member admins instead")
@plain_errors()
def rotate_desk(vetting: bool) -> None:
    """Begin a new key for what comes in from now on."""
    kind = EpochKind.VETTING if vetting else EpochKind.DESK
    epoch = leaving.rotate(kind, vault=runtime().vault, now=runtime().clock.now())
    db.session.commit()
    _mark(epoch)
    click.echo(f"A new {kind} key, number {epoch.number}, is in use.")


@keys.command("recover")
@click.argument("login")
@plain_errors()
def recover(login: str) -> None:
    """For a forgotten passphrase or a lost authenticator: invite the same person to make a new key.

    The new key opens nothing until another moderator admits it at the desk, or 'flask staff admit' does with the
    recovery words.
    """
    code = enrolment.invite_again(vault=runtime().vault, person=_person(login), now=runtime().clock.now())
    db.session.commit()
    click.echo(f"The old key of {login} is gone. {_invitation(login, code)}")
