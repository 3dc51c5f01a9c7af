"""The texts of an alert: proposals from its structured fields, and the final text for each channel and level.

Proposals say what was *reported* about the *alleged* offender. The reporter's nationality, immigration status and
language have no field here, so no proposal can contain them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import render_template
from flask_babel import gettext as _

from alerts.membership.models import Level
from alerts.publishing import choices
from alerts.publishing.models import Change, TextChannel
from alerts.publishing.texts.contents import AlertContents, TextKey, Texts
from ugly_mugs.outbox import segments
from ugly_mugs.runtime import runtime
from ugly_mugs.web.page_language import in_language


@dataclass(frozen=True)
class TextPair:
    """The two texts that people write in one language; all others are made from them."""

    sms: str
    page: str


Written = Mapping[str, TextPair]
"""The texts that people wrote, by language. A language has both texts or is absent."""


def proposed(
    contents: AlertContents, *, reference: str, link: str, languages: Sequence[str]
) -> dict[str, TextPair]:
    """Proposed texts in each language, from the structured fields; a person checks and edits them.

    Fixed phrases are translated; text from the report stays in the report's language.
    """
    return {language: _proposed(contents, reference, link, language) for language in languages}


def _proposed(contents: AlertContents, reference: str, link: str, language: str) -> TextPair:
    with in_language(language):
        variables = {
            "reference": reference,
            "link": link,
            "severity": choices.labels(choices.SEVERITIES, [contents.severity])[0],
            "types": choices.enumerated(choices.labels(choices.TYPES, contents.types)),
            "circumstances": ", ".join(filter(None, _circumstances(contents))),
            "description": contents.description,
            "vehicle": contents.vehicle,
            "identifiers": [
                ("".join(choices.labels(choices.IDENTIFIERS, [identifier.kind])), identifier.value)
                for identifier in contents.identifiers
            ],
            "advice": contents.advice,
            "account": contents.redacted.strip(),
        }
        sms = _one_line(render_template("messages/alert_sms_full.txt", **variables))
        page = _paragraphs(render_template("messages/alert_page.txt", **variables))
    return TextPair(sms=segments.downgrade(sms, language), page=page)


def every_text(written: Written, *, change: Change, reference: str, link: str) -> dict[TextKey, str]:
    """The exact texts that will be sent and shown, by channel, language and level."""
    texts: dict[TextKey, str] = {}
    for language, pair in written.items():
        texts |= _texts_in(language, pair, reference, link, changed=change is not Change.FIRST)
    return texts


def _texts_in(
    language: str, pair: TextPair, reference: str, link: str, *, changed: bool
) -> dict[TextKey, str]:
    variables = {"reference": reference, "link": link, "changed": changed, "page": pair.page}
    with in_language(language):
        neutral = _one_line(render_template("messages/alert_sms_neutral.txt", **variables))
        mail = {
            level: _paragraphs(render_template(f"messages/alert_email_{level}.txt", **variables))
            for level in Level
        }
    return {
        (TextChannel.SMS, language, Level.NEUTRAL): segments.downgrade(neutral, language),
        (TextChannel.SMS, language, Level.FULL): segments.downgrade(pair.sms, language),
        (TextChannel.EMAIL, language, Level.NEUTRAL): mail[Level.NEUTRAL],
        (TextChannel.EMAIL, language, Level.FULL): mail[Level.FULL],
        (TextChannel.PAGE, language, Level.FULL): pair.page,
    }


def written_in(texts: Texts) -> dict[str, TextPair]:
    """The inverse of `every_text`: the texts that people wrote, by language."""
    return {
        language: TextPair(
            sms=texts[TextChannel.SMS, language, Level.FULL],
            page=texts[TextChannel.PAGE, language, Level.FULL],
        )
        for language in languages_of(texts)
    }


def languages_of(texts: Texts) -> list[str]:
    """The languages of these texts: in the order of the settings, then languages that are no longer offered.

    Members without a text in their language get the text in the first one.
    """
    written = {language for _channel, language, _level in texts}
    offered = [language for language in runtime().settings.languages if language in written]
    return offered + sorted(written - set(offered))


def subject(reference: str, *, changed: bool, language: str) -> str:
    """The e-mail subject, which is neutral at every level."""
    with in_language(language):
        variables = {"reference": reference, "changed": changed}
        return _one_line(render_template("messages/alert_email_subject.txt", **variables))


def costs(texts: Texts) -> dict[TextKey, int]:
    """The segments of each text message; 1 for every other text."""
    return {
        key: segments.compose(text, key[1]).segments if key[0] is TextChannel.SMS else 1
        for key, text in texts.items()
    }


def _circumstances(contents: AlertContents) -> list[str]:
    """Place, kind of place and time; empty where the contents have none."""
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
