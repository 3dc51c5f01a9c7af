"""The languages offered, the locale each is written in, and which of them a page is in."""

from contextlib import AbstractContextManager

from flask_babel import force_locale, get_locale

# Dates and numbers as people in the United Kingdom and Ireland write them.
LOCALES = {"en": "en_GB"}


def page_language() -> str:
    """The language of the page under way by its code in the settings, such as `en`."""
    locale = str(get_locale())
    return next((language for language, written in LOCALES.items() if written == locale), locale)


def in_language(language: str) -> AbstractContextManager[None]:
    """Texts drawn inside are in this language, whoever's request is under way."""
    spoken: AbstractContextManager[None] = force_locale(LOCALES.get(language, language))
    return spoken
