"""What the desk's pages of an alert show, opened with whoever looks at them in mind."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import Any
from uuid import UUID

from flask_babel import format_date, format_timedelta, gettext as _, lazy_gettext

from alerts.delivery import audience as audiences, fanout, queries as delivery_queries
from alerts.delivery.queries import Counts
from alerts.publishing import choices, keys, queries
from alerts.publishing.drafting import hash_as_it_stands, mark_of
from alerts.publishing.models import (
    ALERT_OUTPUT,
    REPLACEABLE,
    UNAPPROVED,
    Alert,
    AlertState,
    Change,
)
from alerts.publishing.schemas import alert_schema, typed_from
from alerts.publishing.texts import approval_hash, message_text, previews
from alerts.publishing.texts.contents import AlertContents, Closed, Texts, UnderRest, contents_of, texts_of
from alerts.publishing.texts.snapshots import corrected_by, sending_of
from reporting.record.models import Output, OutputState
from ugly_mugs.accounts import queries as staff_queries
from ugly_mugs.accounts.guard import SignedInStaff
from ugly_mugs.accounts.permissions import Permission
from ugly_mugs.outbox.models import Channel, DeliveryState, MessageKind
from ugly_mugs.settings import Settings
from ugly_mugs.vault import ServiceVault, Where
from ugly_mugs.web.forms import Form

_S = AlertState
_STOPPED = frozenset({_S.PAUSED, _S.RESTRICTED})
_NEVER_LEFT = frozenset({_S.SCHEDULED, _S.CANCELLED, _S.EXPIRED})
STATES: Mapping[AlertState, tuple[str, Any]] = {
    _S.DRAFT: ("", lazy_gettext("being written")),
    _S.SUBMITTED: ("warn", lazy_gettext("waits for approval")),
    _S.APPROVED: ("warn", lazy_gettext("approved")),
    _S.SCHEDULED: ("warn", lazy_gettext("approved, waits")),
    _S.PUBLISHING: ("good", lazy_gettext("on its way")),
    _S.PAUSED: ("bad", lazy_gettext("paused")),
    _S.LIVE: ("good", lazy_gettext("sent")),
    _S.RESTRICTED: ("bad", lazy_gettext("hidden")),
    _S.SUPERSEDED: ("", lazy_gettext("replaced")),
    _S.EXPIRED: ("", lazy_gettext("over")),
    _S.CANCELLED: ("", lazy_gettext("cancelled")),
}
"""Each state as the desk calls it, in the order of the list: those that need somebody first."""


@dataclass(frozen=True)
class Standing:
    """A state as people at the desk call it."""

    words: str
    kind: str


def standing(state: AlertState) -> Standing:
    kind, words = STATES[state]
    return Standing(str(words), kind)


def named_change(alert: Alert) -> str:
    names = {Change.FIRST: _("first version"), Change.UPDATE: _("update"), Change.CORRECTION: _("correction")}
    return str(names[alert.change])


@dataclass(frozen=True)
class Line:
    """One version in the list."""

    alert: Alert
    standing: Standing
    change: str
    authors: str


def lines(*, vault: ServiceVault) -> list[Line]:
    """Every version, those that need somebody first."""
    order = list(STATES)
    found = sorted(queries.alerts_by_state(), key=lambda each: order.index(each.state))
    names = staff_queries.names_of(
        {author.staff_id for each in found for author in each.authors}, vault=vault
    )
    return [
        Line(
            each,
            standing(each.state),
            named_change(each),
            ", ".join(sorted(names.get(author.staff_id, "") for author in each.authors)),
        )
        for each in found
    ]


@dataclass(frozen=True)
class Reached:
    """How many people one channel reaches, what that costs in segments, and about how long it takes."""

    name: str
    members: int
    segments: int
    takes: str


@dataclass(frozen=True)
class Opened:
    """A version with everything that may be shown to this person; `closed` is what opens it."""

    alert: Alert
    contents: AlertContents
    texts: Texts
    closed: Closed


def opened(alert: Alert, *, staff: SignedInStaff, vault: ServiceVault) -> Opened | None:
    """None for somebody who may not read it: only authors and possible approvers hold a draft key."""
    if alert.state in UNAPPROVED:
        if not keys.may_read(alert, staff.id):
            return None
        closed: Closed = keys.key_of(alert, staff)
    elif alert.approval is not None:
        closed = UnderRest(vault)
    else:
        return None
    return Opened(alert, contents_of(alert, closed), texts_of(alert, closed), closed)


def draft_form(found: Opened, *, languages: Sequence[str]) -> Form:
    """The form of a draft, filled with how it stands."""
    contents = found.contents
    schema = alert_schema(contents.offered, third_party=contents.third_party, languages=languages)
    values = {**contents.__dict__, "identifiers": [each.key for each in contents.identifiers]}
    return Form(schema).fill({**values, **typed_from(message_text.written_in(found.texts), languages)})


def reached(found: Opened, *, settings: Settings) -> list[Reached]:
    """Whom this version would reach now, by channel, and about how long that takes at the senders' pace."""
    sending = sending_of(
        found.alert.id,
        found.contents,
        found.texts,
        not_before=found.alert.not_before,
        expires_at=found.alert.expires_at,
        corrects=(),
    )
    told = {channel: [0, 0] for channel in Channel if channel in sending.channels}
    for each in audiences.reach(sending.audience, sending.channels):
        key = (each.channel, each.language, each.level)
        default = (each.channel, sending.default_language, each.level)
        told[each.channel][0] += each.members
        told[each.channel][1] += each.members * sending.segments.get(key, sending.segments.get(default, 1))
    pace = {Channel.SMS: settings.sms_pace, Channel.EMAIL: settings.mail_pace}
    return [
        Reached(
            name=choices.labels(choices.CHANNELS, [channel])[0],
            members=members,
            segments=segments,
            takes=_takes(segments, pace[channel]),
        )
        for channel, (members, segments) in told.items()
    ]


def corrected_too(found: Opened) -> int:
    """How many more deliveries a correction writes, to those who may have got a former version."""
    corrects = corrected_by(found.alert)
    if not corrects:
        return 0
    plain, correcting = (
        sending_of(
            found.alert.id,
            found.contents,
            found.texts,
            not_before=None,
            expires_at=None,
            corrects=former,
        )
        for former in ((), corrects)
    )
    return fanout.expected(correcting) - fanout.expected(plain)


def facts(found: Opened) -> list[tuple[str, str]]:
    """What decides who gets it, how and when, in words."""
    contents, audience = found.contents, found.contents.audience()
    return [
        (_("How serious"), choices.labels(choices.SEVERITIES, [contents.severity])[0]),
        (_("What was reported"), ", ".join(choices.labels(choices.TYPES, contents.types))),
        (_("Regions"), ", ".join(choices.labels(choices.regions(), audience.regions))),
        (_("Online"), _("everybody who works online") if audience.online else ""),
        (_("Sectors"), ", ".join(choices.labels(choices.SECTORS, audience.sectors)) or _("all")),
        (_("Members"), ", ".join(choices.labels(choices.KINDS, audience.kinds))),
        (_("How"), ", ".join(choices.labels(choices.CHANNELS, contents.channels))),
        (_("Not before"), format_date(found.alert.not_before, "long") if found.alert.not_before else ""),
        (_("Last day"), _last_day(found.alert)),
    ]


@dataclass(frozen=True)
class Decision:
    """What an approver must have seen: the hash and the consent version their page carries back."""

    seen: str
    consent: int
    may_decide: bool
    is_author: bool


def decision(found: Opened, *, staff: SignedInStaff, vault: ServiceVault) -> Decision:
    output = queries.output_of(found.alert.id)
    is_author = staff.id in {author.staff_id for author in found.alert.authors}
    return Decision(
        seen=approval_hash.as_text(hash_as_it_stands(found.alert, found.closed, vault=vault)),
        consent=output.consent_version if output else 0,
        may_decide=staff.may(Permission.APPROVE) and not is_author,
        is_author=is_author,
    )


def not_in_texts(found: Opened) -> list[str]:
    """Identifiers that were chosen, but that somebody has yet to write into the texts."""
    texts = [page.text for page in previews.pages(found.texts)]
    return [
        each.value for each in found.contents.identifiers if any(each.value not in text for text in texts)
    ]


def seen_now(found: Opened, *, vault: ServiceVault) -> str:
    """What stands for exactly this draft in its own form."""
    return approval_hash.as_text(mark_of(found.alert, vault=vault))


def reason_returned(found: Opened) -> str:
    """Why it was sent back; empty when it was not."""
    if found.alert.returned is None:
        return ""
    return found.closed.open(found.alert.returned, Where("alerts", "returned", found.alert.id)).decode()


@dataclass(frozen=True)
class Progress:
    """One row of the live page."""

    name: str
    numbers: Sequence[int]


def progress(counts: Counts) -> list[Progress]:
    """How many deliveries stand where, by channel."""
    groups = (
        (_("waiting"), delivery_queries.WAITING),
        (_("handed over"), delivery_queries.UNDER_WAY),
        (_("arrived"), delivery_queries.ARRIVED),
        (_("not certain"), delivery_queries.UNSURE),
        (_("failed"), delivery_queries.FAILED),
        (_("not sent"), delivery_queries.NOT_SENT),
        (_("all"), frozenset(DeliveryState)),
    )
    return [
        Progress(str(name), [counts.of(channel, states) for channel in Channel]) for name, states in groups
    ]


def names(ids: Iterable[UUID], *, vault: ServiceVault) -> str:
    """What these people are called at the desk."""
    return ", ".join(sorted(staff_queries.names_of(ids, vault=vault).values()))


def counted(alert_id: UUID) -> Counts:
    return delivery_queries.counts(MessageKind.ALERT, alert_id)


def reporter_says(alert: Alert) -> str:
    """What the reporter's side means for this version, when it stands in the way."""
    output = queries.output_of(alert.id)
    if output is None or output.kind != ALERT_OUTPUT or alert.consent_version is None:
        return ""
    if output.state in (OutputState.WITHDRAWN, OutputState.ENDED):
        return ""
    return _reporter_says(output, alert.consent_version)


def beside(alert: Alert) -> str:
    """What this version means for the one before or after it, while one of them waits for the other."""
    versions = alert.family.versions
    former = [each for each in versions if each.version < alert.version and each.state in REPLACEABLE]
    said = ""
    if alert.state in _STOPPED and any(_waits_to_correct(each, alert) for each in versions):
        said = _(
            "A correction of this one waits. Nothing more of this one leaves meanwhile, unless you go on."
        )
    elif alert.state in _NEVER_LEFT and any(each.state in _STOPPED for each in former):
        said = _(
            "The version before this one is stopped. If members should read it, open it and press “Go on”."
        )
    elif alert.state is _S.SCHEDULED and former:
        said = _("Until this one leaves, the version before it goes on as it was.")
    return str(said)


def may_be_replaced(alert: Alert) -> bool:
    return alert.state in REPLACEABLE and not queries.newer_version_under_way(alert)


def _waits_to_correct(newer: Alert, alert: Alert) -> bool:
    corrects = newer.version > alert.version and newer.change is Change.CORRECTION
    return corrects and newer.state is _S.SCHEDULED


def _reporter_says(output: Output, approved_version: int) -> str:
    if output.consent_version != approved_version:
        said = _(
            "The person who reported this changed what they agreed to. Nothing leaves until it is approved again."
        )
        return str(said)
    if output.held:
        return str(_("The person who reported this holds it. Nothing leaves until they let it go."))
    return ""


def _last_day(alert: Alert) -> str:
    """It ends with the midnight behind this day."""
    if alert.expires_at is None:
        return ""
    return str(format_date(alert.expires_at - timedelta(minutes=1), "long"))


def _takes(segments: int, pace: int) -> str:
    if not segments:
        return ""
    return str(format_timedelta(timedelta(seconds=max(1, ceil(segments / pace))), threshold=1.0))
