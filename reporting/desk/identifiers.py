"""Identifiers of an alleged offender in one report, and the tags that join it to others of the same series.

A tag is stored at filing for the form's own fields; one found in free text gets its tag when a moderator says whose
it is, from the secret point that has waited inside the sealed report.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

import sqlalchemy as sa
from flask_babel import gettext as _

from reporting.record import tags
from reporting.record.contents import Contents
from reporting.record.models import IdentifierTag, Report
from ugly_mugs.database.engine import db
from ugly_mugs.errors import Conflict
from ugly_mugs.text.identifiers import IdentifierKind
from ugly_mugs.vault import ServiceVault


@dataclass(frozen=True)
class Named:
    """One identifier of the report; `counted` when its tag is stored, `others` reports share it then."""

    kind: IdentifierKind
    normalised: str
    tag: bytes
    in_free_text: bool
    of_reporter: bool
    counted: bool
    others: int


def of_report(contents: Contents, *, vault: ServiceVault) -> list[Named]:
    """Every identifier of the report: those of the form's fields, then those found in free text."""
    own = tags.of_reporter(contents.sections["about_you"], contents.consents)
    found = {
        (kind, text): (vault.tags.series_tag(vault.tags.secret_point(kind, text)), False)
        for kind, text in tags.of_offenders(contents.offenders)
    }
    for point in contents.points:
        found.setdefault((point.kind, point.normalised), (vault.tags.series_tag(point.point), True))
    stored = _stored(contents.report_id)
    shared = _shared(contents.report_id)
    return [
        Named(
            kind=kind,
            normalised=text,
            tag=tag,
            in_free_text=loose,
            of_reporter=(kind, text) in own,
            counted=tag in stored,
            others=shared.get(tag, 0),
        )
        for (kind, text), (tag, loose) in found.items()
    ]


def mark(*, report: Report, contents: Contents, tag: bytes, vault: ServiceVault) -> Named:
    """A moderator says that this identifier is the alleged offender's; the report's row must be locked."""
    named = _named(contents, tag, vault)
    if named.of_reporter:
        raise Conflict(
            _("This stands in the fields about the reporter too, so it cannot be the other person's.")
        )
    if not named.counted:
        db.session.add(IdentifierTag(id=uuid4(), report_id=report.id, kind=named.kind, tag=tag))
    return named


def remove(*, report: Report, contents: Contents, tag: bytes, vault: ServiceVault) -> Named:
    """It was not the alleged offender's after all: its tag goes, and with it the link to other reports."""
    named = _named(contents, tag, vault)
    db.session.execute(
        sa.delete(IdentifierTag).where(IdentifierTag.report_id == report.id, IdentifierTag.tag == tag)
    )
    return named


def same_series(report_id: UUID) -> Sequence[Report]:
    """Other reports that share at least one identifier with this one, the newest first."""
    mine = sa.select(IdentifierTag.tag).where(IdentifierTag.report_id == report_id)
    others = sa.select(IdentifierTag.report_id).where(
        IdentifierTag.tag.in_(mine), IdentifierTag.report_id != report_id
    )
    query = sa.select(Report).where(Report.id.in_(others), Report.desk_wrap.is_not(None))
    return db.session.scalars(query.order_by(Report.received_on.desc(), Report.id)).all()


def _named(contents: Contents, tag: bytes, vault: ServiceVault) -> Named:
    """The report's identifier with this tag; somebody may have changed what stands in the report."""
    found = next((each for each in of_report(contents, vault=vault) if each.tag == tag), None)
    if found is None:
        raise Conflict(_("This identifier does not stand in the report."))
    return found


def _stored(report_id: UUID) -> set[bytes]:
    return set(db.session.scalars(sa.select(IdentifierTag.tag).where(IdentifierTag.report_id == report_id)))


def _shared(report_id: UUID) -> dict[bytes, int]:
    mine = sa.select(IdentifierTag.tag).where(IdentifierTag.report_id == report_id)
    counted = db.session.execute(
        sa.select(IdentifierTag.tag, sa.func.count())
        .where(IdentifierTag.tag.in_(mine), IdentifierTag.report_id != report_id)
        .group_by(IdentifierTag.tag)
    )
    return {row[0]: row[1] for row in counted}
