"""Draft keys: one for each version of an alert, wrapped to the people who may read the draft, deleted at approval."""

from collections.abc import Iterable
from logging import getLogger
from uuid import UUID, uuid4

import sqlalchemy as sa
from flask_babel import gettext as _

from alerts.publishing.models import Alert, DraftKey
from alerts.publishing.texts.contents import DraftSealingKey
from ugly_mugs.accounts import queries as staff_queries
from ugly_mugs.accounts.guard import SignedInStaff
from ugly_mugs.accounts.models import Staff
from ugly_mugs.accounts.permissions import Permission
from ugly_mugs.database.statements import change_rows
from ugly_mugs.errors import NotAllowed
from ugly_mugs.vault import ServiceVault, SwappedKey, Where, content, symmetric

log = getLogger(__name__)


def new_key() -> DraftSealingKey:
    return DraftSealingKey(symmetric.new_key())


def open_draft_key(alert: Alert, staff: SignedInStaff) -> DraftSealingKey:
    """Unwrap the draft key with this person's key; NotAllowed when it is not wrapped to them."""
    wrapped = next((row for row in alert.draft_keys if row.staff_id == staff.id), None)
    if wrapped is None:
        raise NotAllowed(_("Only its authors and those who may approve it can read this one."))
    where = Where("draft_keys", "wrapped", wrapped.id)
    return DraftSealingKey(staff.key.open(wrapped.wrapped, where))


def may_read(alert: Alert, staff_id: UUID) -> bool:
    return any(row.staff_id == staff_id for row in alert.draft_keys)


def wrap_for_writing(alert: Alert, key: DraftSealingKey, *, vault: ServiceVault) -> None:
    """Wrap for the state `draft`: to everybody who may draft, because they may also open the report."""
    _wrap(alert, key, staff_queries.people_who_may(Permission.DRAFT), vault=vault)


def wrap_for_approval(alert: Alert, key: DraftSealingKey, *, vault: ServiceVault) -> int:
    """Wrap from submission on: to the authors and everybody who may approve. Returns how many may approve it."""
    authors = {author.staff_id for author in alert.authors}
    writers = [person for person in staff_queries.people_who_may(Permission.DRAFT) if person.id in authors]
    approvers = staff_queries.people_who_may(Permission.APPROVE)
    reached = _wrap(alert, key, [*writers, *approvers], vault=vault)
    return len({person.id for person in approvers} & reached - authors)


def forget(alert: Alert) -> None:
    """Delete every wrap, so that nobody can open what is sealed under this key."""
    alert.draft_keys.clear()


def forget_person(staff_id: UUID) -> None:
    """Delete what is wrapped to somebody who left or gets a new key pair. The caller commits.

    With a new key pair they can read a draft again after a colleague submits it, sends it back or takes it back,
    because each of these steps wraps the key again. A draft that nobody else can open has to be written again.
    """
    change_rows(sa.delete(DraftKey).where(DraftKey.staff_id == staff_id))


def _wrap(alert: Alert, key: DraftSealingKey, people: Iterable[Staff], *, vault: ServiceVault) -> set[UUID]:
    """Wrap to exactly these people, and replace earlier wraps, because keys may be new. Returns whom it reached."""
    rows = {row.staff_id: row for row in alert.draft_keys}
    reached = set()
    for person in people:
        try:
            public = staff_queries.public_key_of(person, vault=vault)
        except SwappedKey:
            # The public key was replaced in the database: skip this person and go on with the others.
            log.error("the public key of a person does not hold")
            continue
        row = rows.get(person.id)
        if row is None:
            row = rows[person.id] = DraftKey(id=uuid4(), staff_id=person.id)
            alert.draft_keys.append(row)
        row.wrapped = content.wrap(public, key.key, Where("draft_keys", "wrapped", row.id))
        reached.add(person.id)
    for staff_id, row in rows.items():
        if staff_id not in reached:
            alert.draft_keys.remove(row)
    return reached
