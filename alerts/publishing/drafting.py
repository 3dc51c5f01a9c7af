"""Editing a draft: saving it with a leak check, submitting it for approval, and taking it back.

Rows are locked in the order report, output, alert, here and on the reporter's side, so that they cannot deadlock.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from hmac import compare_digest
from typing import Any
from uuid import UUID

from flask_babel import gettext as _

from alerts.membership.models import Level
from alerts.publishing import draft_keys, proposal, queries
from alerts.publishing.models import (
    ALERT_MOVES,
    ALERT_OUTPUT,
    Alert,
    AlertAuthor,
    AlertFamily,
    AlertState,
    TextChannel,
)
from alerts.publishing.schemas import written_from
from alerts.publishing.texts import message_text
from alerts.publishing.texts.approval_hash import draft_mark
from alerts.publishing.texts.contents import (
    AlertContents,
    DraftSealingKey,
    FoundLeak,
    Texts,
    open_contents,
    open_texts,
    seal_contents,
    seal_texts,
)
from alerts.publishing.texts.message_text import TextPair, Written
from reporting.record import consents as consent_records, outputs
from reporting.record.consents import Consents
from reporting.record.contents import known_about_reporter
from reporting.record.opening import OpenedReport
from reporting.record.queries import locked_report
from reporting.redaction import leak_check
from reporting.redaction.queries import basis_of, settled_redaction
from reporting.redaction.spans import OpenedRedaction
from ugly_mugs.accounts.guard import SignedInStaff
from ugly_mugs.audit.log import record
from ugly_mugs.audit.models import AuditKind
from ugly_mugs.database.engine import db
from ugly_mugs.errors import Conflict, NotAllowed, NotThere
from ugly_mugs.languages import own_name
from ugly_mugs.quiet_hours import HOME
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import ServiceVault


@dataclass(frozen=True)
class DeskContext:
    """Who acts, and what every step of one request needs: vault, service address, languages and time."""

    staff: SignedInStaff
    vault: ServiceVault
    link: str
    languages: Sequence[str]
    now: datetime

    @classmethod
    def of(cls, staff: SignedInStaff, now: datetime) -> "DeskContext":
        settings = runtime().settings
        return cls(staff, runtime().vault, settings.link_url, settings.languages, now)

    @property
    def today(self) -> date:
        return self.now.date()


def save(
    opened: OpenedReport,
    alert_id: UUID,
    context: DeskContext,
    *,
    answers: Mapping[str, Any],
    seen: bytes,
    propose_again: bool = False,
) -> Alert:
    """Save an edit, check every text for leaks, and add the person who saves to the authors.

    Conflict when the version is no draft any more, or when somebody else saved after this person's page was drawn.
    `seen` is the draft mark of that page. `propose_again` replaces all texts by new proposals from the fields.
    """
    consents = consents_now(opened)
    settled = settled_or_conflict(opened)
    outputs.of_subject(ALERT_OUTPUT, alert_id)
    alert = _draft(alert_id, opened)
    sealing_key = draft_keys.open_draft_key(alert, context.staff)
    former = open_contents(alert, sealing_key)
    contents = proposal.with_answers(former, answers, opened.contents, redacted=settled.text)
    written = written_from(answers, context.languages)
    if propose_again:
        written = proposed_texts(contents, alert.family, context, context.languages)
    if not compare_digest(draft_mark(alert, vault=context.vault), seen):
        texts = message_text.every_text(
            written, change=alert.change, reference=alert.family.reference, link=context.link
        )
        if (
            context.staff.id in former.authors
            and contents == former
            and texts == open_texts(alert, sealing_key)
        ):
            # This person repeats a save whose response did not arrive.
            return alert
        raise Conflict(_("Somebody else changed this draft while you were writing."))
    add_author(alert, context.staff)
    write_draft(
        alert,
        contents,
        written,
        opened=opened,
        settled=settled,
        consents=consents,
        context=context,
        sealing_key=sealing_key,
    )
    record(AuditKind.ALERT_EDITED, actor_id=context.staff.id, subject_id=alert.id, day=context.today)
    return alert


def submit(alert: Alert, context: DeskContext) -> bool:
    """Submit a saved draft for approval; False when the leak check found something or has not run.

    Conflict when it would reach nobody, a neutral SMS needs two parts, or nobody but its authors may approve.
    """
    sealing_key = draft_keys.open_draft_key(alert, context.staff)
    contents, texts = open_contents(alert, sealing_key), open_texts(alert, sealing_key)
    if contents.leaks or contents.checked_on is None:
        return False
    if not contents.audience():
        raise Conflict(_("This alert would reach nobody. Please choose regions and kinds of members."))
    costs = message_text.costs(texts)
    if any(costs[key] != 1 for key in costs if key[0] is TextChannel.SMS and key[2] is Level.NEUTRAL):
        raise Conflict(_("The short address of this service is too long for one text message."))
    if not draft_keys.wrap_for_approval(alert, sealing_key, vault=context.vault):
        raise Conflict(
            _("There is nobody yet who could approve it: that must be somebody who did not write it.")
        )
    ALERT_MOVES.move(alert, AlertState.SUBMITTED)
    alert.submitted_by = context.staff.id
    alert.returned = None
    record(AuditKind.ALERT_SUBMITTED, actor_id=context.staff.id, subject_id=alert.id, day=context.today)
    return True


def take_back(alert_id: UUID, context: DeskContext) -> Alert:
    """Turn a submitted version into a draft again, by one of its authors, before it is approved."""
    alert = queries.locked(alert_id)
    if alert.state is not AlertState.SUBMITTED:
        raise Conflict(_("This has been decided already."))
    if context.staff.id not in {author.staff_id for author in alert.authors}:
        raise NotAllowed(_("Only an author can take it back."))
    sealing_key = draft_keys.open_draft_key(alert, context.staff)
    ALERT_MOVES.move(alert, AlertState.DRAFT)
    draft_keys.wrap_for_writing(alert, sealing_key, vault=context.vault)
    record(AuditKind.ALERT_EDITED, actor_id=context.staff.id, subject_id=alert.id, day=context.today)
    return alert


def first_moment(day: date) -> datetime:
    """When a day begins in the members' time zone."""
    return datetime.combine(day, time(), tzinfo=HOME)


def consents_now(opened: OpenedReport) -> Consents:
    """The reporter's current consents. The report is locked, so they cannot change before the transaction ends.

    Conflict when the reporter does not want others to be warned.
    """
    report = locked_report(opened.report.id)
    if report is None or report.consents is None:
        raise NotThere
    consents = consent_records.open_sealed(
        report.consents, report_id=report.id, content_key=opened.content_key
    )
    if not consents.warn_others:
        raise Conflict(_("The person who reported this does not want others to be warned."))
    return consents


def settled_or_conflict(opened: OpenedReport) -> OpenedRedaction:
    settled = settled_redaction(opened.report.id, opened.content_key)
    if settled is None:
        raise Conflict(_("First the redacted text has to be settled."))
    return settled


def _draft(alert_id: UUID, opened: OpenedReport) -> Alert:
    alert = queries.locked(alert_id)
    if alert.family.report_id != opened.report.id:
        raise NotThere
    if alert.state is not AlertState.DRAFT:
        raise Conflict(_("This is no draft any more."))
    return alert


def write_draft(
    alert: Alert,
    contents: AlertContents,
    written: Written,
    *,
    opened: OpenedReport,
    settled: OpenedRedaction,
    consents: Consents,
    context: DeskContext,
    sealing_key: DraftSealingKey | None = None,
) -> None:
    """Check the texts for leaks, seal them, and update the preview that the reporter sees.

    Without a key (a new version), a draft key is created and wrapped to everybody who may draft.
    """
    texts = message_text.every_text(
        written, change=alert.change, reference=alert.family.reference, link=context.link
    )
    leaks = _leaks(texts, contents, opened, settled)
    contents = replace(
        contents,
        leaks=tuple(leaks),
        checked_on=context.today,
        basis=basis_of(opened.report.id),
        authors=tuple(sorted({*contents.authors, context.staff.id})),
    )
    alert.not_before = first_moment(consents.earliest) if consents.earliest else None
    begins = max(context.now, alert.not_before or context.now)
    alert.expires_at = first_moment(begins.astimezone(HOME).date() + timedelta(days=contents.days + 1))
    if sealing_key is None:
        sealing_key = draft_keys.new_key()
        draft_keys.wrap_for_writing(alert, sealing_key, vault=context.vault)
    seal_contents(alert, contents, sealing_key)
    seal_texts(alert, texts, message_text.costs(texts), sealing_key)
    # The output has no foreign key to the version, so SQLAlchemy would not insert the version first.
    db.session.flush()
    outputs.propose(
        report=opened.report,
        kind=ALERT_OUTPUT,
        subject_id=alert.id,
        preview={
            channel.value: _in_every_language(texts, channel)
            for channel in (TextChannel.SMS, TextChannel.PAGE)
        },
        content_key=opened.content_key,
        consents=consents,
    )


def proposed_texts(
    contents: AlertContents, family: AlertFamily, context: DeskContext, languages: Sequence[str]
) -> dict[str, TextPair]:
    return message_text.proposed(contents, reference=family.reference, link=context.link, languages=languages)


def _in_every_language(texts: Texts, channel: TextChannel) -> str:
    """The full texts of a channel; with several languages, each below its language's name."""
    by_language = {
        language: texts[channel, language, Level.FULL] for language in message_text.languages_of(texts)
    }
    if len(by_language) == 1:
        return "".join(by_language.values())
    return "\n\n".join(f"{own_name(language)}:\n{text}" for language, text in by_language.items())


def _leaks(
    texts: Texts, contents: AlertContents, opened: OpenedReport, settled: OpenedRedaction
) -> Iterable[FoundLeak]:
    """Everything in any text that may point to the reporter, without duplicates."""
    known = known_about_reporter(opened.contents)
    released = [identifier.value for identifier in contents.identifiers]
    leaks: dict[FoundLeak, None] = {}
    for (channel, _language, _level), text in texts.items():
        for leak in leak_check.check(text, known, settled.removed, released=released):
            leaks[FoundLeak(channel, leak.kind, text[leak.start : leak.end], leak.why)] = None
    return leaks


def add_author(alert: Alert, staff: SignedInStaff) -> None:
    if staff.id not in {author.staff_id for author in alert.authors}:
        alert.authors.append(AlertAuthor(staff_id=staff.id))
