"""How the texts of an alert are shown before they leave: to the desk as they will arrive, and to the reporter."""

from collections.abc import Iterator
from dataclasses import dataclass

from flask_babel import gettext as _

from alerts.membership.models import Level
from alerts.publishing.models import Change, TextChannel
from alerts.publishing.texts import message_text
from alerts.publishing.texts.contents import TextKey, Texts
from ugly_mugs.languages import own_name
from ugly_mugs.outbox.segments import UCS_2, SmsText


@dataclass(frozen=True)
class Preview:
    """A text as it will arrive; `language` is empty where all texts are in the same one."""

    title: str
    text: str
    note: str
    language: str


def pages(texts: Texts) -> list[Preview]:
    """The words on the members' page; the language is their title where there are several."""
    return [
        Preview(own_name(language) if language else "", text, "", language)
        for _key, text, language in _of_channel(TextChannel.PAGE, texts)
    ]


def phones(texts: Texts) -> list[Preview]:
    """The text messages, as members with neutral and with full texts will see them."""
    titles = {
        Level.NEUTRAL: _("for members who want as little as possible"),
        Level.FULL: _("for members who asked for full texts"),
    }
    return [
        Preview(_titled(titles[key[2]], language), text, _cost(message_text.cost(key, text)), language)
        for key, text, language in _of_channel(TextChannel.SMS, texts)
    ]


def mails(texts: Texts, reference: str, change: Change) -> list[Preview]:
    """The e-mails; their subject is neutral for everybody."""

    def subject(key: TextKey) -> str:
        return message_text.subject(reference, changed=change is not Change.FIRST, language=key[1])

    titles = {Level.NEUTRAL: _("E-mail, as little as possible"), Level.FULL: _("E-mail, full")}
    return [
        Preview(
            _titled(titles[key[2]], language), text, _("Subject: %(subject)s", subject=subject(key)), language
        )
        for key, text, language in _of_channel(TextChannel.EMAIL, texts)
    ]


def for_reporter(texts: Texts) -> dict[str, str]:
    """The full texts by channel; where there are several languages, each under the name of its own."""
    return {
        channel.value: _in_every_language(texts, channel) for channel in (TextChannel.SMS, TextChannel.PAGE)
    }


def _of_channel(channel: TextChannel, texts: Texts) -> Iterator[tuple[TextKey, str, str]]:
    """The texts of a channel, ordered by language and level; the third value is as `Preview.language`."""
    languages = message_text.languages_of(texts)
    for language in languages:
        for level in Level:
            key = (channel, language, level)
            if key in texts:
                yield key, texts[key], language if len(languages) > 1 else ""


def _titled(title: str, language: str) -> str:
    return f"{title} ({own_name(language)})" if language else str(title)


def _in_every_language(texts: Texts, channel: TextChannel) -> str:
    by_language = {
        language: texts[channel, language, Level.FULL] for language in message_text.languages_of(texts)
    }
    if len(by_language) == 1:
        return "".join(by_language.values())
    return "\n\n".join(f"{own_name(language)}:\n{text}" for language, text in by_language.items())


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
