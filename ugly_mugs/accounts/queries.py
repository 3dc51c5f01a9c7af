"""Reads about staff."""

import uuid
from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from ugly_mugs.accounts.models import Role, Staff, StaffRole, StaffState
from ugly_mugs.accounts.permissions import PERMISSIONS, Permission
from ugly_mugs.database.engine import db
from ugly_mugs.vault import PublicKey, ServiceVault, SwappedKey
from ugly_mugs.vault.where import Where
from ugly_mugs.web.form_fields import clean


def login_tag(login: str, *, vault: ServiceVault) -> bytes:
    """The keyed hash by which the database finds a login; case is ignored."""
    return vault.keyed("rest", b"login", clean(login, lines=False).casefold().encode())


def person_by_login(login: str, *, vault: ServiceVault) -> Staff | None:
    return db.session.scalars(sa.select(Staff).where(Staff.login == login_tag(login, vault=vault))).first()


def roles_of(person: Staff) -> frozenset[Role]:
    return frozenset(held.role for held in person.roles)


def name_of(person: Staff, *, vault: ServiceVault) -> str:
    """The login as it was typed at the invitation."""
    return vault.open_rest(person.name, Where("staff", "name", person.id)).decode()


def names_of(ids: Iterable[uuid.UUID], *, vault: ServiceVault) -> dict[uuid.UUID, str]:
    """Names by id, also of people who have left."""
    people = db.session.scalars(sa.select(Staff).where(Staff.id.in_(set(ids))))
    return {person.id: name_of(person, vault=vault) for person in people}


def public_key_of(person: Staff, *, vault: ServiceVault) -> PublicKey:
    """The person's public key, checked; SwappedKey when this service did not write it into the database."""
    if person.public_key is None or person.public_key_mac is None:
        raise SwappedKey
    return vault.check_public_key(
        Where("staff", "public_key", person.id), person.public_key, person.public_key_mac
    )


def people_not_left() -> Sequence[Staff]:
    return db.session.scalars(
        sa.select(Staff).where(Staff.state != StaffState.LEFT).order_by(Staff.created_on, Staff.id)
    ).all()


def people_waiting() -> Sequence[Staff]:
    return db.session.scalars(
        sa.select(Staff).where(Staff.state == StaffState.WAITING).order_by(Staff.created_on, Staff.id)
    ).all()


def active_people_with(*roles: Role) -> Sequence[Staff]:
    """Active staff who have at least one of these roles."""
    return db.session.scalars(
        sa.select(Staff)
        .where(
            Staff.state == StaffState.ACTIVE,
            sa.exists().where(StaffRole.staff_id == Staff.id, StaffRole.role.in_(roles)),
        )
        .order_by(Staff.id)
    ).all()


def people_who_may(permission: Permission) -> Sequence[Staff]:
    return active_people_with(*(role for role, allowed in PERMISSIONS.items() if permission in allowed))
