"""The invented data of a try-out: staff, members, reports and an alert, made through the services that make real ones.

This module makes the staff; each feature makes its own data in a `demo` module, a step that `app` registers.
Passphrases are new each time and stored only in `demo.json` in the keys folder, for the sandbox's page.
"""

import json
import os
import secrets
from base64 import b32encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from ugly_mugs.accounts.guard import SignedInStaff
from ugly_mugs.accounts.keys import epochs, recovery
from ugly_mugs.accounts.models import EpochKind, Role
from ugly_mugs.accounts.people import admission, enrolment
from ugly_mugs.database.columns import Model
from ugly_mugs.database.engine import db
from ugly_mugs.database.models import Installation
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import ServiceVault, Where, totp
from ugly_mugs.vault.keys import keyfiles

DEMO_FILE = "demo.json"

CAST: Sequence[tuple[str, tuple[Role, ...]]] = (
    ("alice", (Role.MODERATOR,)),
    ("bob", (Role.MODERATOR, Role.APPROVER)),
    ("carol", (Role.MEMBER_ADMIN, Role.ADMINISTRATOR)),
    ("dana", (Role.CASEWORKER,)),
    ("erin", (Role.AUDITOR,)),
)
# A second-factor code is accepted once. Enrolment is dated back, so that the code now on the page is unused.
ENROLLED = timedelta(minutes=10)


class NotADemo(Exception):
    """The installation is not known to be a try-out, so nothing was changed; the message says why."""


@dataclass
class Scene:
    """Shared by the steps: the staff who act, and the logins, members and reports to list in `demo.json`."""

    vault: ServiceVault
    now: datetime
    staff: dict[str, SignedInStaff] = field(default_factory=dict)
    logins: list[dict[str, Any]] = field(default_factory=list)
    members: list[dict[str, str | None]] = field(default_factory=list)
    reports: list[dict[str, str]] = field(default_factory=list)
    filed: list[UUID] = field(default_factory=list)


Step = Callable[[Scene], None]


def is_there() -> bool:
    """Whether complete demo data exists; `demo.json` is written last, so an interrupted run does not count."""
    return _installation() is not None and demo_file().exists()


def demo_file() -> Path:
    return runtime().settings.keys_dir / DEMO_FILE


def reset() -> Scene:
    """Empty the database of a try-out and make all demo data again; NotADemo if it may be a real one.

    Commits after each step.
    """
    _refuse_what_is_real()
    demo_file().unlink(missing_ok=True)
    _empty()
    scene = Scene(vault=runtime().vault, now=runtime().clock.now())
    _people(scene)
    steps: Sequence[Step] = runtime().wiring.demo_steps
    for step in steps:
        step(scene)
        db.session.commit()
    _write(scene)
    return scene


def _refuse_what_is_real() -> None:
    folder = runtime().settings.keys_dir
    if runtime().settings.is_production:
        raise NotADemo("The public address is a real one. Nothing was changed.")
    if not (folder / keyfiles.SERVICE_FILE).exists() and not (folder / keyfiles.WORKER_FILE).exists():
        keyfiles.create(folder, demo=True)
        runtime().forget_keys()
    if not keyfiles.load_service(folder).demo:
        raise NotADemo(f"The keys in {folder} are real ones. Nothing was changed.")
    installation = _installation()
    if not (installation.demo if installation else _is_empty()):
        raise NotADemo("This database is not one of a try-out. Nothing was changed.")


def _installation() -> Installation | None:
    return db.session.scalars(sa.select(Installation).limit(1)).first()


def _is_empty() -> bool:
    return not any(
        db.session.scalar(sa.select(sa.exists().select_from(table))) for table in Model.metadata.sorted_tables
    )


def _empty() -> None:
    """Delete every row and the epochs in the service file; tables and root keys stay."""
    for table in reversed(Model.metadata.sorted_tables):
        db.session.execute(sa.delete(table))
    db.session.commit()
    folder = runtime().settings.keys_dir
    file = keyfiles.load_service(folder)
    file.epochs.clear()
    keyfiles.save_service(folder, file)
    if (heads := runtime().settings.audit_head_file) is not None:
        # With the heads of the deleted log, `flask audit verify` would report the new one as cut off.
        heads.unlink(missing_ok=True)
    runtime().forget_keys()


def _people(scene: Scene) -> None:
    """The first start, then each person enrolled and admitted: with the recovery words or by alice."""
    vault, then = scene.vault, scene.now - ENROLLED
    started = recovery.first_start(vault=vault, now=then)
    db.session.commit()
    for epoch in started.epochs:
        epochs.mark(runtime().settings.keys_dir, epoch, vault=vault)
    words = started.words
    for login, roles in CAST:
        person, prepared = _enrol(scene, login, roles, then)
        if admission.needs_admission(person):
            if EpochKind.DESK in admission.missing_kinds(person, vault=vault) and scene.staff:
                alice = scene.staff["alice"]
                admission.admit(
                    vault=vault,
                    person=person,
                    by_id=alice.id,
                    by_key=alice.key,
                    by_roles=alice.roles,
                    now=then,
                )
            else:
                recovered = recovery.recover(words, vault=vault)
                words = admission.admit_with_recovery(
                    vault=vault, person=person, recovered=recovered, now=then
                )
        db.session.commit()
        seed = vault.staff_seals.open_seed(
            prepared.passphrase, person.private_key or b"", Where("staff", "private_key", person.id)
        )
        scene.staff[login] = SignedInStaff(id=person.id, name=login, roles=frozenset(roles), seed=seed)
        scene.logins.append(
            {
                "login": login,
                "passphrase": prepared.passphrase,
                "roles": [role.value.replace("_", " ") for role in roles],
                "totp_secret": b32encode(prepared.totp_secret).decode(),
            }
        )
    db.session.rollback()


def _enrol(scene: Scene, login: str, roles: Sequence[Role], then: datetime) -> tuple[Any, enrolment.Prepared]:
    invited = enrolment.invite(vault=scene.vault, login=login, roles=roles, now=then)
    person = enrolment.invited_person(vault=scene.vault, code=invited.code, now=then)
    assert person is not None  # nosec B101: invited in the line before
    prepared = enrolment.prepare()
    own = enrolment.own_key(vault=scene.vault, person_id=person.id, passphrase=prepared.passphrase)
    step = enrolment.proved_step(prepared, totp.code_now(prepared.totp_secret, then), now=then)
    enrolment.enrol(vault=scene.vault, person=person, prepared=prepared, own=own, step=step or 0, now=then)
    return person, prepared


def _write(scene: Scene) -> None:
    """Write `demo.json` with mode 0600 and atomically, because the sandbox reads it for each page."""
    content = {
        "web": runtime().settings.public_url,
        "staff": scene.logins,
        "members": scene.members,
        "reports": scene.reports,
    }
    temporary = demo_file().with_name(f".{DEMO_FILE}.{secrets.token_hex(8)}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=1)
    temporary.replace(demo_file())
