"""The words of an alert: what is proposed from the structured fields, and what is locked.

Everything proposed speaks of what was *reported* and of the *alleged* offender. A reporter's nationality,
immigration status and language have no field here, so they cannot stand in it.
"""

import re
from dataclasses import dataclass

from flask import render_template
from flask_babel import gettext as _

from alerts.membership.models import Level
from alerts.publishing import choices
from alerts.publishing.models import Change, TextChannel
from alerts.publishing.texts.contents import AlertContents, TextKey, Texts
from ugly_mugs.outbox import segments
from ugly_mugs.outbox.segments import SmsText
from ugly_mugs.web.languages import in_language

LANGUAGE = "en"


@dataclass(frozen=True)
class Written:
    """The two texts that people write; all others are made of them."""

    sms: str
    page: str


def proposed(contents: AlertContents, *, reference: str, link: str, language: str = LANGUAGE) -> Written:
    """A first wording from the structured fields, to be read and changed by a person."""
    with in_language(language):
        told = {
            "reference": reference,
            "link": link,
            "severity": choices.labels(choices.SEVERITIES, [contents.severity])[0],
            "types": choices.enumerated(choices.labels(choices.TYPES, contents.types)),
            "circumstances": ", ".join(filter(None, _circumstances(contents))),
            "description": contents.description,
            "vehicle": contents.vehicle,
            "identifiers": [
                ("".join(choices.labels(choices.IDENTIFIERS, [each.kind])), each.value)
                for each in contents.identifiers
            ],
            "advice": contents.advice,
            "account": contents.redacted.strip(),
        }
        sms = _one_line(render_template("messages/alert_sms_full.txt", **told))
        page = _paragraphs(render_template("messages/alert_page.txt", **told))
    return Written(sms=segments.downgrade(sms, language), page=page)


def every_text(
    written: Written, *, change: Change, reference: str, link: str, language: str = LANGUAGE
) -> dict[TextKey, str]:
    """Exactly what will be sent and shown, for each channel and each level."""
    told = {"reference": reference, "link": link, "changed": change is not Change.FIRST, "page": written.page}
    with in_language(language):
        neutral = _one_line(render_template("messages/alert_sms_neutral.txt", **told))
        mail = {
            level: _paragraphs(render_template(f"messages/alert_email_{level}.txt", **told))
            for level in Level
        }
    return {
        (TextChannel.SMS, language, Level.NEUTRAL): segments.downgrade(neutral, language),
        (TextChannel.SMS, language, Level.FULL): segments.downgrade(written.sms, language),
        (TextChannel.EMAIL, language, Level.NEUTRAL): mail[Level.NEUTRAL],
        (TextChannel.EMAIL, language, Level.FULL): mail[Level.FULL],
        (TextChannel.PAGE, language, Level.FULL): written.page,
    }


def subject(reference: str, *, changed: bool, language: str = LANGUAGE) -> str:
    """The subject of every e-mail: neutral, whatever the member chose."""
    with in_language(language):
        told = {"reference": reference, "changed": changed}
        return _one_line(render_template("messages/alert_email_subject.txt", **told))


def cost(key: TextKey, text: str) -> SmsText:
    """What a text message costs."""
    return segments.compose(text, key[1])


def costs(texts: Texts) -> dict[TextKey, int]:
    """Segments of the text messages; anything else counts as one."""
    return {key: cost(key, text).segments if key[0] is TextChannel.SMS else 1 for key, text in texts.items()}


def _circumstances(contents: AlertContents) -> list[str]:
    """Where and when, as far as it may be said."""
    return [
        _("in %(place)s", place=contents.place) if contents.place else "",
        "".join(choices.labels(choices.PREMISES, [contents.premises])),
        contents.when,
    ]


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _paragraphs(text: str) -> str:
    lines = [" ".join(line.split()) for line in text.strip().splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines))
