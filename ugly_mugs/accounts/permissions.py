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
    # Organisations get pages of their own; at the desk their workers may do nothing.
    Role.ORGANISATION_WORKER: frozenset(),
}

OFFERED_ROLES = tuple(role for role in Role if role is not Role.ORGANISATION_WORKER)
"""The roles that an invitation may give."""

HOLDERS: Mapping[EpochKind, frozenset[Role]] = {
    EpochKind.DESK: frozenset({Role.MODERATOR, Role.CASEWORKER}),
    EpochKind.VETTING: frozenset({Role.MEMBER_ADMIN}),
}
"""Whose work needs which epoch's key."""

READS_NO_REPORT = frozenset({Role.ADMINISTRATOR, Role.AUDITOR})
"""Who brings people in and who looks at what was done hold no desk key, so neither task goes with one that does."""

DECIDING = frozenset({Permission.APPROVE, Permission.RELEASE})
"""What lets something leave the house; two people cannot be one, so these are never given by one person alone."""


def permissions_of(roles: Iterable[Role]) -> frozenset[Permission]:
    """Everything these roles together allow."""
    return frozenset().union(*(PERMISSIONS[role] for role in roles))


def kinds_for(roles: Iterable[Role]) -> frozenset[EpochKind]:
    """The epochs whose keys somebody with these roles must hold."""
    given = frozenset(roles)
    return frozenset(kind for kind, holders in HOLDERS.items() if holders & given)
