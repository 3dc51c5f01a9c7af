"""Writing an alert: begun from a report, edited, checked for leaks, and put before somebody else.

Locks are taken in one order everywhere, report, output, alert: the reporter's side takes them in that order too.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from hmac import compare_digest
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError

from alerts.membership.models import Level
from alerts.publishing import keys, proposal, queries, stopping
from alerts.publishing.models import (
    ALERT_MOVES,
    ALERT_OUTPUT,
    REPLACEABLE,
    Alert,
    AlertAuthor,
    AlertFamily,
    AlertState,
    Change,
    TextChannel,
)
from alerts.publishing.schemas import written_from
from alerts.publishing.texts import message_text
from alerts.publishing.texts.approval_hash import hash_of
from alerts.publishing.texts.contents import (
    AlertContents,
    Closed,
    FoundLeak,
    Texts,
    UnderDraftKey,
    UnderRest,
    contents_of,
    put_contents,
    put_texts,
    texts_of,
)
from alerts.publishing.texts.message_text import TextPair, Written
from reporting.record import consents as consent_records, outputs
from reporting.record.choices import Severity
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
from ugly_mugs.vault import ServiceVault

# Four signs that cannot be misread or misheard for each other, and spell nothing.
SIGNS = "23456789BCDFGHJKMNPQRSTVWXYZ"
REFERENCE = 4


@dataclass(frozen=True)
class Drafting:
    """Who writes, with what in hand: the same for every step of one request."""

    staff: SignedInStaff
    vault: ServiceVault
    link: str
    languages: Sequence[str]
    now: datetime

    @property
    def today(self) -> date:
        return self.now.date()


def start(opened: OpenedReport, by: Drafting) -> Alert:
    """A draft from the report's structured fields and its settled redaction; the one already begun, if there is one.

    Conflict when the redaction is not settled or the reporter does not want others to be warned.
    """
    consents = _consents_now(opened)
    settled = _settled(opened)
    begun = queries.first_draft_of(opened.report.id)
    if begun is not None:
        return begun
    family = AlertFamily(
        id=uuid4(), reference=_fresh_reference(), report_id=opened.report.id, created_on=by.today
    )
    db.session.add(family)
    contents = proposal.from_report(opened.contents, redacted=settled.text)
    written = _proposed(contents, family, by, by.languages)
    alert = _new_version(family, Change.FIRST, by)
    _write(alert, contents, written, opened=opened, settled=settled, consents=consents, by=by)
    record(AuditKind.ALERT_DRAFTED, actor_id=by.staff.id, subject_id=alert.id, day=by.today)
    return alert


def next_version(opened: OpenedReport, former_id: UUID, change: Change, by: Drafting) -> Alert:
    """A draft that will take the place of a version that has begun to leave, with its fields and words."""
    former = queries.locked(former_id)
    if former.state not in REPLACEABLE or change is Change.FIRST:
        raise Conflict(_("A new version can only follow one that is on its way or can be read."))
    return _follow(opened, former, change, by)


def reopen(opened: OpenedReport, former_id: UUID, by: Drafting) -> Alert:
    """Edit what is approved and has not begun to leave: its approval is void, and its words begin a new draft.

    The approved version ends instead of changing, so that what was queued for it can never carry other words.
    """
    output = outputs.of_subject(ALERT_OUTPUT, former_id)
    former = queries.locked(former_id)
    if former.state is not AlertState.SCHEDULED:
        raise Conflict(_("Only what is approved and has not begun to leave can be edited like this."))
    ALERT_MOVES.move(former, AlertState.CANCELLED)
    if output is not None:
        outputs.end(output)
    record(AuditKind.ALERT_CANCELLED, actor_id=by.staff.id, subject_id=former.id, day=by.today)
    return _follow(opened, former, former.change, by)


def save(
    opened: OpenedReport,
    alert_id: UUID,
    by: Drafting,
    *,
    answers: Mapping[str, Any],
    seen: bytes,
    write_anew: bool = False,
) -> Alert:
    """Keep an edit and look for leaks in every text. Whoever saves is an author from then on.

    Conflict when it is no draft any more, or somebody else saved since this person's page was drawn.
    `write_anew` proposes all texts again from the structured fields.
    """
    consents = _consents_now(opened)
    settled = _settled(opened)
    outputs.of_subject(ALERT_OUTPUT, alert_id)
    alert = _draft(alert_id, opened)
    closed = keys.key_of(alert, by.staff)
    former = contents_of(alert, closed)
    contents = _with_answers(former, answers, opened, redacted=settled.text)
    written = written_from(answers, by.languages)
    if write_anew:
        written = _proposed(contents, alert.family, by, by.languages)
    if not compare_digest(mark_of(alert, vault=by.vault), seen):
        texts = message_text.every_text(
            written, change=alert.change, reference=alert.family.reference, link=by.link
        )
        if by.staff.id in former.authors and contents == former and texts == texts_of(alert, closed):
            # Saved already, by this person, whom the answer never reached.
            return alert
        raise Conflict(_("Somebody else changed this draft while you were writing."))
    _add_author(alert, by.staff)
    _write(alert, contents, written, opened=opened, settled=settled, consents=consents, by=by, closed=closed)
    record(AuditKind.ALERT_EDITED, actor_id=by.staff.id, subject_id=alert.id, day=by.today)
    return alert


def submit(alert: Alert, by: Drafting) -> bool:
    """Put a draft that was just saved before those who may approve; False when the leak check found something."""
    closed = keys.key_of(alert, by.staff)
    contents, texts = contents_of(alert, closed), texts_of(alert, closed)
    if contents.leaks or contents.checked_on is None:
        return False
    if not contents.audience():
        raise Conflict(_("This alert would reach nobody. Please choose regions and kinds of members."))
    costs = message_text.costs(texts)
    if any(costs[key] != 1 for key in costs if key[0] is TextChannel.SMS and key[2] is Level.NEUTRAL):
        raise Conflict(_("The short address of this service is too long for one text message."))
    if not keys.wrap_for_approval(alert, closed, vault=by.vault):
        raise Conflict(
            _("There is nobody yet who could approve it: that must be somebody who did not write it.")
        )
    ALERT_MOVES.move(alert, AlertState.SUBMITTED)
    alert.submitted_by = by.staff.id
    alert.returned = None
    record(AuditKind.ALERT_SUBMITTED, actor_id=by.staff.id, subject_id=alert.id, day=by.today)
    return True


def take_back(alert_id: UUID, by: Drafting) -> Alert:
    """An author changed their mind before anybody approved."""
    alert = queries.locked(alert_id)
    if alert.state is not AlertState.SUBMITTED:
        raise Conflict(_("This has been decided already."))
    if by.staff.id not in {author.staff_id for author in alert.authors}:
        raise NotAllowed(_("Only an author can take it back."))
    closed = keys.key_of(alert, by.staff)
    ALERT_MOVES.move(alert, AlertState.DRAFT)
    keys.wrap_for_writing(alert, closed, vault=by.vault)
    record(AuditKind.ALERT_EDITED, actor_id=by.staff.id, subject_id=alert.id, day=by.today)
    return alert


def hash_as_it_stands(alert: Alert, closed: Closed, *, vault: ServiceVault) -> bytes:
    """What an approval of this version, as it is now, would bind."""
    return hash_of(
        alert.id,
        change=alert.change,
        contents=contents_of(alert, closed),
        texts=texts_of(alert, closed),
        not_before=alert.not_before,
        expires_at=alert.expires_at,
        vault=vault,
    )


def mark_of(alert: Alert, *, vault: ServiceVault) -> bytes:
    """Changes with every save of a draft, also with one that changes no word."""
    return vault.approval_hash([b"draft", alert.id.bytes, alert.contents])


def first_moment(day: date) -> datetime:
    """When a day begins at the place of those who read the alert."""
    return datetime.combine(day, time(), tzinfo=HOME)


# Steps


def _consents_now(opened: OpenedReport) -> Consents:
    """What the reporter allows at this moment; it cannot change before the transaction ends."""
    report = locked_report(opened.report.id)
    if report is None or report.consents is None:
        raise NotThere
    consents = consent_records.open_sealed(
        report.consents, report_id=report.id, content_key=opened.content_key
    )
    if not consents.warn_others:
        raise Conflict(_("The person who reported this does not want others to be warned."))
    return consents


def _settled(opened: OpenedReport) -> OpenedRedaction:
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


def _new_version(family: AlertFamily, change: Change, by: Drafting) -> Alert:
    former = db.session.scalar(sa.select(sa.func.max(Alert.version)).where(Alert.family_id == family.id))
    alert = Alert(
        id=uuid4(),
        family=family,
        version=(former or 0) + 1,
        change=change,
        state=AlertState.DRAFT,
        created_on=by.today,
        contents=b"",
    )
    _add_author(alert, by.staff)
    db.session.add(alert)
    return alert


def _follow(opened: OpenedReport, former: Alert, change: Change, by: Drafting) -> Alert:
    """A draft with the fields and words of a version that was approved."""
    if former.family.report_id != opened.report.id:
        raise NotThere
    if queries.newer_version_under_way(former):
        raise Conflict(_("Somebody is writing a new version already."))
    consents, settled = _consents_now(opened), _settled(opened)
    stopping.forget_holds_of_replaced(former)
    rest = UnderRest(by.vault)
    contents, texts = contents_of(former, rest), texts_of(former, rest)
    contents = replace(
        contents,
        offered=proposal.identifiers_in(opened.contents),
        third_party=proposal.is_third_party(opened.contents),
        authors=(),
        approved_by=None,
        redacted=settled.text,
    )
    # The form needs texts in the default language, which may be another one since the former version was written.
    written = _proposed(contents, former.family, by, by.languages[:1])
    written |= {
        language: pair
        for language, pair in message_text.written_in(texts).items()
        if language in by.languages
    }
    alert = _new_version(former.family, change, by)
    _write(alert, contents, written, opened=opened, settled=settled, consents=consents, by=by)
    try:
        db.session.flush()
    except IntegrityError:
        raise Conflict(_("Somebody is writing a new version already.")) from None
    record(AuditKind.ALERT_DRAFTED, actor_id=by.staff.id, subject_id=alert.id, day=by.today)
    return alert


def _write(
    alert: Alert,
    contents: AlertContents,
    written: Written,
    *,
    opened: OpenedReport,
    settled: OpenedRedaction,
    consents: Consents,
    by: Drafting,
    closed: UnderDraftKey | None = None,
) -> None:
    """Check, seal and show to the reporter what the draft says now."""
    texts = message_text.every_text(
        written, change=alert.change, reference=alert.family.reference, link=by.link
    )
    found = _leaks(texts, contents, opened, settled)
    contents = replace(
        contents,
        leaks=tuple(found),
        checked_on=by.today,
        basis=basis_of(opened.report.id),
        authors=tuple(sorted({*contents.authors, by.staff.id})),
    )
    alert.not_before = first_moment(consents.earliest) if consents.earliest else None
    begins = max(by.now, alert.not_before or by.now)
    alert.expires_at = first_moment(begins.astimezone(HOME).date() + timedelta(days=contents.days + 1))
    if closed is None:
        closed = keys.new_key()
        keys.wrap_for_writing(alert, closed, vault=by.vault)
    put_contents(alert, contents, closed)
    put_texts(alert, texts, message_text.costs(texts), closed)
    # The output names the version by its id alone, so the version has to be there first.
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


def _proposed(
    contents: AlertContents, family: AlertFamily, by: Drafting, languages: Sequence[str]
) -> dict[str, TextPair]:
    return message_text.proposed(contents, reference=family.reference, link=by.link, languages=languages)


def _in_every_language(texts: Texts, channel: TextChannel) -> str:
    """The full texts of a channel; where there are several languages, each under the name of its own."""
    found = {language: texts[channel, language, Level.FULL] for language in message_text.languages_of(texts)}
    if len(found) == 1:
        return "".join(found.values())
    return "\n\n".join(f"{own_name(language)}:\n{text}" for language, text in found.items())


def _leaks(
    texts: Texts, contents: AlertContents, opened: OpenedReport, settled: OpenedRedaction
) -> Iterable[FoundLeak]:
    """Everything in any text of any channel and level that may point to the reporter, each once."""
    known = known_about_reporter(opened.contents)
    released = [each.value for each in contents.identifiers]
    found: dict[FoundLeak, None] = {}
    for (channel, _language, _level), text in texts.items():
        for leak in leak_check.check(text, known, settled.removed, released=released):
            found[FoundLeak(channel, leak.kind, text[leak.start : leak.end], leak.why)] = None
    return found


def _with_answers(
    contents: AlertContents, answers: Mapping[str, Any], opened: OpenedReport, *, redacted: str
) -> AlertContents:
    chosen = set(answers.get("identifiers") or ())
    offered = proposal.identifiers_in(opened.contents)
    return replace(
        contents,
        severity=Severity(answers["severity"]),
        types=tuple(answers["types"]),
        place=answers["place"] or "",
        when=answers["when"] or "",
        premises=answers["premises"] or "",
        description=answers["description"] or "",
        vehicle=answers["vehicle"] or "",
        advice=answers["advice"] or "",
        regions=tuple(answers["regions"]),
        online=bool(answers["online"]),
        sectors=tuple(answers["sectors"]),
        kinds=tuple(answers["kinds"]),
        channels=tuple(answers["channels"]),
        days=answers["days"],
        identifiers=tuple(each for each in offered if each.key in chosen),
        offered=offered,
        third_party=proposal.is_third_party(opened.contents),
        establishments_too=bool(answers.get("establishments_too")),
        redacted=redacted,
    )


def _add_author(alert: Alert, staff: SignedInStaff) -> None:
    if staff.id not in {author.staff_id for author in alert.authors}:
        alert.authors.append(AlertAuthor(staff_id=staff.id))


def _fresh_reference() -> str:
    while True:
        reference = "".join(secrets.choice(SIGNS) for _sign in range(REFERENCE))
        if not db.session.scalar(sa.select(sa.exists().where(AlertFamily.reference == reference))):
            return reference
