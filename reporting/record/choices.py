"""What the form offers to choose from; every list has "I don't know" and "I'd rather not say"."""

from enum import StrEnum
from typing import Final

from flask_babel import lazy_gettext as _

from ugly_mugs.text.places import REGIONS

Offered = tuple[tuple[str, object], ...]

NOT_SAID: Final[Offered] = (("dont_know", _("I don’t know")), ("rather_not", _("I’d rather not say")))
UNSAID: Final = frozenset(value for value, _label in NOT_SAID)


class Severity(StrEnum):
    """How serious a report is. The incident types suggest a value; a moderator decides."""

    DANGER = "danger"
    RISK = "risk"
    NUISANCE = "nuisance"


SEVERITIES: Final[Offered] = (
    (Severity.DANGER, _("danger")),
    (Severity.RISK, _("risk")),
    (Severity.NUISANCE, _("nuisance")),
)


class IncidentType(StrEnum):
    """In the order of the form. Facets keep a type as its place in this list: append, never insert or reorder."""

    VIOLENCE = "violence"
    STRANGULATION = "strangulation"
    WEAPON = "weapon"
    SEXUAL_ASSAULT = "sexual_assault"
    RAPE = "rape"
    CONDOM = "condom"
    BROKEN_CONSENT = "broken_consent"
    FILMED = "filmed"
    KEPT = "kept"
    ROBBERY = "robbery"
    NOT_PAID = "not_paid"
    THREATS = "threats"
    VERBAL_ABUSE = "verbal_abuse"
    HATE = "hate"
    BLACKMAIL = "blackmail"
    OUTING = "outing"
    STALKING = "stalking"
    HARASSMENT = "harassment"
    DRUGGING = "drugging"
    COERCION = "coercion"
    POLICE = "police"
    LANDLORD = "landlord"
    EXPLOITATION = "exploitation"
    FELT_UNSAFE = "felt_unsafe"
    TIME_WASTER = "time_waster"


_T = IncidentType
INCIDENT_TYPES: Final[Offered] = (
    (_T.VIOLENCE, _("Physical violence")),
    (_T.STRANGULATION, _("Hands or something else round the neck")),
    (_T.WEAPON, _("A weapon was used or shown")),
    (_T.SEXUAL_ASSAULT, _("Sexual assault")),
    (_T.RAPE, _("Rape or attempted rape")),
    (_T.CONDOM, _("Condom taken off or refused")),
    (_T.BROKEN_CONSENT, _("Did something else we had not agreed to")),
    (_T.FILMED, _("Filmed or recorded without a yes")),
    (_T.KEPT, _("Would not let somebody leave")),
    (_T.ROBBERY, _("Robbery or theft")),
    (_T.NOT_PAID, _("Did not pay, fake payment, fraud")),
    (_T.THREATS, _("Threats")),
    (_T.VERBAL_ABUSE, _("Shouting, insults, scaring")),
    (_T.HATE, _("Abuse because of race, gender identity, sexuality or disability")),
    (_T.BLACKMAIL, _("Blackmail, threat to tell others")),
    (_T.OUTING, _("Told others, shared pictures or private details")),
    (_T.STALKING, _("Stalking")),
    (_T.HARASSMENT, _("Would not stop calling or writing")),
    (_T.DRUGGING, _("Drugs or something in a drink")),
    (_T.COERCION, _("Somebody else forced or controlled me or others")),
    (_T.POLICE, _("Police behaved badly, or somebody pretended to be police")),
    (_T.LANDLORD, _("Landlord or neighbour")),
    (_T.EXPLOITATION, _("Somebody may be trafficked or exploited")),
    (_T.FELT_UNSAFE, _("Felt unsafe, something was not right")),
    (_T.TIME_WASTER, _("Time-waster, did not turn up, haggling")),
    *NOT_SAID,
)

_DANGER: Final = frozenset(
    {
        _T.VIOLENCE, _T.STRANGULATION, _T.WEAPON, _T.SEXUAL_ASSAULT, _T.RAPE, _T.CONDOM, _T.BROKEN_CONSENT, _T.KEPT,
        _T.ROBBERY, _T.STALKING, _T.DRUGGING, _T.COERCION, _T.EXPLOITATION,
    }
)  # fmt: skip
_NUISANCE: Final = frozenset({_T.TIME_WASTER})


def suggested_severity(types: frozenset[str]) -> Severity:
    """The most serious value that any of the types suggests; RISK for a report without types."""
    if types & _DANGER:
        return Severity.DANGER
    return Severity.NUISANCE if types and types <= _NUISANCE else Severity.RISK


YES_NO_UNSAID: Final[Offered] = (("yes", _("Yes")), ("no", _("No")), *NOT_SAID)

CONTACT_MADE: Final[Offered] = (
    ("site", _("An advert or booking site")),
    ("app", _("An app or social media")),
    ("phone", _("Phone or text")),
    ("street", _("On the street")),
    ("premises", _("They came to where I work")),
    ("agency", _("An agency or somebody else")),
    ("known", _("I knew them before")),
    ("other", _("Another way")),
    *NOT_SAID,
)

PREMISES: Final[Offered] = (
    ("mine", _("My place")),
    ("theirs", _("Their place")),
    ("hotel", _("Hotel or rented room")),
    ("car", _("Car or van")),
    ("street", _("Street or outdoors")),
    ("parlour", _("Parlour, sauna or shared flat")),
    ("club", _("Club or bar")),
    ("online", _("Online only")),
    ("phone", _("Phone only")),
    ("other", _("Somewhere else")),
    *NOT_SAID,
)
PLACELESS: Final = frozenset({"online", "phone"})

TIME_BANDS: Final[Offered] = (
    ("morning", _("Morning, 6 to 12")),
    ("afternoon", _("Afternoon, 12 to 18")),
    ("evening", _("Evening, 18 to 23")),
    ("night", _("Night, 23 to 6")),
    ("more", _("More than one of these")),
    *NOT_SAID,
)

RELATIONS: Final[Offered] = (
    ("client", _("A client")),
    ("posing", _("Somebody posing as a client")),
    ("partner", _("A partner or ex")),
    ("third_party", _("A manager or third party")),
    ("police", _("Police or another official")),
    ("landlord", _("A landlord or neighbour")),
    ("stranger", _("A stranger")),
    ("online", _("Only ever online")),
    ("other", _("Somebody else")),
    *NOT_SAID,
)

GENDERS: Final[Offered] = (
    ("man", _("Man")),
    ("woman", _("Woman")),
    ("non_binary", _("Non-binary")),
    ("other", _("Another way")),
    *NOT_SAID,
)

AGES: Final[Offered] = (
    ("under_20", _("Under 20")),
    *((f"{low}_{low + 4}", f"{low}–{low + 4}") for low in range(20, 70, 5)),
    ("over_70", _("70 or over")),
    *NOT_SAID,
)

SECTORS: Final[Offered] = (
    ("online", _("Independent escort or online")),
    ("agency", _("Agency")),
    ("parlour", _("Parlour, brothel or sauna")),
    ("street", _("Street")),
    ("content", _("Webcam, phone or content")),
    ("bdsm", _("BDSM")),
    ("other", _("Other")),
    *NOT_SAID,
)

WAYS_TO_CONTACT: Final[Offered] = (
    ("here", _("Only here, when I come back with my receipt")),
    ("call", _("Call me")),
    ("text", _("Text me")),
    ("email", _("E-mail me")),
    ("other", _("Another way")),
)


def regions() -> Offered:
    return (*((region.slug, region.name) for region in REGIONS.values()), *NOT_SAID)


def label_of(offered: Offered, value: str) -> str:
    """The label of a stored value in the reader's language; the value itself when it is no longer offered."""
    return next((str(label) for known, label in offered if known == value), value)
