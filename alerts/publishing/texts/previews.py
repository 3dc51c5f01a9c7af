"""The texts of an alert as the desk previews them: on the members' page, as text messages and as e-mails."""

from collections.abc import Iterator
from dataclasses import dataclass

from flask_babel import gettext as _

from alerts.membership.models import Level
from alerts.publishing.models import Change, TextChannel
from alerts.publishing.texts import message_text
from alerts.publishing.texts.contents import TextKey, Texts
from ugly_mugs.languages import own_name
from ugly_mugs.outbox import segments
from ugly_mugs.outbox.segments import UCS_2, SmsText


@dataclass(frozen=True)
class Preview:
    """A text as it will arrive; `language` is empty when all texts are in the same language."""

    title: str
    text: str
    note: str
    language: str


def page_previews(texts: Texts) -> list[Preview]:
    """The texts of the members' page; with several languages, each is titled with its language."""
    return [
        Preview(own_name(language) if language else "", text, "", language)
        for _key, text, language in _of_channel(TextChannel.PAGE, texts)
    ]


def sms_previews(texts: Texts) -> list[Preview]:
    """The text messages, as members with neutral and with full texts will see them."""
    titles = {
        Level.NEUTRAL: _("for members who want as little as possible"),
        Level.FULL: _("for members who asked for full texts"),
    }
    return [
        Preview(_titled(titles[key[2]], language), text, _cost(segments.compose(text, key[1])), language)
        for key, text, language in _of_channel(TextChannel.SMS, texts)
    ]


def email_previews(texts: Texts, reference: str, change: Change) -> list[Preview]:
    """The e-mails; their subject is neutral for everybody."""

    def subject(key: TextKey) -> str:
        return message_text.subject(reference, changed=change is not Change.FIRST, language=key[1])

    titles = {Level.NEUTRAL: _("E-mail, as little as possible"), Level.FULL: _("E-mail, full")}
    return [
        Preview(
            _titled(titles[key[2]], language),
            text,
            _("Subject: %(subject)s", subject=subject(key)),
            language,
        )
        for key, text, language in _of_channel(TextChannel.EMAIL, texts)
    ]


def _of_channel(channel: TextChannel, texts: Texts) -> Iterator[tuple[TextKey, str, str]]:
    """Key, text and language of each text of a channel: by language, neutral before full.

    The language is empty when all texts are in the same language.
    """
    languages = message_text.languages_of(texts)
    for language in languages:
        for level in Level:
            key = (channel, language, level)
            if key in texts:
                yield key, texts[key], language if len(languages) > 1 else ""


def _titled(title: str, language: str) -> str:
    return f"{title} ({own_name(language)})" if language else str(title)


def _cost(sms: SmsText) -> str:
    if sms.encoding == UCS_2:
        return str(
            _(
                "%(segments)s parts, %(units)s units. It holds signs that make each part shorter.",
                segments=sms.segments,
                units=sms.units,
            )
        )
    if sms.segments == 1:
        return str(_("One part, %(units)s of 160 characters.", units=sms.units))
    return str(_("%(segments)s parts, %(units)s characters.", segments=sms.segments, units=sms.units))
