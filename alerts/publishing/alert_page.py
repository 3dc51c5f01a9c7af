"""What the desk's pages of an alert show to the person who is signed in."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import Any, NamedTuple
from uuid import UUID

from flask_babel import format_date, format_timedelta, gettext as _, lazy_gettext

from alerts.delivery import audience as audiences, fanout, queries as delivery_queries
from alerts.delivery.queries import Counts
from alerts.publishing import choices, draft_keys, queries
from alerts.publishing.models import (
    REPLACEABLE,
    UNAPPROVED,
    Alert,
    AlertState,
    Change,
)
from alerts.publishing.schemas import alert_schema, form_values
from alerts.publishing.texts import approval_hash, message_text, previews
from alerts.publishing.texts.contents import (
    AlertContents,
    RestSealingKey,
    SealingKey,
    Texts,
    open_contents,
    open_texts,
)
from alerts.publishing.texts.snapshots import corrected_by, sending_of
from reporting.record.models import LIVE_OUTPUTS
from ugly_mugs.accounts import queries as staff_queries
from ugly_mugs.accounts.guard import SignedInStaff
from ugly_mugs.accounts.permissions import Permission
from ugly_mugs.outbox.models import Channel, DeliveryState
from ugly_mugs.settings import Settings
from ugly_mugs.vault import ServiceVault, Where
from ugly_mugs.vault.encoding import to_text
from ugly_mugs.web.forms import Form

_S = AlertState
_STOPPED = frozenset({_S.PAUSED, _S.RESTRICTED})
_NEVER_SENT = frozenset({_S.SCHEDULED, _S.CANCELLED, _S.EXPIRED})


class StateLabel(NamedTuple):
    """The desk's label of a state, and its colour in `tag`."""

    kind: str
    label: Any


STATES: Mapping[AlertState, StateLabel] = {
    _S.DRAFT: StateLabel("", lazy_gettext("being written")),
    _S.SUBMITTED: StateLabel("warn", lazy_gettext("waits for approval")),
    _S.APPROVED: StateLabel("warn", lazy_gettext("approved")),
    _S.SCHEDULED: StateLabel("warn", lazy_gettext("approved, waits")),
    _S.PUBLISHING: StateLabel("good", lazy_gettext("on its way")),
    _S.PAUSED: StateLabel("bad", lazy_gettext("paused")),
    _S.LIVE: StateLabel("good", lazy_gettext("sent")),
    _S.RESTRICTED: StateLabel("bad", lazy_gettext("hidden")),
    _S.SUPERSEDED: StateLabel("", lazy_gettext("replaced")),
    _S.EXPIRED: StateLabel("", lazy_gettext("over")),
    _S.CANCELLED: StateLabel("", lazy_gettext("cancelled")),
}
"""In the order of the list: states that need action come first."""


def change_label(alert: Alert) -> str:
    names = {Change.FIRST: _("first version"), Change.UPDATE: _("update"), Change.CORRECTION: _("correction")}
    return str(names[alert.change])


@dataclass(frozen=True)
class ListRow:
    alert: Alert
    state: StateLabel
    change: str
    authors: str


def list_rows(*, vault: ServiceVault) -> list[ListRow]:
    """Every version; those whose state needs action come first."""
    order = list(STATES)
    alerts = sorted(queries.all_alerts(), key=lambda alert: order.index(alert.state))
    names = staff_queries.names_of(
        {author.staff_id for alert in alerts for author in alert.authors}, vault=vault
    )
    return [
        ListRow(
            alert,
            STATES[alert.state],
            change_label(alert),
            ", ".join(sorted(names.get(author.staff_id, "") for author in alert.authors)),
        )
        for alert in alerts
    ]


@dataclass(frozen=True)
class ChannelReach:
    """Members that one channel reaches, the segments this costs, and the approximate duration."""

    name: str
    members: int
    segments: int
    takes: str


@dataclass(frozen=True)
class OpenedAlert:
    """A version with its decrypted contents and texts, and the key that opened them."""

    alert: Alert
    contents: AlertContents
    texts: Texts
    sealing_key: SealingKey


def open_alert(alert: Alert, *, staff: SignedInStaff, vault: ServiceVault) -> OpenedAlert | None:
    """Decrypt a version for this person.

    None before approval for somebody to whom the draft key is not wrapped, and for a draft that was cancelled.
    """
    if alert.state in UNAPPROVED:
        if not draft_keys.may_read(alert, staff.id):
            return None
        sealing_key: SealingKey = draft_keys.open_draft_key(alert, staff)
    elif alert.approval is not None:
        sealing_key = RestSealingKey(vault)
    else:
        return None
    return OpenedAlert(alert, open_contents(alert, sealing_key), open_texts(alert, sealing_key), sealing_key)


def draft_form(opened: OpenedAlert, *, languages: Sequence[str]) -> Form:
    contents = opened.contents
    schema = alert_schema(contents.offered, third_party=contents.third_party, languages=languages)
    values = {**contents.__dict__, "identifiers": [identifier.key for identifier in contents.identifiers]}
    return Form(schema).fill({**values, **form_values(message_text.written_in(opened.texts), languages)})


def channel_reach(opened: OpenedAlert, *, settings: Settings) -> list[ChannelReach]:
    """How many members this version would reach now, by channel, and how long the senders would need."""
    sending = sending_of(opened.alert.id, opened.contents, opened.texts)
    totals = {channel: [0, 0] for channel in Channel if channel in sending.channels}
    for group in audiences.reach(sending.audience, sending.channels):
        key = (group.channel, group.language, group.level)
        default = (group.channel, sending.default_language, group.level)
        totals[group.channel][0] += group.members
        totals[group.channel][1] += group.members * sending.segments.get(
            key, sending.segments.get(default, 1)
        )
    pace = {Channel.SMS: settings.sms_pace, Channel.EMAIL: settings.mail_pace}
    return [
        ChannelReach(
            name=choices.labels(choices.CHANNELS, [channel])[0],
            members=members,
            segments=segments,
            takes=_takes(segments, pace[channel]),
        )
        for channel, (members, segments) in totals.items()
    ]


def extra_corrections(opened: OpenedAlert) -> int:
    """How many deliveries a correction writes besides its audience, to members who may have got a former version."""
    corrects = corrected_by(opened.alert)
    if not corrects:
        return 0
    without, correcting = (
        sending_of(opened.alert.id, opened.contents, opened.texts, corrects=former)
        for former in ((), corrects)
    )
    return fanout.expected(correcting) - fanout.expected(without)


def facts(opened: OpenedAlert) -> list[tuple[str, str]]:
    """Labels and values of everything that decides who gets it, how and when."""
    contents, audience = opened.contents, opened.contents.audience()
    return [
        (_("How serious"), choices.labels(choices.SEVERITIES, [contents.severity])[0]),
        (_("What was reported"), ", ".join(choices.labels(choices.TYPES, contents.types))),
        (_("Regions"), ", ".join(choices.labels(choices.regions(), audience.regions))),
        (_("Online"), _("everybody who works online") if audience.online else ""),
        (_("Sectors"), ", ".join(choices.labels(choices.SECTORS, audience.sectors)) or _("all")),
        (_("Members"), ", ".join(choices.labels(choices.KINDS, audience.kinds))),
        (_("How"), ", ".join(choices.labels(choices.CHANNELS, contents.channels))),
        (_("Not before"), format_date(opened.alert.not_before, "long") if opened.alert.not_before else ""),
        (_("Last day"), _last_day(opened.alert)),
    ]


@dataclass(frozen=True)
class Decision:
    """The hash and the consent version that the approver's page sends back, and what this person may do."""

    seen: str
    consent: int
    may_decide: bool
    is_author: bool


def decision(opened: OpenedAlert, *, staff: SignedInStaff, vault: ServiceVault) -> Decision:
    output = queries.output_of(opened.alert.id)
    is_author = staff.id in {author.staff_id for author in opened.alert.authors}
    return Decision(
        seen=to_text(approval_hash.current_hash(opened.alert, opened.sealing_key, vault=vault)),
        consent=output.consent_version if output else 0,
        may_decide=staff.may(Permission.APPROVE) and not is_author,
        is_author=is_author,
    )


def not_in_texts(opened: OpenedAlert) -> list[str]:
    """Identifiers that were chosen but are missing from a text of the members' page."""
    texts = [preview.text for preview in previews.page_previews(opened.texts)]
    return [
        identifier.value
        for identifier in opened.contents.identifiers
        if any(identifier.value not in text for text in texts)
    ]


def reason_returned(opened: OpenedAlert) -> str:
    """Why the approver sent it back; empty when they did not."""
    if opened.alert.returned is None:
        return ""
    return opened.sealing_key.open(
        opened.alert.returned, Where("alerts", "returned", opened.alert.id)
    ).decode()


@dataclass(frozen=True)
class Progress:
    """One row of the progress table: a number for each channel."""

    name: str
    numbers: Sequence[int]


def progress(counts: Counts) -> list[Progress]:
    """How many deliveries are in which group of states, by channel."""
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
    return ", ".join(sorted(staff_queries.names_of(ids, vault=vault).values()))


def reporter_note(alert: Alert) -> str:
    """Why the reporter's choices keep this version from being sent; empty when they do not."""
    output = queries.output_of(alert.id)
    if output is None or output.state not in LIVE_OUTPUTS or alert.consent_version is None:
        return ""
    note = ""
    if output.consent_version != alert.consent_version:
        note = _(
            "The person who reported this changed what they agreed to. Nothing leaves until it is approved again."
        )
    elif output.held:
        note = _("The person who reported this holds it. Nothing leaves until they let it go.")
    return str(note)


def neighbour_note(alert: Alert) -> str:
    """How this version and the one before or after it affect each other, while one waits for the other."""
    versions = alert.family.versions
    former = [
        version for version in versions if version.version < alert.version and version.state in REPLACEABLE
    ]
    note = ""
    if alert.state in _STOPPED and any(_waits_to_correct(version, alert) for version in versions):
        note = _(
            "A correction of this one waits. Nothing more of this one leaves meanwhile, unless you go on."
        )
    elif alert.state in _NEVER_SENT and any(version.state in _STOPPED for version in former):
        note = _(
            "The version before this one is stopped. If members should read it, open it and press “Go on”."
        )
    elif alert.state is _S.SCHEDULED and former:
        note = _("Until this one leaves, the version before it goes on as it was.")
    return str(note)


def may_be_replaced(alert: Alert) -> bool:
    return alert.state in REPLACEABLE and not queries.newer_version_under_way(alert)


def _waits_to_correct(newer: Alert, alert: Alert) -> bool:
    corrects = newer.version > alert.version and newer.change is Change.CORRECTION
    return corrects and newer.state is _S.SCHEDULED


def _last_day(alert: Alert) -> str:
    """The day at whose end the alert expires."""
    if alert.expires_at is None:
        return ""
    return str(format_date(alert.expires_at - timedelta(minutes=1), "long"))


def _takes(segments: int, pace: int) -> str:
    if not segments:
        return ""
    return str(format_timedelta(timedelta(seconds=max(1, ceil(segments / pace))), threshold=1.0))
