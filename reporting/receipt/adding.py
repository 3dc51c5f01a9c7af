"""Adding to a report that is already filed: another part, a message, other consents; each may reopen it."""

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
    """Add what was filled in; None when nothing was, or when the latest part holds just that (a form sent twice).

    Tags follow what is now known: an identifier that turns out to be the reporter's own loses its tag. The report's
    row must be locked by the caller's transaction.
    """
    kept = contents.answered_only(sections)
    if not kept or kept == contents_now.parts[-1].sections:
        return None
    before = contents_now.sections
    about = contents.merge_answers(before["about_you"], kept.get("about_you", {}))
    own = tags.of_reporter(about, contents_now.consents)
    structured = {each: None for each in tags.of_offenders(kept.get("offenders", ())) if each not in own}
    known = tags.of_offenders(before["offenders"]) | structured
    loose = {each: None for each in tags.of_free_text(kept) if each not in own and each not in known}
    part_id = uuid4()
    points = tags.points(loose, vault.tags)
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
    """A message from the reporter; somebody has to read it, so a finished report is open again."""
    written = conversation.write(
        report=report, author=Author.REPORTER, text=text, content_key=content_key, day=now.date()
    )
    if written is not None:
        reopen(report, now)


def change_consents(
    *, report: Report, former: Consents, new: Consents, content_key: bytes, vault: ServiceVault, now: datetime
) -> list[Output]:
    """Other consents from now on; where a warning is wished for anew, a finished report is open again."""
    touched = outputs.change_consents(report, former=former, new=new, content_key=content_key, day=now.date())
    tags.remove(report.id, tags.of_reporter({}, new), vault.tags)
    if new.warn_others and not former.warn_others:
        reopen(report, now)
    return touched


def reopen(report: Report, now: datetime) -> None:
    """Something was added: a finished report goes back to the desk."""
    report.changed_on = now.date()
    if report.state in FINISHED:
        REPORT_MOVES.move(report, ReportState.IN_REVIEW)
