"""An alert as members read it on their page: only as two people approved it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from alerts.membership.models import Level, Member, MemberRegion
from alerts.publishing import choices, queries
from alerts.publishing.models import Alert, Change, TextChannel
from alerts.publishing.texts.snapshots import NotAsApproved, open_approved
from ugly_mugs.database.engine import db
from ugly_mugs.vault import ServiceVault
from ugly_mugs.web.languages import page_language


@dataclass(frozen=True)
class Notice:
    """One current alert; `language` is that of its text where the page is in another one."""

    reference: str
    severity: str
    danger: bool
    regions: str
    types: str
    text: str
    language: str
    since: datetime | None
    changed: bool
    here: bool = False


def for_member(member_id: UUID, *, vault: ServiceVault, now: datetime) -> list[Notice]:
    """Every current alert: those that concern the member's own regions first, the newest of each on top."""
    mine = set(db.session.scalars(sa.select(MemberRegion.region).where(MemberRegion.member_id == member_id)))
    language = language_of(member_id)
    found = [
        opened(alert, vault=vault, language=language, mine=mine) for alert in queries.current_alerts(now)
    ]
    return sorted((each for each in found if each is not None), key=lambda each: not each.here)


def language_of(member_id: UUID) -> str:
    return db.session.scalars(sa.select(Member.language).where(Member.id == member_id)).one()


def opened(
    alert: Alert, *, vault: ServiceVault, language: str, mine: set[str] | None = None
) -> Notice | None:
    """None for one whose approval does not hold; the worker does not send such a one either."""
    try:
        snapshot = open_approved(alert, vault=vault)
    except NotAsApproved:
        return None
    contents, language = snapshot.contents, snapshot.language_for(language)
    return Notice(
        reference=snapshot.reference,
        severity=choices.labels(choices.SEVERITIES, [contents.severity])[0],
        danger=contents.danger,
        regions=", ".join(choices.labels(choices.regions(), contents.regions)),
        types=choices.enumerated(choices.labels(choices.TYPES, contents.types)),
        text=snapshot.texts[TextChannel.PAGE, language, Level.FULL],
        language=language if language != page_language() else "",
        since=alert.approved_at,
        changed=alert.change is not Change.FIRST,
        here=bool((mine or set()) & set(contents.regions)),
    )
