"""The sections of a report, one schema each; only the account of what happened is required."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from flask_babel import lazy_gettext as _
from marshmallow import Schema, ValidationError, post_load, validates_schema

from reporting.record import choices as offered
from reporting.record.consents import WORDINGS, Consent, When
from ugly_mugs.text import places
from ugly_mugs.web.form_fields import choice, choices, day, line, lines, paragraph, yes_no

MOST_OFFENDERS: Final = 8

words = partial(line, inputmode="text")
"""A line of ordinary text, which a phone's keyboard may begin with a capital (unlike a username)."""


class HappenedSchema(Schema):
    account = paragraph(
        _("What happened?"),
        longest=20_000,
        longest_bytes=40_000,
        rows=10,
        required=True,
        hint=_("In your own words, in any language. As short or as long as you like."),
    )
    types = choices(_("What kind of thing was it?"), offered.INCIDENT_TYPES, hint=_("As many as fit."))
    still_going_on = choice(_("Is it still going on?"), offered.YES_NO_UNSAID)
    contact_made = choice(_("How did contact begin?"), offered.CONTACT_MADE, widget="select")


class MoreSchema(HappenedSchema):
    """The same section for an addition to a report, where no answer is required."""

    account = paragraph(
        _("What do you want to add?"),
        longest=20_000,
        longest_bytes=40_000,
        rows=8,
        hint=_("In your own words."),
    )


class OffenderSchema(Schema):
    """One alleged offender. Identifiers are stored as typed; `record/tags.py` decides which are matched."""

    relation = choice(_("Who are they to you?"), offered.RELATIONS, widget="select")
    names = lines(_("Names they gave"), hint=_("One on each line, here and below."))
    phones = lines(_("Phone numbers they used"), hint=_("A part of a number helps too."))
    emails = lines(_("E-mail addresses they used"))
    handles = lines(_("Usernames they used"), hint=_("Only the name, without spaces."))
    sites = line(_("On which sites or apps?"))
    plates = lines(_("Number plate of their car"), longest=20, most=4, rows=1)
    vehicle = words(_("Their car: make, colour, anything special"))
    gender = choice(_("Gender, as far as you could tell"), offered.GENDERS, widget="select")
    age = choice(_("Age, roughly"), offered.AGES, widget="select")
    ethnic_appearance = words(_("Ethnic appearance"))
    height = words(_("Height"))
    build = words(_("Build"))
    hair = words(_("Hair, beard"))
    eyes = words(_("Eyes, glasses"))
    complexion = words(_("Skin"))
    accent = words(_("Accent or language"))
    marks = words(_("Scars, tattoos, other marks"), longest=500)
    clothing = words(_("Clothes"))
    smell = words(_("Smell"))
    weapon = words(_("Weapon"))
    payment = words(_("How they paid or said they would pay"))


class PlaceSchema(Schema):
    place = line(
        _("Town, or first half of the postcode"),
        hint=_("Like Leeds or LS11. Please no street and no house number."),
    )
    region = choice(_("Region, if you know it"), offered.regions, widget="select")
    premises = choice(_("What kind of place?"), offered.PREMISES, widget="select")

    @post_load
    def coarsen(self, answers: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        """Replace a known place by its canonical form, without the second half of a postcode.

        That half narrows the place down to a few doors, so it is never stored.
        """
        typed = answers.get("place")
        match = places.regions_of(typed) if typed else None
        return {**answers, "place": match.canonical} if match else answers


class WhenSchema(Schema):
    day = day(_("Which day?"))
    roughly = words(_("Or roughly when"), hint=_("Like “last week” or “in March”."))
    time_band = choice(_("What time of day?"), offered.TIME_BANDS, widget="select")


class WarnOthersSchema(Schema):
    warn_others = yes_no(
        WORDINGS[Consent.WARN_OTHERS].question,
        hint=_(
            "Only members get warnings. We take out what could point to you. Without a yes, no warning leaves."
        ),
    )
    when = choice(
        _("If yes, when?"),
        (
            (When.ASAP, _("As soon as possible")),
            (When.NOT_BEFORE, _("Not before the day I give below")),
            (
                When.AFTER_SEEN,
                _("Only after I have seen it"),
                _("You come back with your receipt to see it and let it go. This may take longer."),
            ),
        ),
    )
    not_before = day(_("Not before this day"))

    @validates_schema
    def agree(self, answers: Mapping[str, Any], **_kwargs: Any) -> None:
        if answers.get("when") == When.NOT_BEFORE and answers.get("not_before") is None:
            raise ValidationError(
                {"not_before": [str(_("Please give the day before which nothing may leave."))]}
            )
        if answers.get("when") is not None and answers.get("warn_others") is None:
            raise ValidationError(
                {"warn_others": [str(_("You chose when. Please also say yes or no here."))]}
            )


class ContactMeSchema(Schema):
    """Has byte limits, because all consents are sealed into one fixed size."""

    contact_me = yes_no(
        WORDINGS[Consent.CONTACT_ME].question,
        hint=_("Without a yes, we only write to you here, where you need your receipt to read it."),
    )
    how = choice(_("How?"), offered.WAYS_TO_CONTACT, widget="select")
    where = line(_("Phone number or e-mail address"), longest=150, longest_bytes=300)
    hours = words(
        _("When is it safe?"), longest=150, longest_bytes=300, hint=_("Days and hours. Never at other times.")
    )
    name_to_use = words(_("Which name shall we ask for?"), longest=100, longest_bytes=200)
    may_say_who = yes_no(_("May we say who is calling?"))
    otherwise_say = words(_("If not, what shall we say?"), longest=150, longest_bytes=300)


class AboutYouSchema(Schema):
    call_you = words(_("What may we call you?"), longest=100)
    pronouns = words(_("Your pronouns"), longest=50)
    working_names = lines(_("Working names you use"), hint=_("One on each line, here and below."))
    profile_links = lines(_("Links to your profiles or adverts"), longest=300)
    phones = lines(_("Phone numbers you use"))
    emails = lines(_("E-mail addresses you use"))
    keep_out = lines(
        _("Anything else to keep out"), longest=200, hint=_("Your street, where you work, names of friends.")
    )
    sector = choice(_("What kind of work do you do?"), offered.SECTORS, widget="select")
    language = words(_("In which language shall we write to you?"), longest=50)
    reported_to_police = choice(_("Did anybody tell the police?"), offered.YES_NO_UNSAID, widget="select")
    police_reference = line(_("If yes, do you have a number for it?"), longest=60)


SECTIONS: Final[Mapping[str, type[Schema]]] = {
    "happened": HappenedSchema,
    "offenders": OffenderSchema,
    "place": PlaceSchema,
    "when": WhenSchema,
    "warn_others": WarnOthersSchema,
    "contact_me": ContactMeSchema,
    "about_you": AboutYouSchema,
}
"""Every section by its name; `offenders` holds a list. The two consent sections are stored separately."""

CONSENT_SECTIONS: Final = ("warn_others", "contact_me")
KEPT_SECTIONS: Final = tuple(name for name in SECTIONS if name not in CONSENT_SECTIONS)

TITLES: Final[Mapping[str, Any]] = {
    "happened": _("What happened"),
    "offenders": _("The person or people who did it"),
    "place": _("Where"),
    "when": _("When"),
    "warn_others": _("Warning others"),
    "contact_me": _("Contact with you"),
    "about_you": _("About you"),
}
