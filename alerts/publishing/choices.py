"""The choices of an alert's form, with labels that are written for members: plain and not graphic."""

from collections.abc import Iterable, Sequence
from typing import Final

from flask_babel import gettext, lazy_gettext as _

from alerts.membership.choices import SECTORS as SECTORS, regions as regions
from reporting.record.choices import IncidentType, Severity
from ugly_mugs.accounts.models import MemberKind
from ugly_mugs.outbox.models import Channel
from ugly_mugs.text.identifiers import IdentifierKind

Offered = Sequence[tuple[str, object]]

# Alerts are sent for these two severities only, not for a nuisance.
SEVERITIES: Final[Offered] = ((Severity.DANGER, _("Danger")), (Severity.RISK, _("Risk")))

_T = IncidentType
TYPES: Final[Offered] = (
    (_T.VIOLENCE, _("physical violence")),
    (_T.STRANGULATION, _("pressure on the neck")),
    (_T.WEAPON, _("a weapon used or shown")),
    (_T.SEXUAL_ASSAULT, _("sexual assault")),
    (_T.RAPE, _("rape or attempted rape")),
    (_T.CONDOM, _("condom taken off or refused")),
    (_T.BROKEN_CONSENT, _("something done that was not agreed to")),
    (_T.FILMED, _("filming or recording without a yes")),
    (_T.KEPT, _("not letting somebody leave")),
    (_T.ROBBERY, _("robbery or theft")),
    (_T.NOT_PAID, _("not paying, fake payment or fraud")),
    (_T.THREATS, _("threats")),
    (_T.VERBAL_ABUSE, _("insults and scaring")),
    (_T.HATE, _("hate abuse")),
    (_T.BLACKMAIL, _("blackmail or threats to tell others")),
    (_T.OUTING, _("sharing private details or pictures")),
    (_T.STALKING, _("stalking")),
    (_T.HARASSMENT, _("harassment by phone or online")),
    (_T.DRUGGING, _("drugs or something put in a drink")),
    (_T.COERCION, _("force or control by somebody else")),
    (_T.POLICE, _("bad conduct by police, or posing as police")),
    (_T.LANDLORD, _("abuse by a landlord or neighbour")),
    (_T.EXPLOITATION, _("somebody may be exploited")),
    (_T.FELT_UNSAFE, _("behaviour that felt unsafe")),
    (_T.TIME_WASTER, _("wasting time")),
)

PREMISES: Final[Offered] = (
    ("mine", _("at a worker's place")),
    ("theirs", _("at the other person's place")),
    ("hotel", _("in a hotel or rented room")),
    ("car", _("in a car or van")),
    ("street", _("on the street or outdoors")),
    ("parlour", _("in a parlour or shared flat")),
    ("club", _("in a club or bar")),
    ("online", _("online")),
    ("phone", _("by phone")),
    ("other", _("somewhere else")),
)

KINDS: Final[Offered] = (
    (MemberKind.INDIVIDUAL, _("People")),
    (MemberKind.PROJECT, _("Projects that support sex workers")),
    (MemberKind.ESTABLISHMENT, _("Establishments and sites")),
)

CHANNELS: Final[Offered] = ((Channel.SMS, _("Text message")), (Channel.EMAIL, _("E-mail")))

IDENTIFIERS: Final[Offered] = (
    (IdentifierKind.PHONE, _("Phone")),
    (IdentifierKind.EMAIL, _("E-mail")),
    (IdentifierKind.HANDLE, _("Username")),
    (IdentifierKind.PLATE, _("Number plate")),
    ("name", _("Name given")),
)


def labels(offered: Offered, values: Iterable[str]) -> list[str]:
    """The labels of these values in the current language, in the order of the list."""
    wanted = set(values)
    return [str(label) for value, label in offered if value in wanted]


def enumerated(words: Iterable[str]) -> str:
    """“one, two and three”."""
    listed = list(words)
    if len(listed) < 2:
        return "".join(listed)
    return str(gettext("%(first)s and %(last)s", first=", ".join(listed[:-1]), last=listed[-1]))
