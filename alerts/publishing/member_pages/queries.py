"""Current alerts as members read them, decrypted and checked against their approval."""

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
from ugly_mugs.web.page_language import page_language


@dataclass(frozen=True)
class Notice:
    """One current alert; `language` is the language of its text, or empty when that is the language of the page."""

    reference: str
    severity: str
    danger: bool
    regions: str
    types: str
    text: str
    language: str
    since: datetime | None
    changed: bool
    in_own_region: bool = False


def notices_for(member_id: UUID, *, vault: ServiceVault, now: datetime) -> list[Notice]:
    """Every current alert: first those of the member's own regions, then the others, newest first."""
    own_regions = set(
        db.session.scalars(sa.select(MemberRegion.region).where(MemberRegion.member_id == member_id))
    )
    language = language_of(member_id)
    notices = [
        notice_of(alert, vault=vault, language=language, own_regions=own_regions)
        for alert in queries.current_alerts(now)
    ]
    return sorted(filter(None, notices), key=lambda notice: not notice.in_own_region)


def language_of(member_id: UUID) -> str:
    return db.session.scalars(sa.select(Member.language).where(Member.id == member_id)).one()


def notice_of(
    alert: Alert, *, vault: ServiceVault, language: str, own_regions: set[str] | None = None
) -> Notice | None:
    """The notice; None when the alert differs from its approval, as the worker does not send it then either."""
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
        in_own_region=bool((own_regions or set()) & set(contents.regions)),
    )
