"""Identifiers of an alleged offender in one report, and the tags that join it to other reports of a series.

For the form's own fields a tag is stored at filing. For an identifier in free text it is stored when a moderator says
that it is the alleged offender's; it is computed from the secret point in the sealed report.
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
class ReportIdentifier:
    """One identifier of the report. `tagged`: its tag is stored; `others`: how many other reports have this tag."""

    kind: IdentifierKind
    normalised: str
    tag: bytes
    in_free_text: bool
    of_reporter: bool
    tagged: bool
    others: int


def of_report(contents: Contents, *, vault: ServiceVault) -> list[ReportIdentifier]:
    """Every identifier of the report: those of the form's fields, then those found in free text."""
    own = tags.of_reporter(contents.sections["about_you"], contents.consents)
    tag_of = {
        (kind, text): (vault.tags.series_tag(vault.tags.secret_point(kind, text)), False)
        for kind, text in tags.of_offenders(contents.offenders)
    }
    for point in contents.points:
        tag_of.setdefault((point.kind, point.normalised), (vault.tags.series_tag(point.point), True))
    stored = tags.stored(contents.report_id)
    shared = _numbers_of_other_reports(contents.report_id)
    return [
        ReportIdentifier(
            kind=kind,
            normalised=text,
            tag=tag,
            in_free_text=in_free_text,
            of_reporter=(kind, text) in own,
            tagged=tag in stored,
            others=shared.get(tag, 0),
        )
        for (kind, text), (tag, in_free_text) in tag_of.items()
    ]


def add_tag(*, report: Report, contents: Contents, tag: bytes, vault: ServiceVault) -> ReportIdentifier:
    """Store the tag: a moderator says that the identifier is the alleged offender's.

    Conflict when it is also the reporter's, or not in the report. The report's row must be locked.
    """
    identifier = _identifier_with_tag(contents, tag, vault)
    if identifier.of_reporter:
        raise Conflict(
            _("This stands in the fields about the reporter too, so it cannot be the other person's.")
        )
    if not identifier.tagged:
        db.session.add(IdentifierTag(id=uuid4(), report_id=report.id, kind=identifier.kind, tag=tag))
    return identifier


def remove_tag(*, report: Report, contents: Contents, tag: bytes, vault: ServiceVault) -> ReportIdentifier:
    """Delete the tag, and so the link to other reports; Conflict when the identifier is not in the report."""
    identifier = _identifier_with_tag(contents, tag, vault)
    db.session.execute(
        sa.delete(IdentifierTag).where(IdentifierTag.report_id == report.id, IdentifierTag.tag == tag)
    )
    return identifier


def same_series(report_id: UUID) -> Sequence[Report]:
    """Other reports that share at least one identifier with this one, the newest first."""
    own_tags = sa.select(IdentifierTag.tag).where(IdentifierTag.report_id == report_id)
    others = sa.select(IdentifierTag.report_id).where(
        IdentifierTag.tag.in_(own_tags), IdentifierTag.report_id != report_id
    )
    query = sa.select(Report).where(Report.id.in_(others), Report.desk_wrap.is_not(None))
    return db.session.scalars(query.order_by(Report.received_on.desc(), Report.id)).all()


def _identifier_with_tag(contents: Contents, tag: bytes, vault: ServiceVault) -> ReportIdentifier:
    """The report's identifier with this tag; Conflict when there is none, because the report may have changed."""
    for identifier in of_report(contents, vault=vault):
        if identifier.tag == tag:
            return identifier
    raise Conflict(_("This identifier does not stand in the report."))


def _numbers_of_other_reports(report_id: UUID) -> dict[bytes, int]:
    own_tags = sa.select(IdentifierTag.tag).where(IdentifierTag.report_id == report_id)
    query = (
        sa.select(IdentifierTag.tag, sa.func.count())
        .where(IdentifierTag.tag.in_(own_tags), IdentifierTag.report_id != report_id)
        .group_by(IdentifierTag.tag)
    )
    return {row[0]: row[1] for row in db.session.execute(query)}
