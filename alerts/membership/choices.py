"""The options members choose from, with their labels."""

from collections.abc import Sequence

from flask_babel import gettext, lazy_gettext as _
from flask_babel.speaklater import LazyString

from alerts.membership.models import Level, Sector
from ugly_mugs.accounts.models import MemberKind
from ugly_mugs.languages import own_name
from ugly_mugs.runtime import runtime
from ugly_mugs.text.places import REGIONS

SECTORS = (
    (Sector.ONLINE.value, _("Independent escort or online")),
    (Sector.AGENCY.value, _("Agency")),
    (Sector.PARLOUR.value, _("Parlour, flat or sauna")),
    (Sector.STREET.value, _("Street")),
    (Sector.CONTENT.value, _("Webcam, phone or content")),
    (Sector.BDSM.value, _("BDSM")),
    (Sector.OTHER.value, _("Something else")),
)

KINDS = (
    (MemberKind.INDIVIDUAL.value, _("I do sex work myself")),
    (MemberKind.PROJECT.value, _("I work for a project that supports sex workers")),
    (MemberKind.ESTABLISHMENT.value, _("I am with a parlour, agency or website and pass warnings on")),
)

# The same kinds, as labels for member admins.
KIND_NAMES = {
    MemberKind.INDIVIDUAL: _("Does sex work"),
    MemberKind.PROJECT: _("Works for a support project"),
    MemberKind.ESTABLISHMENT: _("With a parlour, agency or website"),
}


def _neutral_example() -> str:
    return str(gettext("Like this: New notice 4F7K. See %(address)s", address=runtime().settings.link_url))


def _full_example() -> str:
    example = gettext(
        "Like this: 4F7K, Leeds: a man in a grey van is reported to have made threats at a hotel. "
        "Somebody who looks over your shoulder could read this."
    )
    return str(example)


LEVELS = (
    (
        Level.NEUTRAL.value,
        _("As little as possible: only that there is something new"),
        LazyString(_neutral_example),
    ),
    (Level.FULL.value, _("The whole warning"), LazyString(_full_example)),
)


def regions() -> Sequence[tuple[str, str]]:
    """All regions by slug. Irish provinces name their country, because Ulster is also a name for Northern Ireland."""
    return [
        (slug, f"{region.name}, {region.nation}" if region.nation == "Ireland" else region.name)
        for slug, region in REGIONS.items()
    ]


def languages() -> Sequence[tuple[str, str]]:
    return [(code, own_name(code)) for code in runtime().settings.languages]


def about_waking() -> str:
    """The hint of the question about waking, with this installation's quiet hours."""
    quiet = runtime().settings.quiet_hours
    explained = gettext(
        "Between %(start)s and %(end)s we keep quiet. With a yes, a warning of danger reaches you even then. "
        "With a no, it waits until the morning.",
        start=quiet.start.strftime("%H:%M"),
        end=quiet.end.strftime("%H:%M"),
    )
    return str(explained)
