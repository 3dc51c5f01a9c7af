"""The forms of an alert: its structured fields with its two texts, and the words with which one is sent back."""

from collections.abc import Iterable
from typing import Any

from flask_babel import lazy_gettext as _
from marshmallow import Schema, ValidationError, validates_schema

from alerts.publishing import choices
from alerts.publishing.models import Change
from alerts.publishing.texts.contents import Identifier
from ugly_mugs.outbox.segments import BODY_LIMIT
from ugly_mugs.web.form_fields import choice, choices as several, line, paragraph, tick, whole

MOST_DAYS = 365


class AlertSchema(Schema):
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
    sms = paragraph(
        _("The full text message"),
        longest=BODY_LIMIT,
        rows=5,
        required=True,
        hint=_("Only members who asked for full texts get this one."),
    )
    page = paragraph(
        _("The words on the members' page and in full e-mails"), longest=8_000, rows=12, required=True
    )

    @validates_schema
    def concern_somebody(self, answers: dict[str, Any], **_kwargs: Any) -> None:
        if not answers.get("regions") and not answers.get("online"):
            raise ValidationError(
                {"regions": [str(_("Please choose a region, or everybody who works online."))]}
            )


def alert_schema(offered: Iterable[Identifier], *, third_party: bool) -> Schema:
    """The form for one report: its own identifiers to choose from, and the question about establishments."""
    offered = tuple(offered)
    more: dict[str, Any] = {}
    if offered:
        listed = tuple(
            (each.key, f"{''.join(choices.labels(choices.IDENTIFIERS, [each.kind]))}: {each.value}")
            for each in offered
        )
        more["identifiers"] = several(
            _("Which identifiers may members read?"),
            listed,
            hint=_("Each one you tick stands in the full texts. Untick what could be somebody else's."),
        )
    if third_party:
        more["establishments_too"] = tick(
            _("Establishments too, although the report names a manager or third party")
        )
    schema: Schema = type("OneAlertSchema", (AlertSchema,), more)()
    return schema


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
