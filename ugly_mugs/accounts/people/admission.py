"""Admitting a newcomer: each epoch key they need is sealed to their key, after they read out its fingerprint."""

import uuid
from datetime import datetime

from flask_babel import gettext as _

from ugly_mugs.accounts import queries
from ugly_mugs.accounts.keys import epochs, recovery
from ugly_mugs.accounts.models import STAFF_MOVES, EpochKind, Holder, Role, Staff, StaffState
from ugly_mugs.accounts.permissions import DECIDING, Permission, kinds_for, permissions_of
from ugly_mugs.audit import log as audit
from ugly_mugs.audit.models import AuditKind
from ugly_mugs.database.engine import db
from ugly_mugs.errors import Conflict, NotAllowed
from ugly_mugs.vault import PrivateKey, ServiceVault, words

FINGERPRINT_WORDS = 6


def needs_admission(person: Staff) -> bool:
    """Whether somebody has to admit this person before they may work."""
    return bool(kinds_for(queries.roles_of(person))) or needs_second_person(person)


def needs_second_person(person: Staff) -> bool:
    """Whether a moderator who did not invite this person has to admit them, in addition to any key they need.

    This is so for everybody who may approve or release, once there are two moderators.
    """
    return bool(DECIDING & permissions_of(queries.roles_of(person))) and _two_moderators(person)


def was_invited_by(person: Staff, by_id: uuid.UUID) -> bool:
    """Whether this colleague invited the newcomer, directly or through a chain of invitations.

    Administrators need no admission, so an administrator could invite a second account and invite from there.
    """
    inviter, visited = person.invited_by, set[uuid.UUID]()
    while inviter is not None and inviter not in visited:
        if inviter == by_id:
            return True
        visited.add(inviter)
        above = db.session.get(Staff, inviter)
        inviter = above.invited_by if above is not None else None
    return False


def _two_moderators(person: Staff) -> bool:
    """Whether two moderators are active, so that the rule of a second person can be met.

    Somebody who returns with a new key counts as one of the two: otherwise `flask keys recover` could put anybody in
    their place without a second person.
    """
    moderators = queries.active_people_with(Role.MODERATOR)
    colleagues = sum(1 for moderator in moderators if moderator.id != person.id)
    return colleagues >= (1 if person.admitted_on else 2)


def missing_kinds(person: Staff, *, vault: ServiceVault) -> frozenset[EpochKind]:
    return epochs.missing_kinds(person, kinds_for(queries.roles_of(person)), vault=vault)


def fingerprint_matches(person: Staff, heard: str, *, vault: ServiceVault) -> bool:
    """Whether these are the six words of this person's key; raises UnknownWord and WrongLength for typing mistakes."""
    shown = queries.public_key_of(person, vault=vault).words()
    return words.read(heard, FINGERPRINT_WORDS) == words.read(shown, FINGERPRINT_WORDS)


def may_admit(person: Staff, *, by_id: uuid.UUID, by_roles: frozenset[Role], vault: ServiceVault) -> bool:
    """Whether this colleague may admit the newcomer, or share at least one epoch that they need."""
    if by_id == person.id or (_two_moderators(person) and was_invited_by(person, by_id)):
        return False
    missing = missing_kinds(person, vault=vault)
    if not missing:
        return Permission.ADMIT_MODERATORS in permissions_of(by_roles)
    return bool(missing & kinds_for(by_roles))


def _may_finish(person: Staff, by_roles: frozenset[Role]) -> bool:
    """Whether sharing the last missing epoch also completes the admission.

    A member admin may share the vetting epoch with a newcomer who may also approve; the newcomer still waits until a
    moderator admits them.
    """
    return not needs_second_person(person) or Permission.ADMIT_MODERATORS in permissions_of(by_roles)


def admit(
    *,
    vault: ServiceVault,
    person: Staff,
    by_id: uuid.UUID,
    by_key: PrivateKey,
    by_roles: frozenset[Role],
    now: datetime,
) -> frozenset[EpochKind]:
    """Share every epoch that the newcomer needs and this colleague holds; gives the kinds still missing.

    A newcomer with nothing missing may still wait for a moderator; `person.state` says so.
    """
    _must_wait(person)
    if not may_admit(person, by_id=by_id, by_roles=by_roles, vault=vault):
        raise NotAllowed(_("Somebody else has to admit this person."))
    # An epoch that began while this colleague was signed in may lack its link to the former one.
    epochs.add_links(by_id, by_key, vault=vault)
    missing = missing_kinds(person, vault=vault)
    shared = missing & kinds_for(by_roles)
    for kind in shared:
        epochs.share_current(kind, to=person, by_id=by_id, by_key=by_key, vault=vault)
    audit.record(AuditKind.STAFF_ADMITTED, actor_id=by_id, subject_id=person.id, day=now.date())
    if not missing - shared and _may_finish(person, by_roles):
        _set_to_work(person, now=now)
    return missing - shared


def admit_with_recovery(
    *, vault: ServiceVault, person: Staff, recovered: recovery.Recovered, now: datetime
) -> str:
    """Admit with the recovery words, when no colleague can; gives the new words that replace them."""
    _must_wait(person)
    if needs_second_person(person):
        raise NotAllowed(
            _(
                "This person may approve or release, so a moderator has to admit them at the desk, under People."
            )
        )
    holder_key = queries.public_key_of(person, vault=vault)
    for kind in missing_kinds(person, vault=vault):
        epoch, _public = epochs.current(kind, vault=vault)
        private = epochs.open_epoch(Holder.RECOVERY, recovered.row.id, recovered.key, epoch.id)
        epochs.add_seal(epoch, private, Holder.STAFF, person.id, holder_key=holder_key)
    audit.record(AuditKind.STAFF_ADMITTED, subject_id=person.id, day=now.date())
    _set_to_work(person, now=now)
    return recovery.replace(recovered, vault=vault, now=now)


def _must_wait(person: Staff) -> None:
    if person.state is not StaffState.WAITING:
        raise Conflict(_("This person is not waiting to be admitted."))


def _set_to_work(person: Staff, *, now: datetime) -> None:
    STAFF_MOVES.move(person, StaffState.ACTIVE)
    person.admitted_on = person.admitted_on or now.date()
    db.session.flush()
