"""Who may do what at the desk: one table, from roles to permissions."""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from ugly_mugs.accounts.models import EpochKind, Role


class Permission(StrEnum):
    OPEN_REPORTS = "open_reports"
    REDACT = "redact"
    DRAFT = "draft"
    CONVERSE = "converse"
    FILE_FOR_CALLER = "file_for_caller"
    APPROVE = "approve"
    RELEASE = "release"
    ADMIT_MODERATORS = "admit_moderators"
    VET = "vet"
    SETTINGS = "settings"
    INVITE = "invite"
    AUDIT = "audit"
    SEE_DRAFTS = "see_drafts"


PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.MODERATOR: frozenset(
        {
            Permission.OPEN_REPORTS,
            Permission.REDACT,
            Permission.DRAFT,
            Permission.CONVERSE,
            Permission.FILE_FOR_CALLER,
            Permission.ADMIT_MODERATORS,
            Permission.SEE_DRAFTS,
        }
    ),
    Role.CASEWORKER: frozenset({Permission.OPEN_REPORTS, Permission.CONVERSE, Permission.FILE_FOR_CALLER}),
    Role.APPROVER: frozenset({Permission.APPROVE, Permission.SEE_DRAFTS}),
    Role.RELEASER: frozenset({Permission.RELEASE, Permission.SEE_DRAFTS}),
    Role.MEMBER_ADMIN: frozenset({Permission.VET}),
    Role.ADMINISTRATOR: frozenset({Permission.SETTINGS, Permission.INVITE}),
    Role.AUDITOR: frozenset({Permission.AUDIT}),
    # Workers of other organisations have no permission at the desk.
    Role.ORGANISATION_WORKER: frozenset(),
}

OFFERED_ROLES = tuple(role for role in Role if role is not Role.ORGANISATION_WORKER)
"""The roles that an invitation may give."""

HOLDERS: Mapping[EpochKind, frozenset[Role]] = {
    EpochKind.DESK: frozenset({Role.MODERATOR, Role.CASEWORKER}),
    EpochKind.VETTING: frozenset({Role.MEMBER_ADMIN}),
}
"""The roles that need each kind of epoch key."""

READS_NO_REPORT = frozenset({Role.ADMINISTRATOR, Role.AUDITOR})
"""Administrators (who invite) and auditors hold no desk key, so neither role combines with one that holds it."""

DECIDING = frozenset({Permission.APPROVE, Permission.RELEASE})
"""Permissions that let something leave the service. Who holds one is admitted by a second person, so that nobody
can invent the second pair of eyes."""


def permissions_of(roles: Iterable[Role]) -> frozenset[Permission]:
    return frozenset().union(*(PERMISSIONS[role] for role in roles))


def kinds_for(roles: Iterable[Role]) -> frozenset[EpochKind]:
    """The kinds of epoch whose keys somebody with these roles must hold."""
    held = frozenset(roles)
    return frozenset(kind for kind, holders in HOLDERS.items() if holders & held)
