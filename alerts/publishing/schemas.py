"""The forms of an alert: its fields and texts, the reason for sending it back, and the kind of a new version."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from flask_babel import lazy_gettext as _
from marshmallow import Schema, ValidationError, validates_schema

from alerts.publishing import choices
from alerts.publishing.models import Change
from alerts.publishing.texts.contents import Identifier
from alerts.publishing.texts.message_text import TextPair, Written
from ugly_mugs.languages import own_name
from ugly_mugs.outbox.segments import BODY_LIMIT
from ugly_mugs.web.form_fields import choice, choices as several, line, paragraph, tick, whole

MOST_DAYS = 365
LONGEST_PAGE = 8_000


class AlertSchema(Schema):
    languages: ClassVar[Sequence[str]]
    """The languages its texts may be written in; texts in the first one are required."""

    severity = choice(_("How serious?"), choices.SEVERITIES, required=True)
    types = several(_("What was reported?"), choices.TYPES)
    place = line(_("Town"), longest=80, hint=_("A town or region as members will read it, nothing smaller."))
    when = line(_("When"), longest=80, hint=_("The week and the time of day at most."))
    premises = choice(_("Kind of place"), choices.PREMISES, widget="select")
    description = paragraph(_("The alleged offender looks like this"), longest=1_000, rows=3)
    vehicle = line(_("Vehicle"), longest=300)
    advice = paragraph(_("What people can do"), longest=500, rows=2)
    regions = several(_("Members in which regions?"), choices.regions)
    online = tick(_("Also everybody who works online, wherever they are"))
    sectors = several(
        _("Members in which sectors?"), choices.SECTORS, hint=_("None ticked means all of them.")
    )
    kinds = several(_("Which kinds of members?"), choices.KINDS, required=True)
    channels = several(_("How?"), choices.CHANNELS, required=True)
    days = whole(_("For how many days?"), least=1, most=MOST_DAYS, required=True)

    @validates_schema
    def concern_somebody(self, answers: dict[str, Any], **_kwargs: Any) -> None:
        if not answers.get("regions") and not answers.get("online"):
            raise ValidationError(
                {"regions": [str(_("Please choose a region, or everybody who works online."))]}
            )

    @validates_schema
    def have_both_texts_or_none(self, answers: dict[str, Any], **_kwargs: Any) -> None:
        missing = [
            [name for name in names if not answers.get(name)] for names in text_names(self.languages).values()
        ]
        problem = [str(_("Please write both texts in this language, or none."))]
        if wrong := {names[0]: problem for names in missing if len(names) == 1}:
            raise ValidationError(wrong)


def text_names(languages: Sequence[str]) -> dict[str, tuple[str, str]]:
    """The names of the SMS field and of the page field, by language."""
    return {
        language: (f"sms_{language}", f"page_{language}") if number else ("sms", "page")
        for number, language in enumerate(languages)
    }


def written_from(answers: Mapping[str, Any], languages: Sequence[str]) -> dict[str, TextPair]:
    """The texts of a valid form, without languages that were left empty."""
    return {
        language: TextPair(sms=answers[sms], page=answers[page])
        for language, (sms, page) in text_names(languages).items()
        if answers[sms]
    }


def form_values(written: Written, languages: Sequence[str]) -> dict[str, str]:
    """The inverse of `written_from`: the values of a form's text fields."""
    return {
        name: text
        for language, names in text_names(languages).items()
        if language in written
        for name, text in zip(names, (written[language].sms, written[language].page), strict=True)
    }


def alert_schema(offered: Iterable[Identifier], *, third_party: bool, languages: Sequence[str]) -> Schema:
    """The form of one alert: with text fields for each language, and choices for the report's identifiers.

    With `third_party`, the form also asks whether establishments get the alert.
    """
    offered = tuple(offered)
    fields: dict[str, Any] = {"languages": languages, **_text_fields(languages)}
    if offered:
        listed = tuple(
            (
                identifier.key,
                f"{''.join(choices.labels(choices.IDENTIFIERS, [identifier.kind]))}: {identifier.value}",
            )
            for identifier in offered
        )
        fields["identifiers"] = several(
            _("Which identifiers may members read?"),
            listed,
            hint=_("Each one you tick stands in the full texts. Untick what could be somebody else's."),
        )
    if third_party:
        fields["establishments_too"] = tick(
            _("Establishments too, although the report names a manager or third party")
        )
    schema: Schema = type("OneAlertSchema", (AlertSchema,), fields)()
    return schema


def _text_fields(languages: Sequence[str]) -> dict[str, Any]:
    """Two fields for each language; with several languages, each has its own section of the form."""
    fields = {}
    for language, (sms, page) in text_names(languages).items():
        default = language == languages[0]
        section: dict[str, Any] = {}
        if len(languages) > 1:
            section = {"section": own_name(language), "language": language}
        fields[sms] = paragraph(
            _("The full text message"),
            longest=BODY_LIMIT,
            rows=5,
            required=default,
            hint=_("Only members who asked for full texts get this one."),
            **section,
        )
        fields[page] = paragraph(
            _("The words on the members' page and in full e-mails"),
            longest=LONGEST_PAGE,
            # The reporter's preview holds the texts of all languages in one sealed value of limited size.
            longest_bytes=4 * LONGEST_PAGE // len(languages),
            rows=12,
            required=default,
            hint=None if default else _leave_empty(languages[0]),
            **section,
        )
    return fields


def _leave_empty(default: str) -> Any:
    return _(
        "You may leave both texts empty. Members who chose this language then get those in %(language)s.",
        language=own_name(default),
    )


class ReturnSchema(Schema):
    reason = paragraph(_("Why do you send it back?"), longest=2_000, rows=4, required=True)


class NewVersionSchema(Schema):
    change = choice(
        _("What kind of new version?"),
        (
            (Change.UPDATE, _("Update"), _("Something was learned. Members whom it concerns get it.")),
            (
                Change.CORRECTION,
                _("Correction"),
                _("Something was wrong. Everybody who may have got an earlier version gets it, too."),
            ),
        ),
        required=True,
    )
