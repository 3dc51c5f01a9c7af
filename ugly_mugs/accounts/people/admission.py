"""Admitting a newcomer: one re-seal for each kind of epoch, after their fingerprint was heard from themselves."""

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


def needs_somebody(person: Staff) -> bool:
    """Whether somebody has to admit this person before they may work."""
    return bool(kinds_for(queries.roles_of(person))) or needs_second_person(person)


def needs_second_person(person: Staff) -> bool:
    """Whether a moderator who did not invite this person has to admit them, whatever else they need.

    So it is for everybody who may let something leave the house, once two moderators are there.
    """
    return bool(DECIDING & permissions_of(queries.roles_of(person))) and _two_moderators(person)


def invited_them(person: Staff, by_id: uuid.UUID) -> bool:
    """Whether this colleague invited the newcomer, or invited whoever did, however many names lie between.

    An administrator is admitted by nobody, so a second name to invite from could be made up in a minute.
    """
    inviter, seen = person.invited_by, set[uuid.UUID]()
    while inviter is not None and inviter not in seen:
        if inviter == by_id:
            return True
        seen.add(inviter)
        above = db.session.get(Staff, inviter)
        inviter = above.invited_by if above is not None else None
    return False


def _two_moderators(person: Staff) -> bool:
    """Whether there are two moderators at work, so that nobody need admit alone whom they invited.

    Somebody who comes back with a new key counts as one of the two: otherwise a command could put anybody in
    their place.
    """
    moderators = queries.active_people_with(Role.MODERATOR)
    others = sum(1 for each in moderators if each.id != person.id)
    return others >= (1 if person.admitted_on else 2)


def missing_kinds(person: Staff, *, vault: ServiceVault) -> frozenset[EpochKind]:
    """The epochs somebody still has to hand on to this person."""
    return epochs.missing_kinds(person, kinds_for(queries.roles_of(person)), vault=vault)


def fingerprint_matches(person: Staff, heard: str, *, vault: ServiceVault) -> bool:
    """Whether these are the six words of this person's key; UnknownWord and WrongLength say what was mistyped."""
    shown = queries.public_key_of(person, vault=vault).words()
    return words.read(heard, FINGERPRINT_WORDS) == words.read(shown, FINGERPRINT_WORDS)


def may_admit(person: Staff, *, by_id: uuid.UUID, by_roles: frozenset[Role], vault: ServiceVault) -> bool:
    """Whether this colleague can bring the newcomer a step further."""
    if by_id == person.id or (_two_moderators(person) and invited_them(person, by_id)):
        return False
    missing = missing_kinds(person, vault=vault)
    if not missing:
        return Permission.ADMIT_MODERATORS in permissions_of(by_roles)
    return bool(missing & kinds_for(by_roles))


def _may_finish(person: Staff, by_roles: frozenset[Role]) -> bool:
    """Whether the last epoch handed on by this colleague is also the admission.

    A member admin may hand on what they hold to a newcomer who may also approve, but the word of a moderator
    has to follow: the newcomer goes on waiting until one has admitted them.
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
    """Hand on every epoch the newcomer needs and this colleague holds; gives the kinds still missing.

    Somebody with nothing missing may still wait for a moderator: their state says whether they are at work.
    """
    _must_wait(person)
    if not may_admit(person, by_id=by_id, by_roles=by_roles, vault=vault):
        raise NotAllowed(_("Somebody else has to admit this person."))
    # An epoch begun while this colleague was signed in may still lack its link to the former one.
    epochs.add_links(by_id, by_key, vault=vault)
    missing = missing_kinds(person, vault=vault)
    given = missing & kinds_for(by_roles)
    for kind in given:
        epochs.hand_on(kind, to=person, by_id=by_id, by_key=by_key, vault=vault)
    audit.record(AuditKind.STAFF_ADMITTED, actor_id=by_id, subject_id=person.id, day=now.date())
    if not missing - given and _may_finish(person, by_roles):
        _set_to_work(person, now=now)
    return missing - given


def admit_with_recovery(
    *, vault: ServiceVault, person: Staff, recovered: recovery.Recovered, now: datetime
) -> str:
    """Admit with the words on paper, for whoever has no colleague yet; gives the words that replace them."""
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
