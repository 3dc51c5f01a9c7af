"""Additions to a filed report: another part, a message, other consents. Each may reopen a finished report."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

from reporting.record import contents, conversation, facets, outputs, tags
from reporting.record.consents import Consents
from reporting.record.contents import Contents
from reporting.record.models import REPORT_MOVES, Author, Output, Report, ReportPart, ReportState
from ugly_mugs.database.engine import db
from ugly_mugs.vault import ServiceVault

FINISHED = frozenset({ReportState.SETTLED, ReportState.DECLINED})


def add_part(
    *, report: Report, contents_now: Contents, sections: Mapping[str, Any], content_key: bytes, vault: ServiceVault,
    now: datetime,
) -> ReportPart | None:  # fmt: skip
    """Add the answered sections as a new part; None when there are none, or they equal the last part (sent twice).

    Tags are updated: an identifier that is now known as the reporter's own loses its tag. TooLong when the part does
    not fit. The caller's transaction must hold a lock on the report's row.
    """
    kept = contents.answered_only(sections)
    if not kept or kept == contents_now.parts[-1].sections:
        return None
    before = contents_now.sections
    about = contents.merge_answers(before["about_you"], kept.get("about_you", {}))
    own = tags.of_reporter(about, contents_now.consents)
    offenders = tags.of_offenders(kept.get("offenders", ()))
    structured = {identifier: None for identifier in offenders if identifier not in own}
    known = tags.of_offenders(before["offenders"]) | structured
    in_text = tags.of_free_text(kept)
    unassigned = {
        identifier: None for identifier in in_text if identifier not in own and identifier not in known
    }
    part_id = uuid4()
    points = tags.points(unassigned, vault.tags)
    part = ReportPart(
        id=part_id, report_id=report.id, number=contents_now.parts[-1].number + 1, added_on=now.date(),
        sections=contents.seal_part(kept, points, part_id=part_id, content_key=content_key),
    )  # fmt: skip
    db.session.add(part)
    tags.remove(report.id, own, vault.tags)
    tags.add(report.id, structured, vault.tags)
    merged = {
        **before,
        **{name: contents.merge_answers(before[name], kept[name]) for name in kept if name != "offenders"},
    }
    report.facets = facets.seal(facets.of_sections(merged), report_id=report.id, vault=vault)
    reopen(report, now)
    return part


def write_to_desk(*, report: Report, text: str, content_key: bytes, now: datetime) -> None:
    """Add a message from the reporter and reopen a finished report, so that the desk reads it."""
    message = conversation.write(
        report=report, author=Author.REPORTER, text=text, content_key=content_key, day=now.date()
    )
    if message is not None:
        reopen(report, now)


def change_consents(
    *, report: Report, former: Consents, new: Consents, content_key: bytes, vault: ServiceVault, now: datetime
) -> list[Output]:
    """Store new consents; return the live outputs that they changed.

    A finished report is reopened when the reporter now agrees to a warning.
    """
    changed = outputs.change_consents(report, former=former, new=new, content_key=content_key, day=now.date())
    tags.remove(report.id, tags.of_reporter({}, new), vault.tags)
    if new.warn_others and not former.warn_others:
        reopen(report, now)
    return changed


def reopen(report: Report, now: datetime) -> None:
    """Note the change; a finished report goes back to the desk."""
    report.changed_on = now.date()
    if report.state in FINISHED:
        REPORT_MOVES.move(report, ReportState.IN_REVIEW)
